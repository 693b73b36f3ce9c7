// A model: a network and everything needed to sample from it.
#ifndef HALFSTEP_MODEL_MODEL_H_
#define HALFSTEP_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

struct Model {
  ModelSpec spec;
  std::unique_ptr<Network> network;
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
