#include "cli/command.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <algorithm>
#include <csignal>

#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/parallel/c10d_group.h"
#include "halfstep/train/builtin_configs.h"

namespace halfstep::cli {
namespace {

// Throws ConfigError unless this machine has the GPU.
void require_gpu(const c10::Device& device) {
  const auto count = static_cast<int64_t>(torch::cuda::device_count());
  if (std::max<int64_t>(device.index(), 0) < count) return;
  throw ConfigError(
      "--device", (count == 0 ? "expected cpu, since LibTorch finds no CUDA device"
                              : "expected cpu or one of the GPUs of this machine, cuda:0 to cuda:" +
                                    std::to_string(count - 1)) +
                      (", received " + device.str()));
}

}  // namespace

std::vector<std::string> names_of_configs() {
  std::vector<std::string> names;
  for (const BuiltinConfig& config : builtin_configs()) names.emplace_back(config.name);
  return names;
}

std::string config_help() {
  std::string names;
  for (const std::string& name : names_of_configs()) names += (names.empty() ? "" : ", ") + name;
  return "Built-in configuration (" + names + ") or JSON file";
}

void ComputeFlags::add_to(CLI::App& command) {
  command.option_defaults()->group(kComputeGroup);
  offer(add_value(command, "--device", device, "cpu, cuda or cuda:K")->type_name("DEVICE"),
        {"cpu", "cuda"});
  add_value(command, "--threads", threads,
            "CPU threads (default: OMP_NUM_THREADS, or one per core)");
}

c10::Device ComputeFlags::apply() const {
  if (threads) {
    if (*threads < 1 || *threads > kMostThreads) {
      throw ConfigError("--threads", "expected 1 to " + std::to_string(kMostThreads) +
                                         ", received " + std::to_string(*threads));
    }
    at::set_num_threads(static_cast<int>(*threads));
  }
  std::optional<c10::Device> parsed;
  try {
    parsed = c10::Device(device);
  } catch (const c10::Error&) {
    parsed.reset();
  }
  if (!parsed || !(parsed->is_cpu() || parsed->is_cuda())) {
    throw ConfigError("--device", "expected cpu, cuda or cuda:K, received " + device);
  }
  if (parsed->is_cuda()) {
    require_gpu(*parsed);
    // Each convolution is computed by the algorithm that is the fastest in its first call.
    at::globalContext().setBenchmarkCuDNN(true);
  }
  return *parsed;
}

std::unique_ptr<parallel::ProcessGroup> join_processes(c10::Device& device) {
  const parallel::LaunchEnvironment launch = parallel::launch_environment();
  if (device.is_cuda() && !device.has_index() && launch.size > 1) {
    device.set_index(static_cast<c10::DeviceIndex>(launch.local_rank));
    require_gpu(device);
  }
  if (launch.size > 1) std::signal(SIGPIPE, SIG_IGN);
  return parallel::join(launch, device);
}

Config config_of(const std::string& name_or_path) {
  try {
    return load_config(name_or_path);
  } catch (const FormatError& error) {
    throw ConfigError(error.where(), error.text());
  } catch (const ConfigError& error) {
    throw ConfigError("--config", error.text());
  }
}

}  // namespace halfstep::cli
