// A model: a network and everything that is needed to sample from it.
//
//   const Model model = Model::load("stage-0004");             // throws halfstep::Error
//   const Samples samples = generate(model, {0, 1, 2, 3});     // generate.h
#ifndef HALFSTEP_MODEL_MODEL_H_
#define HALFSTEP_MODEL_MODEL_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/network_options.h"

namespace halfstep {

// Where a model comes from; for people and for `halfstep info`, nothing depends on it.
struct Origin {
  std::string data;              // name of the data set
  std::string data_fingerprint;  // its hash
  std::string teacher_sha256;    // of the teacher's file; empty for a model trained from data
  std::string init_sha256;       // of the file that training began from; empty where none was given
  int64_t updates = 0;           // of this stage
  int64_t batch = 0;             // images an update
  uint64_t seed = 0;
  std::string version;  // of halfstep

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("data", self.data, "name of the data set");
    visit("data_fingerprint", self.data_fingerprint, "hash of the data set");
    visit("teacher_sha256", self.teacher_sha256, "hash of the teacher's file");
    visit("init_sha256", self.init_sha256, "hash of the file that training began from");
    visit("updates", self.updates, "updates of this stage");
    visit("batch", self.batch, "images an update");
    visit("seed", self.seed, "seed of the run, an unsigned integer");
    visit("version", self.version, "version of halfstep");
  }
};

struct ModelSpec {
  ScheduleOptions schedule = CosineSchedule{};
  Output output = Output::v;
  NetworkOptions network;
  bool has_null_class =
      false;  // trained with labels dropped: samples without a class and with guidance
  std::vector<std::string> class_names;  // one a class, or empty
  int64_t num_steps = 0;                 // N that it was distilled for; 0: a teacher, any N
  Origin origin;
};

// Where a model is loaded to and what it computes in.
struct LoadOptions {
  at::Device device = at::kCPU;
  PrecisionChoice precision = PrecisionChoice::automatic;
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
  //   ConfigError  if the network cannot compute in `options.precision`.
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
  struct State;
  std::shared_ptr<const State> state_;
};

// Throws ConfigError for a spec that contradicts itself.
void validate(const ModelSpec& spec);

// The network of the spec. Its parameters are not filled: `initialize` or copy_parameters does.
// Throws ConfigError for TorchScript, which comes in its file (model_file.h).
std::unique_ptr<Network> make_network(const ModelSpec& spec);

// Returns the network as a function, without dropout; guided() takes it. The network must outlive
// it.
RawOutput raw_output(const Network& network);

// Returns the network as a denoiser, without dropout or guidance. The network must outlive it.
Denoiser make_denoiser(const Network& network, Output output);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_MODEL_H_
