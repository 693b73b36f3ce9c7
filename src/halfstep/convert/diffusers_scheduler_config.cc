#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "halfstep/convert/diffusers_config.h"
#include "halfstep/core/error.h"
#include "halfstep/diffusion/betas.h"
#include "halfstep/io/fields.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {
namespace {

using nlohmann::json;

enum class PredictionType { epsilon, sample, v_prediction };

enum class BetaSchedule { linear, scaled_linear, squaredcos_cap_v2 };

}  // namespace

template <>
struct EnumNames<PredictionType> {
  static constexpr auto kNames = std::to_array<std::pair<PredictionType, std::string_view>>(
      {{PredictionType::epsilon, "epsilon"},
       {PredictionType::sample, "sample"},
       {PredictionType::v_prediction, "v_prediction"}});
};

template <>
struct EnumNames<BetaSchedule> {
  static constexpr auto kNames = std::to_array<std::pair<BetaSchedule, std::string_view>>(
      {{BetaSchedule::linear, "linear"},
       {BetaSchedule::scaled_linear, "scaled_linear"},
       {BetaSchedule::squaredcos_cap_v2, "squaredcos_cap_v2"}});
};

namespace {

// Schedulers whose defaults are those of SchedulerFields. The files of old ones lack newer keys.
constexpr auto kTraining =
    std::to_array<std::string_view>({"DDPMScheduler", "DDPMParallelScheduler", "DDIMScheduler",
                                     "DDIMParallelScheduler", "DDIMInverseScheduler"});

// Schedulers that people put into a pipeline to sample from it. Their betas and prediction type are
// those of training; how they sample does not concern the model. LCMScheduler and TCDScheduler are
// not among them: they are for consistency models.
constexpr auto kSampling = std::to_array<std::string_view>(
    {"DEISMultistepScheduler", "DPMSolverMultistepInverseScheduler", "DPMSolverMultistepScheduler",
     "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler", "EulerAncestralDiscreteScheduler",
     "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
     "KDPM2DiscreteScheduler", "LMSDiscreteScheduler", "PNDMScheduler", "SASolverScheduler",
     "UniPCMultistepScheduler"});

// Keys that change what the network was trained for, and the value that does not.
const std::vector<std::pair<const char*, json>>& fixed_keys() {
  static const std::vector<std::pair<const char*, json>> kFixed = {{"use_flow_sigmas", false},
                                                                   {"timestep_type", "discrete"}};
  return kFixed;
}

// Names and defaults are those of diffusers. Its other keys only concern its samplers.
struct SchedulerFields {
  int64_t num_train_timesteps = 1000;
  double beta_start = 1e-4;
  double beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::linear;
  std::optional<std::vector<double>> trained_betas;
  PredictionType prediction_type = PredictionType::epsilon;
  bool rescale_betas_zero_snr = false;
  bool clip_sample = true;
  double clip_sample_range = 1.0;
  bool thresholding = false;
  bool set_alpha_to_one = true;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("num_train_timesteps", self.num_train_timesteps, "a number of timesteps");
    visit("beta_start", self.beta_start, "a number in (0, 1)");
    visit("beta_end", self.beta_end, "a number in (0, 1)");
    visit("beta_schedule", self.beta_schedule, "linear, scaled_linear or squaredcos_cap_v2");
    visit("trained_betas", self.trained_betas, "an array of numbers, or null");
    visit("prediction_type", self.prediction_type, "epsilon, sample or v_prediction");
    visit("rescale_betas_zero_snr", self.rescale_betas_zero_snr, "true or false");
    visit("clip_sample", self.clip_sample, "true or false");
    visit("clip_sample_range", self.clip_sample_range, "a number");
    visit("thresholding", self.thresholding, "true or false");
    visit("set_alpha_to_one", self.set_alpha_to_one, "true or false");
  }
};

bool contains(std::span<const std::string_view> names, const json& name) {
  return name.is_string() &&
         std::ranges::find(names, name.get_ref<const std::string&>()) != names.end();
}

