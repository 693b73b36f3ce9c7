#include "halfstep/io/tfevents.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/io/event_reader.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// Written by tensorboard 2.21's own classes (event_pb2, summary_pb2, RecordWriter) from the same
// values.
TEST(TensorBoardEvent, HasTheSameBytesAsTensorBoardsClasses) {
  EXPECT_EQ(hex(version_event(1.5)), "09000000000000f83f1a0d627261696e2e4576656e743a32");
  EXPECT_EQ(hex(session_start_event(1.5, 301)), "09000000000000f83f10ad023a020801");
  EXPECT_EQ(hex(scalars_event(1.5, 300,
                              std::vector<EventScalar>{{.tag = "loss", .value = 0.25},
                                                       {.tag = "lr", .value = 1e-3}})),
            "09000000000000f83f10ac022a180a0b0a046c6f7373150000803e0a090a026c72156f12833a");
  EXPECT_EQ(
      hex(image_event(1.5, 300, "samples", {.width = 200, .height = 2, .channels = 3}, "PNG!")),
      "09000000000000f83f10ac022a1a0a180a0773616d706c6573220d080210c80118032204504e4721");
  EXPECT_EQ(hex(event_record("halfstep")), "0800000000000000ff86240f68616c667374657082ec7f0d");
}

TEST(EventFile, HasTheVersionAndTheAppendedEvents) {
  const TemporaryFolder folder;
  EventFile file(folder.path(), 1'700'000'000.5);
  file.append(session_start_event(1.0, 1));
  file.append(scalars_event(2.0, 10, std::vector<EventScalar>{{.tag = "loss", .value = 0.5}}));
  const std::vector<ReadEvent> events = read_event_file(file.path());  // while the file is open
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[0].wall_time, 1'700'000'000.5);
  EXPECT_TRUE(events[1].session_start);
  EXPECT_EQ(events[1].step, 1);
  EXPECT_EQ(events[2].step, 10);
  EXPECT_EQ(events[2].scalars, (std::map<std::string, float>{{"loss", 0.5F}}));
}

TEST(EventFile, NameHasTheTimeAndSortsAfterExistingFiles) {
  const TemporaryFolder folder;
  const EventFile first(folder.path(), 1'700'000'000.9);
  EXPECT_EQ(first.path().filename().string().rfind("events.out.tfevents.1700000000.", 0), 0u);
  const EventFile same_second(folder.path(), 1'700'000'000.95);
  const EventFile clock_set_back(folder.path(), 1'600'000'000.0);
  const EventFile later(folder.path(), 1'800'000'000.0);
  write_file(folder / "events.out.tfevents.99999999999999999999.host.1.0", "no time");
  const EventFile last(folder.path(), 1'800'000'000.0);
  std::vector<std::filesystem::path> files = event_files(folder.path());
  files.pop_back();
  EXPECT_EQ(files,
            (std::vector<std::filesystem::path>{first.path(), same_second.path(),
                                                clock_set_back.path(), later.path(), last.path()}));
}

TEST(EventFile, TruncatedFileIsReadToItsLastWholeRecord) {
  const TemporaryFolder folder;
  EventFile file(folder.path(), 1.0);
  file.append(scalars_event(2.0, 10, std::vector<EventScalar>{{.tag = "loss", .value = 0.5}}));
  const std::string whole = read_file(file.path());
  const size_t first = event_record(version_event(1.0)).size();
  for (size_t length = 0; length <= whole.size(); ++length) {
    const size_t expected = length == whole.size() ? 2 : length >= first ? 1 : 0;
    EXPECT_EQ(read_records(std::string_view(whole).substr(0, length)).size(), expected) << length;
  }
}

TEST(EventFile, FailureToCreateIsAnIoErrorWithItsName) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { EventFile(folder / "absent", 1.0); }, "absent/events.out.tfevents.");
}

}  // namespace
}  // namespace halfstep::io
