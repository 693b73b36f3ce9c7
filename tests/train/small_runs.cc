#include "tests/train/small_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "tests/model/small_models.h"
#include "tests/parallel/run_ranks.h"

namespace halfstep::test {
namespace {

ModelSpec small_spec() {
  ModelSpec spec;
  UNetOptions options = tiny_unet();
  options.num_classes = 2;
  spec.network = options;
  spec.has_null_class = true;
  return spec;
}

void set_inpainting(ModelSpec& spec) {
  spec.condition = {.kind = ImageCondition::Kind::inpainting};
  unet(spec).condition_ch = 2;
}

UpdateOptions small_update() {
  UpdateOptions options;
  options.batch = 4;
  options.lr = 1e-3;
  options.label_dropout = 0.25;
  options.seed = 5;
  options.precision = PrecisionChoice::fp32;
  options.checkpoint_every = {.count = 2, .unit = 0};
  options.log_every = 2;
  return options;
}

}  // namespace

std::shared_ptr<data::RawDataset> small_dataset(int64_t size, uint64_t seed) {
  data::DatasetInfo info{
      .name = "shades", .format = "test", .channels = 1, .height = 8, .width = 8, .num_classes = 2};
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < size; ++i) {
    labels.push_back(static_cast<int32_t>(i % 2));
    const auto shade = uniform_int(
        {.seed = seed, .purpose = Purpose::noise, .index = static_cast<uint64_t>(i)}, 100);
    for (uint64_t y = 0; y < 8; ++y) {
      for (uint64_t x = 0; x < 8; ++x) {
        pixels.push_back(static_cast<uint8_t>(shade + 20 * (i % 2 == 0 ? x : y)));
      }
    }
  }
  data::RawPart images{.count = size, .read_at = data::in_memory(std::move(pixels))};
  return std::make_shared<data::RawDataset>(info, std::vector{images}, data::PixelOrder::planes,
                                            labels, data::DatasetOptions{});
}

RunOptions small_training() {
  RunOptions options;
  options.kind = RunKind::train;
  options.data = "folder/shades.npy";
  options.model = small_spec();
  unet(options.model).dropout = 0.2;
  options.update = small_update();
  options.update.warmup = 3;
  options.update.weight_decay = 0.01;
  options.update.ema_decay = 0.9;
  options.train.updates = 8;
  return options;
}

RunOptions small_distillation() {
  RunOptions options;
  options.kind = RunKind::distill;
  options.data = "folder/shades.npy";
  options.model = small_spec();
  options.update = small_update();
  options.update.anneal = true;
  options.distill = {.start_steps = 8, .end_steps = 2, .updates_per_stage = 4, .last_updates = 6};
  return options;
}

RunOptions small_conversion() {
  RunOptions options = small_distillation();
  options.distill.student_output = options.model.output = Output::v;
  options.distill.convert_updates = 3;
  return options;
}

RunOptions small_guidance() {
  RunOptions options = small_distillation();
  options.distill.guidance = {.min = 3.0, .max = 3.0};
  options.distill.guide_updates = 3;
  return options;
}

RunOptions small_guidance_range() {
  RunOptions options = small_guidance();
  options.distill.guidance = {.min = 1.0, .max = 5.0};
  return options;
}

RunOptions small_refinement() {
  RunOptions options = small_distillation();
  options.distill.method = DistillMethod::direct;
  start_from(options, small_init().spec(), "hash");
  return options;
}

RunOptions small_matching() {
  RunOptions options = small_refinement();
  options.distill.method = DistillMethod::moment_matching;
  options.distill.match_updates = 26;
  return options;
}

RunOptions small_chain() {
  RunOptions options = small_distillation();
  options.distill.match_updates = 24;
  return options;
}

RunOptions small_inpainting() {
  RunOptions options = small_training();
  set_inpainting(options.model);
  return options;
}

RunOptions small_inpainting_chain() {
  RunOptions options = small_chain();
  set_inpainting(options.model);
  return options;
}

Model small_inpainter() {
  ModelSpec spec = small_spec();
  set_inpainting(spec);
  return {spec, random_unet(unet(spec), 32)};
}

