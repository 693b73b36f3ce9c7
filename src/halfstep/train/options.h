// All settings of a run, as stored in options.json. Flag, JSON key and field have the same name.
#ifndef HALFSTEP_TRAIN_OPTIONS_H_
#define HALFSTEP_TRAIN_OPTIONS_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/checkpoint/checkpoint_every.h"
#include "halfstep/core/enum_names.h"
#include "halfstep/model/model.h"
#include "halfstep/train/distill_options.h"
#include "halfstep/train/stage.h"
#include "halfstep/train/update_options.h"

namespace halfstep {

// Settings of training from data, which is a single stage.
struct TrainOptions {
  int64_t updates = 100'000;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("updates", self.updates, "Number of updates (optimizer steps)");
  }
};

enum class RunKind { train, distill };

template <>
struct EnumNames<RunKind> {
  static constexpr auto kNames = std::to_array<std::pair<RunKind, std::string_view>>(
      {{RunKind::train, "train"}, {RunKind::distill, "distill"}});
};

inline constexpr int64_t kMostThreads = 1024;

struct RunOptions {
  RunKind kind = RunKind::train;
  std::filesystem::path data;
  // Images are cropped and resized to this size, in pixels; none: the size of the data set.
  std::optional<int64_t> image_size = std::nullopt;
  // Broken images are left out (data::DatasetOptions::skip_broken).
  bool skip_broken = false;
  // CPU threads. Sums depend on their number, so a resumed run uses the same number.
  std::optional<int64_t> threads = std::nullopt;
  UpdateOptions update;
  TrainOptions train;      // kind train
  DistillOptions distill;  // kind distill
  // With update.evaluate_every: the feature network of the evaluations, and its SHA-256.
  std::filesystem::path features = {};
  std::string features_sha256 = {};
  // SHA-256 of the model that training, or the student of a direct distillation, starts from; none:
  // training starts from fresh weights, and students start from those of the teacher.
  std::optional<std::string> init_sha256 = std::nullopt;
  // The model that is trained. In a distillation its spec is that of the teacher, except for
  // student_output.
  ModelSpec model;

  // Returns the stages of the run, in order. Throws ConfigError as training_stage and
  // distillation_stages do.
  std::vector<Stage> stages() const;
};

// Throws ConfigError, which names the field, for an invalid value.
void validate(const RunOptions& options);

// Multiplies all numbers of updates by `factor`, which is above 0; each stays at least 1.
void scale_updates(TrainOptions& options, double factor);
void scale_updates(DistillOptions& options, double factor);

// Returns the options of the same run with another number of updates, at least the `done` updates
// already made. Throws ConfigError unless the run trains at a constant learning rate: an annealed
// rate depends on the number of updates.
RunOptions with_updates(RunOptions options, int64_t updates, int64_t done);

// Convert to and from the contents of options.json. `where` names the source in errors.
nlohmann::json to_json(const RunOptions& options);
RunOptions run_options_from_json(const nlohmann::json& value, std::string_view where);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OPTIONS_H_
