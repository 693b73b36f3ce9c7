// The fuzz targets. Each parses its input as one file format. A correct reader either succeeds or
// throws a halfstep::Error with a one-line message; any other exception leaves the target and is a
// finding.
//
// fuzz_main.cc makes a libFuzzer program of each target (preset fuzz, run.sh). corpus_test.cc runs
// them on corpus/ in the normal test suite.
#ifndef HALFSTEP_TESTS_FUZZ_TARGETS_H_
#define HALFSTEP_TESTS_FUZZ_TARGETS_H_

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

#include "halfstep/core/error.h"

namespace halfstep::fuzz {

using Input = std::span<const std::byte>;

void safetensors(Input input);
void npy(Input input);
void npz(Input input);
void flax_checkpoint(Input input);
void image_zip(Input input);
void dataset_json(Input input);
void idx(Input input);
void tar_gz(Input input);
void image(Input input);
void lmdb(Input input);
void fields(Input input);
void onnx_metadata(Input input);
void http_request(Input input);
void image_request(Input input);

// Reports a finding. Not a halfstep::Error, so that expect_valid_or_rejected does not catch it.
struct Finding : std::logic_error {
  using std::logic_error::logic_error;
};

// Calls `read`. Catches halfstep::Error, but throws Finding if its message has several lines.
template <class Read>
void expect_valid_or_rejected(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string_view what = error.what();
    if (what.find('\n') != what.npos) throw Finding("a message of two lines");
  }
}

}  // namespace halfstep::fuzz

#endif  // HALFSTEP_TESTS_FUZZ_TARGETS_H_
