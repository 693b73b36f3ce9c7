// Reads TensorBoard's event files by their description in halfstep/io/tfevents.h, for tests.
#ifndef HALFSTEP_TESTS_IO_EVENT_READER_H_
#define HALFSTEP_TESTS_IO_EVENT_READER_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::io {

struct ReadImage {
  uint64_t height = 0;
  uint64_t width = 0;
  uint64_t colorspace = 0;
  std::string png;
};

struct ReadEvent {
  double wall_time = 0.0;
  int64_t step = 0;
  std::string file_version;
  bool session_start = false;
  std::map<std::string, float> scalars;
  std::map<std::string, ReadImage> images;
};

// The data of each whole record. Throws std::runtime_error where a checksum is wrong; what a killed
// process left of a last record is passed over.
std::vector<std::string> read_records(std::string_view file);

// Throws std::runtime_error for a field that TensorBoard's Event does not have.
ReadEvent read_event(std::string_view message);

// The events of one file.
std::vector<ReadEvent> read_event_file(const std::filesystem::path& path);

// The event files of a folder in the order of their names, as TensorBoard reads them.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_EVENT_READER_H_
