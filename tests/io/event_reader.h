// Reads TensorBoard's event files, whose format is described in halfstep/io/tfevents.h.
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

// Returns the data of each whole record. Throws std::runtime_error for a wrong checksum; an
// incomplete last record, which a killed process leaves, is ignored.
std::vector<std::string> read_records(std::string_view file);

// Decodes an event. Throws std::runtime_error for a field that TensorBoard's Event does not have.
ReadEvent read_event(std::string_view message);

// Returns the events of a file.
std::vector<ReadEvent> read_event_file(const std::filesystem::path& path);

// Returns the event files of a folder, sorted by name, which is the order in which TensorBoard
// reads them.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_EVENT_READER_H_
