#include "halfstep/checkpoint/state_writer.h"

#include <chrono>

namespace halfstep {

bool StateWriter::busy() {
  if (!writing_.valid()) return false;
  if (writing_.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) return true;
  writing_.get();
  return false;
}

StateImage& StateWriter::image() {
  finish();
  return image_;
}

void StateWriter::write() {
  writing_ = std::async(std::launch::async, [this] { slots_.save(image_); });
}

void StateWriter::finish() {
  if (writing_.valid()) writing_.get();
}

}  // namespace halfstep