Model small_init() {
  ModelSpec spec = small_spec();
  spec.sampling.num_steps = 2;
  return {spec, random_unet(unet(spec), 31)};
}

Model small_teacher() {
  const ModelSpec spec = small_spec();
  return {spec, random_unet(unet(spec), 30)};
}

RunDirectory start_run(const std::filesystem::path& outdir, const RunOptions& options) {
  RunDirectory directory = RunDirectory::create(outdir, options);
  if (options.kind == RunKind::train) return directory;
  const Model teacher = options.model.condition.is_on() ? small_inpainter() : small_teacher();
  teacher.save(directory.teacher_path());
  if (options.init_sha256) small_init().save(directory.init_path());
  record_models(directory);
  return directory;
}

void record_models(const RunDirectory& directory) {
  RunOptions options = directory.options();
  if (options.kind == RunKind::distill)
    options.model.origin.teacher_sha256 = io::sha256_hex_of_file(directory.teacher_path());
  if (options.init_sha256) options.init_sha256 = io::sha256_hex_of_file(directory.init_path());
  directory.write_options(options);
}

void Recorder::on_update(const UpdateRecord& record) {
  records.push_back(record);
  if (stop_at == records.size()) stop = true;
  if (kill_at == records.size()) throw Killed();
}

void Recorder::on_stage_end(const std::filesystem::path& folder, const Model& model) {
  folders.push_back(folder);
  finished_steps.push_back(model.spec().sampling.num_steps);
}

bool Recorder::received(std::string_view part) const {
  return std::any_of(messages.begin(), messages.end(), [&](const std::string& message) {
    return message.find(part) != std::string::npos;
  });
}

Outcome run(const RunDirectory& directory, Recorder& recorder,
            std::shared_ptr<const data::Dataset> dataset, const c10::Device& device) {
  parallel::SingleProcess alone;
  return execute(alone, directory, std::move(dataset), device, recorder, recorder.stop);
}

std::vector<std::string> run_by(int processes, const RunDirectory& directory,
                                std::shared_ptr<const data::Dataset> dataset,
                                const c10::Device& device) {
  std::vector<std::string> failures(static_cast<size_t>(processes));
  run_ranks(processes, [&](parallel::ProcessGroup& group) {
    const std::atomic<bool> stop = false;
    try {
      if (group.is_rank_zero()) {
        TrainObserver observer;
        execute(group, directory, dataset, device, observer, stop);
      } else {
        take_part(group, directory.options(), dataset, device, stop);
      }
    } catch (const Error& error) {
      failures[static_cast<size_t>(group.rank())] = error.what();
    }
  });
  return failures;
}

void expect_two_processes_equal_one(const std::filesystem::path& folder, RunOptions options,
                                    const std::string& model, const c10::Device& device) {
  options.update.microbatch = options.update.batch / 2;
  const RunDirectory one = start_run(folder / "one", options);
  Recorder recorder;
  run(one, recorder, small_dataset(), device);
  options.update.microbatch = 0;
  const RunDirectory two = start_run(folder / "two", options);
  EXPECT_EQ(run_by(2, two, small_dataset(), device), std::vector<std::string>(2));
  EXPECT_TRUE(same_parameters(Model::load(one.path() / model).network(),
                              Model::load(two.path() / model).network()));
}

std::vector<nlohmann::json> stats_of(const RunDirectory& directory) {
  std::ifstream file(directory.path() / "stats.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("images_per_second");
    lines.back().erase("seconds");
    if (lines.back().contains("evaluation")) lines.back()["evaluation"].erase("seconds");
  }
  return lines;
}

void expect_same_end(const RunDirectory& a, const RunDirectory& b) {
  for (const Stage& stage : a.options().stages()) {
    const auto file_of = [&](const RunDirectory& run) {
      return model_file_at(run.stage_folder(stage)).value_or("");
    };
    ASSERT_TRUE(std::filesystem::exists(file_of(a))) << file_of(a);
    ASSERT_TRUE(std::filesystem::exists(file_of(b))) << file_of(b);
    EXPECT_EQ(io::read_bytes(file_of(a)), io::read_bytes(file_of(b))) << stage.num_steps;
  }
  EXPECT_EQ(stats_of(a), stats_of(b));
}

}  // namespace halfstep::test
