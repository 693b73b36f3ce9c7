// A model: a network and everything that is needed to sample from it.
//
//   const Model model = Model::load("stage-0004");             // throws halfstep::Error
//   const Samples samples = generate(model, {0, 1, 2, 3});     // generate.h
#ifndef HALFSTEP_MODEL_MODEL_H_
#define HALFSTEP_MODEL_MODEL_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/conditioning/image_condition.h"
#include "halfstep/core/precision.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/network_options.h"

namespace halfstep {

// Where a model comes from. For people and `halfstep info`; nothing depends on it.
struct Origin {
  std::string data;              // name of the data set
  std::string data_fingerprint;  // its hash
  std::string teacher_sha256;    // hash of the teacher's file; empty for a model trained from data
  std::string init_sha256;       // hash of the file given as --init; empty if there was none
  int64_t updates = 0;           // updates of this stage
  int64_t batch = 0;             // examples per update
  uint64_t seed = 0;
  std::string version;  // version of halfstep

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("data", self.data, "name of the data set");
    visit("data_fingerprint", self.data_fingerprint, "hash of the data set");
    visit("teacher_sha256", self.teacher_sha256, "hash of the teacher's file");
    visit("init_sha256", self.init_sha256, "hash of the file that training started from");
    visit("updates", self.updates, "updates of this stage");
    visit("batch", self.batch, "examples per update");
    visit("seed", self.seed, "seed of the run, an unsigned integer");
    visit("version", self.version, "version of halfstep");
  }
};

// How a model must be sampled.
struct Sampling {
  int64_t num_steps = 0;  // N that the model was distilled for; 0: a teacher, which takes any N
  Sampler sampler = Sampler::ddim;
  double variance = 1.0;  // of the ancestral sampler: 0 = small, 1 = large (sample.h)
  // Bounds of the guidance weight w (guidance.h); none: any. Both are w in a model that was
  // distilled from a teacher guided with w alone.
  std::optional<double> guidance_min = std::nullopt;
  std::optional<double> guidance_max = std::nullopt;

  // Whether the model was distilled for a number of steps, and takes no other.
  bool is_distilled() const { return num_steps != 0; }

  // Returns the guidance weight that is part of the model's own weights, which must not be guided
  // twice; none if there is no such.
  std::optional<double> fixed_guidance() const {
    return guidance_min == guidance_max ? guidance_min : std::nullopt;
  }

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("num_steps", self.num_steps, "steps it was distilled for; 0: any");
    visit("sampler", self.sampler, "the sampler it was made for");
    visit("variance", self.variance, "variance of the ancestral sampler, a number in [0, 1]");
    visit("guidance_min", self.guidance_min, "least guidance weight, a number or null");
    visit("guidance_max", self.guidance_max, "largest guidance weight, a number or null");
  }
};

struct ModelSpec {
  ScheduleOptions schedule = CosineSchedule{};
  Output output = Output::v;
  NetworkOptions network;
  // The model was trained with label dropout, so that it samples without a class (and without what
  // is known of the image) and with guidance.
  bool has_null_class = false;
  std::vector<std::string> class_names;  // one per class, or empty
  // What the images are restored from, where that is the model's task.
  ImageCondition condition;
  Sampling sampling;
  Origin origin;
};

// Makes a network of ExternalOptions for a spec: code that only the caller has. Its parameters are
// overwritten by those of a file; they must have the names and shapes that the file has.
using NetworkFactory = std::function<std::unique_ptr<Network>(const ModelSpec& spec)>;

// Where a model is loaded to and what it computes in.
struct LoadOptions {
  at::Device device = at::kCPU;
  PrecisionChoice precision = PrecisionChoice::automatic;
  NetworkFactory factory = {};  // called for an external network, which cannot be loaded without
};

// An immutable handle to a spec and a network. Copying it copies a pointer, and copies share the
// network. All of its functions may be called from several threads at the same time, on the same
// handle or on copies of it.
class Model {
 public:
  // Reads a model file, or the model file in a folder (model_file.h). Throws
  //   IoError      if there is no such file;
  //   FormatError  if the file is not a halfstep model, if a tensor is missing, superfluous, of the
  //                wrong shape or not finite, or if TorchScript code does not match its spec;
  //   ConfigError  if the network cannot compute in `options.precision`, or is external and
  //                options.factory is empty.
  static Model load(const std::filesystem::path& path, const LoadOptions& options = {});

  // Takes ownership of a network that matches `spec`, and makes it compute in `precision`. Throws
  // ConfigError if it cannot, or if `network` is null.
  Model(ModelSpec spec, std::unique_ptr<Network> network, Precision precision = Precision::fp32);

  const ModelSpec& spec() const;

  // The network. To train it or to change its weights, take a copy: network().clone().
  const Network& network() const;

  // The device of the network's parameters.
  at::Device device() const;

  Precision precision() const;

  // Returns this model on `device`, computing in `precision`: itself if nothing differs, otherwise
  // a handle to a copy of the network. Throws ConfigError if the network cannot compute in
  // `precision`.
  Model on(const at::Device& device, Precision precision) const;

  // Writes the model file `path` atomically. The same model gives the same bytes, whatever its
  // device and precision. Throws IoError.
  void save(const std::filesystem::path& path) const;

 private:
  friend RawOutput raw_output(const Model& model);

  struct State;
  std::shared_ptr<const State> state_;
};

// Throws ConfigError if the spec contradicts itself.
void validate(const ModelSpec& spec);

// Makes the network of the spec; an external one by `factory`. Its parameters are uninitialized:
// call initialize() or copy_parameters. Throws ConfigError for TorchScript networks, which are read
// from files (model_file.h), and for external networks without a factory.
std::unique_ptr<Network> make_network(const ModelSpec& spec, const NetworkFactory& factory = {});

// Returns the network as a function, without dropout; guided() takes it. The network must outlive
// it.
RawOutput raw_output(const Network& network);

// Returns the model's network as a function, which a device runs as a graph where it can. The model
// must outlive it.
RawOutput raw_output(const Model& model);

// Returns the network as a denoiser, without dropout or guidance. The network must outlive it.
Denoiser make_denoiser(const Network& network, Output output);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_MODEL_H_
