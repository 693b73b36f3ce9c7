// What the commands share: each adds itself to the program and runs when it was chosen.
#ifndef HALFSTEP_CLI_COMMAND_H_
#define HALFSTEP_CLI_COMMAND_H_

#include <c10/core/Device.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "halfstep/parallel/process_group.h"
#include "halfstep/train/config.h"

namespace halfstep::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kInterrupted = 130;

// Returns the exit code.
using Action = std::function<int()>;

// Each registers a subcommand that sets `action` when it is the one given.
void add_train(CLI::App& program, Action& action);
void add_distill(CLI::App& program, Action& action);
void add_resume(CLI::App& program, Action& action);
void add_sample(CLI::App& program, Action& action);
void add_evaluate(CLI::App& program, Action& action);
void add_convert(CLI::App& program, Action& action);
void add_data(CLI::App& program, Action& action);
void add_info(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);

// What a data set may be, for the flags that take one.
inline constexpr const char* kDataHelp =
    "data set: IDX (MNIST family), CIFAR-10 binary, folder or zip of images, LMDB (LSUN), "
    "ImageNet .npz batches or .npy";

// --device and --threads, which all commands that compute take.
struct ComputeFlags {
  std::string device = "cpu";
  std::optional<int64_t> threads;

  void add_to(CLI::App& command);
  // Sets the number of threads and returns the device. Throws ConfigError for one that is not
  // there.
  c10::Device apply() const;
};

// The processes that a launcher started with this one, of which it is one from now on; by itself
// this one alone. `device` becomes this process's GPU where it is one of several on a host. From
// then on a peer's end is an error to report, not SIGPIPE.
std::unique_ptr<parallel::ProcessGroup> join_processes(c10::Device& device);

// What --config names. It is something the caller wrote: what is wrong in it is wrong usage.
Config config_of(const std::string& name_or_path);

// Set by Ctrl-C and SIGTERM once this was called; a second Ctrl-C ends the program at once.
const std::atomic<bool>& stop_on_interrupt();

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_COMMAND_H_