// Returns whether the scheduler is one that people train with. Throws FormatError if it is neither
// that nor a sampler of the same kind of model.
bool is_of_training(const json& config, std::string_view where) {
  const json name = config.value("_class_name", json());
  if (contains(kTraining, name)) return true;
  if (!contains(kSampling, name)) {
    fail_key(
        where, "_class_name",
        "one that halfstep knows, such as DDPMScheduler or DDIMScheduler; save the pipeline with "
        "that of its training",
        name);
  }
  for (const auto& [key, value] : fixed_keys()) {
    if (config.value(key, value) != value)
      fail_key(where, key, value.dump() + " (DDPM's noise, at timesteps 0 to T - 1)", config[key]);
  }
  return false;
}

// Some samplers have betas of their own as defaults, and diffusers writes these when such a sampler
// replaces a scheduler of training that has the usual defaults. Throws FormatError if the betas may
// be those.
void require_betas_of_training(const json& config, std::string_view where) {
  constexpr double kFirst = 0.00085;
  constexpr double kLast = 0.012;
  const std::string advice =
      "; save the pipeline with the DDPMScheduler or DDIMScheduler that it was trained with";
  const bool table = !config.value("trained_betas", json()).is_null();
  const json schedule = config.value("beta_schedule", json());
  const json first = config.value("beta_start", json());
  const json last = config.value("beta_end", json());
  if (!table && (schedule.is_null() || first.is_null() || last.is_null())) {
    throw FormatError(where,
                      "expected beta_start, beta_end and beta_schedule, received not all" + advice);
  }
  if (!table && schedule == "linear" && (first == kFirst || last == kLast)) {
    throw FormatError(where, "beta_start and beta_end: expected those of training, received " +
                                 first.dump() + " and " + last.dump() +
                                 ", which diffusers writes when " +
                                 config["_class_name"].get<std::string>() +
                                 " replaces another scheduler" + advice);
  }
}

// Replaces what diffusers called the prediction type before 0.9, and what one scheduler calls it.
void rename_prediction_type(json& known, const json& config, std::string_view where) {
  const json predict_epsilon = config.value("predict_epsilon", json());
  if (predict_epsilon.is_boolean()) {
    const json type = predict_epsilon.get<bool>() ? "epsilon" : "sample";
    if (known.value("prediction_type", type) != type)
      fail_key(where, "prediction_type", type.dump() + " as predict_epsilon says",
               known["prediction_type"]);
    known["prediction_type"] = type;
  }
  if (known.value("prediction_type", json()) == "original_sample")
    known["prediction_type"] = "sample";
}

SchedulerFields scheduler_fields(const json& config, std::string_view where) {
  SchedulerFields fields;
  json known = json::object();
  SchedulerFields::for_each_field(fields, [&](const char* name, const auto&, const char*) {
    const auto found = config.find(name);
    if (found != config.end()) known[name] = *found;
  });
  rename_prediction_type(known, config, where);
  io::fields_from_json(known, fields, where);
  const int64_t timesteps = fields.num_train_timesteps;
  if (timesteps < 2 || timesteps > kMostTimesteps)
    fail_key(where, "num_train_timesteps", "2 to " + std::to_string(kMostTimesteps), timesteps);
  if (fields.trained_betas && static_cast<int64_t>(fields.trained_betas->size()) != timesteps) {
    fail_key(where, "trained_betas", std::to_string(timesteps) + " of them",
             fields.trained_betas->size());
  }
  return fields;
}

std::vector<double> betas_of(const SchedulerFields& fields) {
  if (fields.trained_betas) return *fields.trained_betas;
  const int64_t timesteps = fields.num_train_timesteps;
  switch (fields.beta_schedule) {
    case BetaSchedule::linear:
      break;
    case BetaSchedule::scaled_linear:
      return scaled_linear_betas(timesteps, fields.beta_start, fields.beta_end);
    case BetaSchedule::squaredcos_cap_v2:
      return squared_cosine_betas(timesteps);
  }
  return linear_betas(timesteps, fields.beta_start, fields.beta_end);
}

ScheduleOptions schedule_of(const SchedulerFields& fields) {
  const bool linear = !fields.trained_betas && fields.beta_schedule == BetaSchedule::linear;
  if (linear && !fields.rescale_betas_zero_snr) {
    return LinearBetaSchedule{.timesteps = fields.num_train_timesteps,
                              .beta_first = fields.beta_start,
                              .beta_last = fields.beta_end};
  }
  std::vector<double> phi = phi_of_betas(betas_of(fields));
  if (fields.rescale_betas_zero_snr) phi = with_zero_terminal_snr(phi);
  return TableSchedule{.phi = std::move(phi)};
}

