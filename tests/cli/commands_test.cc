// What each command writes and prints when it succeeds.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "halfstep/core/version.h"
#include "halfstep/io/image.h"
#include "halfstep/io/json.h"
#include "halfstep/io/npy.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

int64_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST(Program, PrintsItsVersion) {
  const Finished finished = run({"--version"});
  EXPECT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.out, std::string(version()) + "\n");
}

TEST(Program, HelpListsEveryCommandButNotTheirFlags) {
  const Finished finished = run({"--help"});
  EXPECT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.err, "");
  for (const char* command : {"train", "distill", "resume", "sample", "evaluate", "report", "info",
                              "convert", "data", "bench", "serve"}) {
    EXPECT_NE(finished.out.find("\n  " + std::string(command) + " "), std::string::npos) << command;
  }
  EXPECT_NE(finished.out.find("halfstep help COMMAND"), std::string::npos);
  EXPECT_EQ(finished.out.find("--config"), std::string::npos);
  EXPECT_LT(lines_of(finished.out), 30);
}

TEST(Program, HelpOfACommandListsItsFlagsAndNoOthers) {
  const std::map<std::string, std::vector<const char*>> words_of_commands = {
      {"train",
       {"--config", "--data", "--outdir", "--updates", "--batch", "--microbatch", "--lr", "--seed",
        "--precision", "--weighting", "--dry-run", "--grid-images", "--device", "--threads",
        "[default: 0.0005]"}},
      {"distill",
       {"--teacher", "--start-steps", "--end-steps", "--updates-per-stage", "--last-updates"}},
      {"sample",
       {"--model", "--seeds", "--noise", "--steps", "--sampler", "--variance", "--class",
        "--guidance", "--no-clip", "--npz", "--grid", "--force-steps", "dpmpp-2m"}},
      {"bench", {"--only", "--runs", "--json"}},
      {"report", {"--evaluation", "RUN"}},
      {"data", {"--from", "--to", "--split"}}};
  for (const auto& [command, words] : words_of_commands) {
    const Finished finished = run({command, "--help"});
    EXPECT_TRUE(succeeds(finished));
    EXPECT_NE(finished.out.find("Usage: halfstep " + command), std::string::npos) << finished.out;
    for (const char* word : words)
      EXPECT_NE(finished.out.find(word), std::string::npos) << command << " " << word;
  }
  EXPECT_EQ(run({"sample", "--help"}).out.find("--teacher"), std::string::npos);
}

TEST(Train, WritesAModelSamplesSettingsStatisticsAndALog) {
  const Workspace workspace;
  const Finished finished = run(workspace.train(workspace / "runs"));
  ASSERT_TRUE(succeeds(finished));
  const fs::path folder = only_run(workspace / "runs");
  EXPECT_EQ(folder.filename(), "00000-dots-train");
  EXPECT_EQ(finished.out, (folder / "model.safetensors").string() + "\n")
      << "stdout has results only";
  EXPECT_NE(finished.err.find("update 1/12, loss"), std::string::npos) << finished.err;

  const io::Image samples = io::read_image(folder / "samples.png");
  EXPECT_GE(samples.width, 8 * Workspace::kSide);
  const nlohmann::json options = io::read_json(folder / "options.json");
  EXPECT_EQ(options["update"]["batch"], 8);
  EXPECT_EQ(options["train"]["updates"], 12);
  EXPECT_EQ(options["threads"], 1);
  EXPECT_EQ(options["model"]["network"]["image_size"], Workspace::kSide);
  EXPECT_NE(text_of(folder / "log.txt").find("stage training finished after 12 updates"),
            std::string::npos);

  std::istringstream stats(text_of(folder / "stats.jsonl"));
  std::string line;
  int64_t update = 0;
  while (std::getline(stats, line)) {
    const nlohmann::json record = io::parse_json(line, "stats.jsonl");
    EXPECT_EQ(record["update"], ++update);
    EXPECT_GT(record["loss"], 0.0);
  }
  EXPECT_EQ(update, 12);
}

