// What all commands share. Each add_NAME registers a command of the program.
#ifndef HALFSTEP_CLI_COMMAND_H_
#define HALFSTEP_CLI_COMMAND_H_

#include <c10/core/Device.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/parallel/process_group.h"
#include "halfstep/train/config.h"

namespace halfstep::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kInterrupted = 130;

// Runs the chosen command and returns the exit code.
using Action = std::function<int()>;

// Each registers one command, which sets `action` if it is the one given.
void add_train(CLI::App& program, Action& action);
void add_distill(CLI::App& program, Action& action);
void add_resume(CLI::App& program, Action& action);
void add_sample(CLI::App& program, Action& action);
void add_evaluate(CLI::App& program, Action& action);
void add_convert(CLI::App& program, Action& action);
void add_data(CLI::App& program, Action& action);
void add_info(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_serve(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_config(CLI::App& program, Action& action);
// After all others, whose names they take.
void add_help(CLI::App& program, Action& action);
void add_completion(CLI::App& program, Action& action);

// Help of flags that several commands have.
inline constexpr const char* kDataHelp =
    "Data set: MNIST-style IDX, CIFAR-10 binary, folder or zip of images, LMDB (LSUN), "
    "downsampled ImageNet (.npz) or a .npy array";
inline constexpr const char* kModelHelp =
    "model.safetensors, model.pt, the folder of either, a run (its newest model) or a diffusers "
    "folder";
inline constexpr const char* kSkipBrokenHelp =
    "Leave out images that cannot be decoded; all of them are decoded once to find these";
inline constexpr const char* kImageSizeHelp =
    "Crop each image to a square and resize it to this size in pixels";
inline constexpr const char* kPrecisionHelp = "Precision of the network: ";  // and its names

std::string config_help();  // lists the built-in configurations
std::vector<std::string> names_of_configs();

// --device and --threads, for all commands that compute.
struct ComputeFlags {
  std::string device = "cpu";
  std::optional<int64_t> threads;

  void add_to(CLI::App& command);
  // Sets the number of threads and returns the device. Throws ConfigError if the device does not
  // exist here. For a GPU, it has cuDNN choose each convolution's algorithm by timing.
  c10::Device apply() const;
};

// Joins the processes that a launcher such as torchrun started together with this one; without a
// launcher, the group is this process alone. If several processes share a host, `device` becomes
// the GPU of this one. From then on writing to a peer that ended is an error and not SIGPIPE.
std::unique_ptr<parallel::ProcessGroup> join_processes(c10::Device& device);

// Returns the configuration that --config names. Throws ConfigError, not FormatError, if the file
// is invalid: the user wrote it, so it counts as wrong usage.
Config config_of(const std::string& name_or_path);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_COMMAND_H_
