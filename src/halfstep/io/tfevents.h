// Writes TensorBoard's event files.
//
// A file is a sequence of records:
//
//   length          uint64, little endian
//   masked CRC-32C  uint32, of the 8 bytes of length
//   data            `length` bytes: one Event
//   masked CRC-32C  uint32, of data
//
// An Event is a protocol buffer (tensorflow/core/util/event.proto and summary.proto). Only the
// following fields are written, so the protobuf library is not needed:
//
//   Event    1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary,
//            7 session_log SessionLog
//   Summary  1 value, repeated: 1 tag string, 2 simple_value float, 4 image Image
//   Image    1 height, 2 width, 3 colorspace (1 grey, 3 RGB) int32, 4 encoded_image_string bytes
//   SessionLog  1 status: 1 is START
#ifndef HALFSTEP_IO_TFEVENTS_H_
#define HALFSTEP_IO_TFEVENTS_H_

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "halfstep/io/disk.h"
#include "halfstep/io/image.h"

namespace halfstep::io {

struct EventScalar {
  std::string_view tag;
  double value = 0.0;  // written as float
};

// ---- Events, as encoded messages. `wall_time` is in seconds since 1970.

// Returns the first event of a file. It declares version 2, in which a START event marks a restart.
std::string version_event(double wall_time);

// Returns a START event: TensorBoard discards what it has read of `step` and later steps.
std::string session_start_event(double wall_time, std::int64_t step);

// Returns an event with scalar values.
std::string scalars_event(double wall_time, std::int64_t step, std::span<const EventScalar> values);

// Returns an event with an image. `png` is the encoded image; `image` gives its size and channels,
// and its pixels are not used.
std::string image_event(double wall_time, std::int64_t step, std::string_view tag,
                        const Image& image, std::string_view png);

// Returns the record of an event: the event with its length and checksums.
std::string event_record(std::string_view event);

// An event file that grows by whole records. Not thread-safe.
class EventFile {
 public:
  // Creates events.out.tfevents.TIME.HOST.PID.0 in `folder`, which must exist, and writes the
  // version event. TIME is `wall_time` or later, so that the name sorts after those of all event
  // files in the folder: TensorBoard reads the files in the order of their names. Throws IoError if
  // the file cannot be created.
  EventFile(const std::filesystem::path& folder, double wall_time);

  const std::filesystem::path& path() const { return path_; }

  // Appends a record. Throws IoError if it cannot be written.
  void append(std::string_view event);

 private:
  std::filesystem::path path_;
  AppendFile file_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_TFEVENTS_H_