TEST(Distill, HalvesFromEightStepsToTwoInOneCommand) {
  const Workspace workspace;
  const Finished finished = run(workspace.distill(workspace / "runs"));
  ASSERT_TRUE(succeeds(finished));
  const fs::path folder = only_run(workspace / "runs");
  EXPECT_EQ(folder.filename(), "00000-dots-distill-8to2");
  EXPECT_EQ(finished.out, (folder / "stage-0002" / "model.safetensors").string() + "\n");
  for (const char* file :
       {"stage-0004/model.safetensors", "stage-0004/samples.png", "stage-0002/model.safetensors",
        "stage-0002/samples.png", "options.json", "stats.jsonl", "log.txt"}) {
    EXPECT_TRUE(fs::is_regular_file(folder / file)) << file;
  }
  EXPECT_EQ(text_of(folder / "teacher.safetensors"), text_of(Workspace::teacher())) << "a copy";
  EXPECT_NE(finished.err.find("8 -> 4 steps (1/2)"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("4 -> 2 steps (2/2)"), std::string::npos) << finished.err;
  EXPECT_FALSE(same_weights(folder / "stage-0004" / "model.safetensors",
                            folder / "stage-0002" / "model.safetensors"));

  // its model samples with its own number of steps, and with another only if forced
  const Arguments sample = {"sample", "--model",           folder / "stage-0002", "--seeds", "0-3",
                            "--npz",  workspace / "a.npz", "--threads",           "1"};
  EXPECT_TRUE(succeeds(run(sample)));
  EXPECT_TRUE(refuses(run(sample + Arguments{"--steps", "3"}), 2, {"steps", "2", "3", "force"}));
  EXPECT_TRUE(succeeds(run(sample + Arguments{"--steps", "3", "--force-steps"})));
  EXPECT_TRUE(refuses(run({"distill", "--teacher", folder / "stage-0002", "--data",
                           workspace.data(), "--outdir", workspace / "more", "--start-steps", "8"}),
                      2, {"--start-steps", "2", "8"}));

  const Finished info = run({"info", folder});
  EXPECT_TRUE(succeeds(info));
  EXPECT_NE(info.out.find("12 of 12 saved"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("stage-0004/model.safetensors"), std::string::npos) << info.out;
}

TEST(Distill, DirectTrainsOneStudentOnAllStepsOfTheTeacher) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "halved"))));
  const fs::path student = only_run(workspace / "halved") / "stage-0002" / "model.safetensors";
  const Arguments more = {"--method", "direct", "--init", student};
  const Finished finished = run(workspace.distill(workspace / "runs", more));
  ASSERT_TRUE(succeeds(finished));
  const fs::path folder = only_run(workspace / "runs");
  EXPECT_NE(finished.err.find("8 -> 2 steps: update"), std::string::npos) << finished.err;
  EXPECT_FALSE(fs::exists(folder / "stage-0004"));
  EXPECT_EQ(text_of(folder / "teacher.safetensors"), text_of(Workspace::teacher()));
  EXPECT_EQ(text_of(folder / "init.safetensors"), text_of(student)) << "a copy";
  EXPECT_FALSE(same_weights(folder / "stage-0002" / "model.safetensors", student));

  ASSERT_TRUE(succeeds(run({"report", folder})));
  EXPECT_NE(text_of(folder / "report.html").find("directly"), std::string::npos);
  const Finished dry = run(workspace.distill(workspace / "runs", more + Arguments{"--dry-run"}));
  EXPECT_NE(dry.out.find("8 -> 2 steps: 6 updates"), std::string::npos) << dry.out;
  EXPECT_TRUE(
      refuses(run(workspace.distill(workspace / "runs", more + Arguments{"--student-output", "x"})),
              2, {"--student-output", "the student exists already", "x"}));
}

TEST(Sample, WritesArraysAGridAndAFilePerSeed) {
  const Workspace workspace;
  const Finished finished = run(Workspace::sample(
      workspace / "a.npz", {"--grid", workspace / "grid.png", "--outdir", workspace / "images"}));
  ASSERT_TRUE(succeeds(finished));
  EXPECT_EQ(lines_of(finished.out), 3) << "stdout has the paths only: " << finished.out;

  const std::map<std::string, io::Array> arrays = io::read_npz(workspace / "a.npz");
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays.at("arr_0").dtype, io::DType::u8);
  EXPECT_EQ(arrays.at("arr_0").shape,
            (std::vector<int64_t>{8, Workspace::kSide, Workspace::kSide, 1}));
  EXPECT_EQ(arrays.at("arr_1").shape, std::vector<int64_t>{8});

  const std::span<const uint8_t> pixels = arrays.at("arr_0").as<uint8_t>();
  const size_t size = Workspace::kSide * Workspace::kSide;
  for (size_t seed = 0; seed < 8; ++seed) {
    const io::Image image =
        io::read_image(workspace / ("images/00000" + std::to_string(seed) + ".png"));
    EXPECT_TRUE(std::ranges::equal(image.pixels, pixels.subspan(seed * size, size))) << seed;
  }
  const io::Image grid = io::read_image(workspace / "grid.png");
  EXPECT_GE(grid.width * grid.height, static_cast<int>(8 * size));
}

TEST(Sample, ComparesWithOtherImagesOfTheSameSeeds) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "a.npz"))));
  const Finished finished =
      run({"sample", "--model", Workspace::teacher(), "--seeds", "0-7", "--steps", "8", "--threads",
           "1", "--compare", workspace / "a.npz"});
  EXPECT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.out.rfind("psnr ", 0), 0u) << finished.out;
  EXPECT_NE(finished.out.find(" dB against"), std::string::npos) << finished.out;
  const Finished fewer = run({"sample", "--model", Workspace::teacher(), "--seeds", "0-2",
                              "--steps", "8", "--compare", workspace / "a.npz"});
  EXPECT_TRUE(refuses(fewer, 1, {"a.npz", "expected 3 images of [1, 4, 4]", "received 8"}));
}

