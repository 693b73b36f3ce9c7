// TensorBoard's event files, written.
//
// A file is a sequence of records:
//
//   length          uint64, little endian
//   masked CRC-32C  uint32, of the 8 bytes of length
//   data            `length` bytes: one Event
//   masked CRC-32C  uint32, of data
//
// An Event is a protocol buffer, of which these fields are written
// (tensorflow/core/util/event.proto and summary.proto); everything TensorBoard needs is here, so
// there is no protobuf library:
//
//   Event    1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary,
//            7 session_log SessionLog
//   Summary  1 value, repeated: 1 tag string, 2 simple_value float, 4 image Image
//   Image    1 height, 2 width, 3 colorspace (1 gray, 3 RGB) int32, 4 encoded_image_string bytes
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

// ---- Events as the bytes of their message. `wall_time`: seconds since 1970.

// The first of a file: says that the records are of version 2, in which START is what tells of a
// restart.
std::string version_event(double wall_time);

// A session begins: TensorBoard forgets what it has read of this step and later ones.
std::string session_start_event(double wall_time, std::int64_t step);

std::string scalars_event(double wall_time, std::int64_t step, std::span<const EventScalar> values);

// `png`: the file's bytes, of an image of this size and these channels (its pixels are not read).
std::string image_event(double wall_time, std::int64_t step, std::string_view tag,
                        const Image& image, std::string_view png);

// An event with its length and checksums around it.
std::string event_record(std::string_view event);

// A new file that grows by whole records.
class EventFile {
 public:
  // events.out.tfevents.TIME.HOST.PID.0 in `folder`, which must exist. TIME is the given one
  // (seconds since 1970) or later, so that the name comes after those of all event files there:
  // TensorBoard reads them in the order of their names. The version is its first record. IoError if
  // it cannot be made.
  EventFile(const std::filesystem::path& folder, double wall_time);

  const std::filesystem::path& path() const { return path_; }

  // IoError if it cannot be written.
  void append(std::string_view event);

 private:
  std::filesystem::path path_;
  AppendFile file_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_TFEVENTS_H_