std::vector<std::string> notes_of(const SchedulerFields& fields) {
  std::vector<std::string> notes;
  if (!fields.set_alpha_to_one)
    notes.push_back("set_alpha_to_one false is not kept: the last step goes to x itself");
  if (fields.thresholding)
    notes.push_back("thresholding is not kept: predictions of x are clipped to [-1, 1]");
  if (!fields.clip_sample && !fields.thresholding)
    notes.push_back("clip_sample false is not kept: sample with --no-clip");
  if (fields.clip_sample && fields.clip_sample_range != 1.0)
    notes.push_back("clip_sample_range is not kept: predictions of x are clipped to [-1, 1]");
  return notes;
}

Output output_of(PredictionType type) {
  switch (type) {
    case PredictionType::epsilon:
      break;
    case PredictionType::sample:
      return Output::x;
    case PredictionType::v_prediction:
      return Output::v;
  }
  return Output::eps;
}

const char* prediction_type_of(Output output) {
  switch (output) {
    case Output::x:
      return "sample";
    case Output::eps:
      return "epsilon";
    case Output::v:
      return "v_prediction";
    case Output::x_and_eps:
      break;
  }
  throw ConfigError("diffusers", "output: expected x, eps or v, received x_and_eps");
}

// Returns the betas at t = (k + 1) / timesteps, rounded to float32, in which diffusers computes: so
// they do not change when they are read back.
std::vector<double> float32_betas(const Schedule& schedule, int64_t timesteps) {
  std::vector<double> phi;
  for (int64_t k = 1; k <= timesteps; ++k)
    phi.push_back(schedule.phi(static_cast<double>(k) / static_cast<double>(timesteps)));
  std::vector<double> betas = betas_of_phi(phi);
  for (double& beta : betas) beta = static_cast<double>(static_cast<float>(beta));
  return betas;
}

}  // namespace

DiffusersScheduler scheduler_of(const json& config, std::string_view where) {
  if (!config.is_object())
    throw FormatError(where, "expected a JSON object, received " + config.dump());
  const bool of_training = is_of_training(config, where);
  if (!of_training) require_betas_of_training(config, where);
  const SchedulerFields fields = scheduler_fields(config, where);
  DiffusersScheduler scheduler{.timesteps = fields.num_train_timesteps,
                               .schedule = schedule_of(fields),
                               .output = output_of(fields.prediction_type),
                               .notes = {}};
  if (of_training) {
    scheduler.notes = notes_of(fields);
  } else {
    scheduler.notes.push_back(config["_class_name"].get<std::string>() +
                              " is not kept: halfstep has samplers of its own (sample --sampler)");
  }
  return scheduler;
}

json scheduler_config_of(const ScheduleOptions& schedule, Output output, int64_t timesteps,
                         Sampler sampler) {
  const bool noisy = sampler == Sampler::ancestral;
  json config = {{"_class_name", noisy ? "DDPMScheduler" : "DDIMScheduler"},
                 {"_diffusers_version", kDiffusersVersion},
                 {"num_train_timesteps", timesteps},
                 {"trained_betas", nullptr},
                 {"prediction_type", prediction_type_of(output)},
                 {"timestep_spacing", "trailing"},
                 {"steps_offset", 0},
                 {"clip_sample", false},
                 {"thresholding", false},
                 {"rescale_betas_zero_snr", false}};
  config[noisy ? "variance_type" : "set_alpha_to_one"] = noisy ? json("fixed_small") : json(true);
  const auto* linear = std::get_if<LinearBetaSchedule>(&schedule);
  if (linear != nullptr && linear->timesteps == timesteps) {
    config["beta_schedule"] = "linear";
    config["beta_start"] = linear->beta_first;
    config["beta_end"] = linear->beta_last;
  } else {
    config["trained_betas"] = float32_betas(Schedule(schedule), timesteps);
  }
  return config;
}

}  // namespace halfstep