TEST(Sample, ClassGuidanceAndSamplersChangeTheImages) {
  const Workspace workspace;
  std::map<std::vector<std::byte>, std::string> seen;
  for (const Arguments& more :
       {Arguments{}, Arguments{"--class", "1"}, Arguments{"--class", "none"},
        Arguments{"--class", "1", "--guidance", "3"}, Arguments{"--sampler", "ancestral"},
        Arguments{"--sampler", "ancestral", "--variance", "small"}, Arguments{"--sampler", "heun"},
        Arguments{"--sampler", "dpmpp-2m"}}) {
    ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "a.npz", more))));
    const std::string name = more.empty() ? "default" : more[0] + " " + more[1] + "...";
    const auto [same, fresh] =
        seen.emplace(io::read_npz(workspace / "a.npz").at("arr_0").bytes, name);
    EXPECT_TRUE(fresh) << name << " gives the same images as " << same->second;
  }
}

TEST(Info, DescribesModelsDataAndSamples) {
  const Workspace workspace;
  const Finished model = run({"info", Workspace::teacher()});
  EXPECT_TRUE(succeeds(model));
  for (const char* word :
       {"1 x 4 x 4", "3 and the null class", "any (a teacher)", "133601", "cosine"}) {
    EXPECT_NE(model.out.find(word), std::string::npos) << word << " in " << model.out;
  }
  const Finished data = run({"info", workspace.data()});
  EXPECT_TRUE(succeeds(data));
  for (const char* word : {"dots", "npy", "64 of 1 x 4 x 4", "classes     3"}) {
    EXPECT_NE(data.out.find(word), std::string::npos) << word << " in " << data.out;
  }
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "samples.npz"))));
  const Finished samples = run({"info", workspace / "samples.npz"});
  EXPECT_TRUE(succeeds(samples));
  EXPECT_NE(samples.out.find("arr_0       u8 [8, 4, 4, 1]"), std::string::npos) << samples.out;
  EXPECT_EQ(model.err + data.err + samples.err, "");
}

TEST(Data, PacksADataSetIntoAZipThatReadsBack) {
  const Workspace workspace;
  const fs::path zip = workspace / "dots.zip";
  const Finished packed = run({"data", "--from", workspace.data(), "--to", zip});
  EXPECT_TRUE(succeeds(packed));
  EXPECT_EQ(packed.out, zip.string() + "\n");
  EXPECT_NE(packed.err.find("packed: 64/64 images"), std::string::npos) << packed.err;
  const Finished info = run({"info", zip});
  for (const char* word : {"image-zip", "64 of 1 x 4 x 4", "classes     3"})
    EXPECT_NE(info.out.find(word), std::string::npos) << word << " in " << info.out;
  const fs::path small = workspace / "small.zip";
  ASSERT_TRUE(succeeds(run({"data", "--from", zip, "--to", small, "--image-size", "2"})));
  EXPECT_NE(run({"info", small}).out.find("64 of 1 x 2 x 2"), std::string::npos);
}

TEST(DryRun, PrintsTheWorkAheadAndWritesNothing) {
  const Workspace workspace;
  const fs::path outdir = workspace / "runs";
  for (const Arguments& arguments :
       {workspace.train(outdir, {"--dry-run"}), workspace.distill(outdir, {"--dry-run"})}) {
    const Finished finished = run(arguments);
    EXPECT_TRUE(succeeds(finished));
    for (const char* word : {"\"batch\": 8", "133601", "64 images", "memory", "12 updates",
                             "disk        about", "time        about"}) {
      EXPECT_NE(finished.out.find(word), std::string::npos) << word << " in " << finished.out;
    }
    EXPECT_FALSE(fs::exists(outdir));
  }
}

TEST(Budget, FitsTheUpdatesToATime) {
  const Workspace workspace;
  const fs::path outdir = workspace / "runs";
  // An update takes milliseconds, so that a minute holds more than the 12 updates of the settings.
  const Finished finished = run(workspace.train(outdir, {"--dry-run", "--budget", "1m"}));
  EXPECT_TRUE(succeeds(finished));
  EXPECT_NE(finished.err.find("budget: all updates would take about"), std::string::npos);
  EXPECT_EQ(finished.out.find("training: 12 updates"), std::string::npos) << finished.out;
  EXPECT_TRUE(refuses(run(workspace.train(outdir, {"--budget", "500"})), 2,
                      {"[--budget]", "30m", "\"500\""}));
  // One second is too short for most: every stage keeps at least one update.
  EXPECT_TRUE(succeeds(run(workspace.distill(outdir, {"--budget", "1s", "--dry-run"}))));
}

TEST(Runs, AreNumbered) {
  const Workspace workspace;
  const fs::path outdir = workspace / "runs";
  fs::create_directories(outdir / "00041-other");
  ASSERT_TRUE(
      succeeds(run(workspace.distill(outdir, {"--updates-per-stage", "1", "--end-steps", "4"}))));
  EXPECT_TRUE(fs::exists(outdir / "00042-dots-distill-8to4" / "stage-0004" / "model.safetensors"));
}

}  // namespace
}  // namespace halfstep::cli
