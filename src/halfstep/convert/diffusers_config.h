// Reading and writing the JSON files of a diffusers folder. Internal; see diffusers.h.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_CONFIG_H_
#define HALFSTEP_CONVERT_DIFFUSERS_CONFIG_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/model/model.h"
#include "halfstep/nn/unet2d_options.h"

namespace halfstep {

// The oldest version of diffusers that can load an exported folder.
inline constexpr const char* kDiffusersVersion = "0.18.0";

// Throws FormatError: "[where] key: expected ..., received ...".
[[noreturn]] void fail_key(std::string_view where, const std::string& key,
                           const std::string& expected, const nlohmann::json& received);

// Converts unet/config.json. `notes` receives a sentence about keys that were passed over. Throws
// FormatError that names what UNet2dOptions cannot express.
UNet2dOptions unet2d_options_of(const nlohmann::json& config, std::string_view where,
                                std::vector<std::string>& notes);
nlohmann::json unet_config_of(const UNet2dOptions& options);

// The parts of scheduler/scheduler_config.json that a model needs.
struct DiffusersScheduler {
  int64_t timesteps = 1000;
  ScheduleOptions schedule;
  Output output = Output::eps;
  std::vector<std::string> notes;  // what halfstep's samplers do differently, one sentence each
};

// Reads the noise and the prediction type of any scheduler that has betas. Throws FormatError that
// names what no schedule expresses.
DiffusersScheduler scheduler_of(const nlohmann::json& config, std::string_view where);

// Returns the scheduler that takes the same steps as halfstep's sampler if N divides `timesteps`:
// a DDIMScheduler, or a DDPMScheduler with the small variance for the ancestral sampler; trailing
// timesteps, the last step to x itself, no clipping.
nlohmann::json scheduler_config_of(const ScheduleOptions& schedule, Output output,
                                   int64_t timesteps, Sampler sampler);

inline constexpr const char* kModelIndex = "model_index.json";

// The key of model_index.json under which a folder that halfstep wrote has what the files of
// diffusers have no place for; pipeline.py receives it.
inline constexpr const char* kExtraKey = "halfstep";

struct DiffusersExtra {
  int64_t version = 1;
  Sampling sampling;
  bool has_null_class = false;
  std::vector<std::string> class_names;
  // The network was trained with the angle, like those of the official code: pipeline.py gives it
  // that instead of the timestep, which is a rounded form.
  bool time_is_angle = false;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "1");
    Sampling::for_each_field(self.sampling, visit);
    visit("has_null_class", self.has_null_class,
          "true or false: the last class embedding is the null label's");
    visit("class_names", self.class_names, "an array of strings");
    visit("time_is_angle", self.time_is_angle, "true or false");
  }
};

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_CONFIG_H_
