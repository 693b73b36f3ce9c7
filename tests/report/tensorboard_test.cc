#include "halfstep/report/tensorboard.h"

#include <gtest/gtest.h>

#include <vector>

#include "halfstep/io/file.h"
#include "halfstep/io/image.h"
#include "tests/io/event_reader.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"

namespace halfstep::report {
namespace {

StatsLine line_of(int64_t num_steps, int64_t update, int64_t total_updates) {
  return {.num_steps = num_steps,
          .update = update,
          .total_updates = total_updates,
          .loss = 0.25,
          .grad_norm = 2.0,
          .lr = 0.125,
          .images_per_second = 64.0};
}

std::vector<io::ReadEvent> all_events(const std::filesystem::path& folder) {
  std::vector<io::ReadEvent> events;
  for (const auto& file : io::event_files(folder)) {
    for (const io::ReadEvent& event : io::read_event_file(file)) events.push_back(event);
  }
  return events;
}

TEST(TensorBoardEvents, ALineGivesOnePointPerScalarAtTheUpdateOfTheRun) {
  const io::TemporaryFolder folder;
  TensorBoardEvents events;
  events.on_begin(folder.path(), 0);
  events.on_stats(line_of(16, 10, 10));
  events.on_stats(line_of(8, 3, 33));
  const std::vector<io::ReadEvent> read = all_events(folder.path());
  ASSERT_EQ(read.size(), 4u);  // version, start, two lines
  EXPECT_TRUE(read[1].session_start);
  EXPECT_EQ(read[1].step, 1);
  EXPECT_EQ(read[2].step, 10);
  EXPECT_EQ(read[3].step, 33);
  EXPECT_EQ(read[3].scalars, (std::map<std::string, float>{{"loss", 0.25F},
                                                           {"grad_norm", 2.0F},
                                                           {"lr", 0.125F},
                                                           {"images_per_second", 64.0F},
                                                           {"num_steps", 8.0F}}));
}

TEST(TensorBoardEvents, AnEvaluationIsNamedAfterItsDistance) {
  const io::TemporaryFolder folder;
  TensorBoardEvents events;
  events.on_begin(folder.path(), 0);
  StatsLine line = line_of(0, 10, 10);
  line.quality = {.distance_name = "FD-X",
                  .distance = 0.5,
                  .pixel_mean = 70.0,
                  .pixel_deviation = 90.0,
                  .data_mean = 72.0,
                  .data_deviation = 91.0};
  events.on_stats(line);
  line.quality->distance.reset();
  events.on_stats(line);
  const std::vector<io::ReadEvent> read = all_events(folder.path());
  std::map<std::string, float> expected = {{"loss", 0.25F},
                                           {"grad_norm", 2.0F},
                                           {"lr", 0.125F},
                                           {"images_per_second", 64.0F},
                                           {"evaluation/pixel_mean", 70.0F},
                                           {"evaluation/pixel_deviation", 90.0F},
                                           {"evaluation/data_mean", 72.0F},
                                           {"evaluation/data_deviation", 91.0F}};
  EXPECT_EQ(read[3].scalars, expected) << "no point without a distance";
  expected["evaluation/FD-X"] = 0.5F;
  EXPECT_EQ(read[2].scalars, expected);
}

TEST(TensorBoardEvents, NullValuesHaveNoPointAndTrainingHasNoNumSteps) {
  const io::TemporaryFolder folder;
  TensorBoardEvents events;
  events.on_begin(folder.path(), 0);
  StatsLine line = line_of(0, 10, 10);
  line.loss.reset();
  line.grad_norm.reset();
  events.on_stats(line);
  EXPECT_EQ(all_events(folder.path()).back().scalars,
            (std::map<std::string, float>{{"lr", 0.125F}, {"images_per_second", 64.0F}}));
}

TEST(TensorBoardEvents, TheImageOfAStageIsItsFileAtTheEndOfTheStage) {
  const io::TemporaryFolder folder;
  const io::TemporaryFolder stage;
  io::write_png(stage / "samples.png",
                {.width = 3, .height = 2, .channels = 1, .pixels = {0, 1, 2, 3, 4, 5}});
  TensorBoardEvents events;
  events.on_begin(folder.path(), 0);
  events.on_stats(line_of(4, 20, 20));
  events.on_stage_end(stage.path(), test::small_model());
  const io::ReadEvent last = all_events(folder.path()).back();
  EXPECT_EQ(last.step, 20);
  const io::ReadImage& image = last.images.at("samples");
  EXPECT_EQ(image.width, 3u);
  EXPECT_EQ(image.height, 2u);
  EXPECT_EQ(image.colorspace, 1u);
  EXPECT_EQ(image.png, io::read_file(stage / "samples.png"));
}

TEST(TensorBoardEvents, TheImageOfASnapshotIsAtItsUpdateOfTheRun) {
  const io::TemporaryFolder folder;
  const io::TemporaryFolder snapshot;
  io::write_png(snapshot / "samples.png", {.width = 1, .height = 1, .channels = 1, .pixels = {9}});
  TensorBoardEvents events;
  events.on_begin(folder.path(), 0);
  events.on_snapshot(snapshot.path(), test::small_model(), 7);
  const io::ReadEvent last = all_events(folder.path()).back();
  EXPECT_EQ(last.step, 7);
  EXPECT_EQ(last.images.at("samples").png, io::read_file(snapshot / "samples.png"));
}

TEST(TensorBoardEvents, TheFileOfAResumedRunStartsAfterTheSavedUpdate) {
  const io::TemporaryFolder folder;
  {
    TensorBoardEvents killed;
    killed.on_begin(folder.path(), 0);
    killed.on_stats(line_of(0, 10, 10));
    killed.on_stats(line_of(0, 20, 20));
  }
  TensorBoardEvents resumed;
  resumed.on_begin(folder.path(), 15);
  EXPECT_EQ(io::event_files(folder.path()).size(), 1u) << "no file before the first event";
  resumed.on_stats(line_of(0, 20, 20));
  const std::vector<std::filesystem::path> files = io::event_files(folder.path());
  ASSERT_EQ(files.size(), 2u);
  const std::vector<io::ReadEvent> events = io::read_event_file(files[1]);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_TRUE(events[1].session_start);
  EXPECT_EQ(events[1].step, 16);
  EXPECT_EQ(events[2].step, 20);
}

TEST(TensorBoardEvents, ResumingAFinishedRunAddsNothing) {
  const io::TemporaryFolder folder;
  io::write_png(folder / "samples.png", {.width = 1, .height = 1, .channels = 1, .pixels = {7}});
  TensorBoardEvents events;
  events.on_begin(folder.path(), 20);
  events.on_stage_end(folder.path(), test::small_model());
  EXPECT_TRUE(io::event_files(folder.path()).empty());
}

}  // namespace
}  // namespace halfstep::report
