// How runs are executed and planned on behalf of Python.
#ifndef HALFSTEP_PYTHON_BINDINGS_EXECUTION_H_
#define HALFSTEP_PYTHON_BINDINGS_EXECUTION_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "halfstep/parallel/process_group.h"
#include "halfstep/train/distill.h"
#include "halfstep/train/forecast.h"
#include "python/bindings/bindings.h"

namespace halfstep::python {

// What all runs are told besides their options. The Python files document it.
struct RunArguments {
  std::filesystem::path outdir;
  at::Device device = at::kCPU;
  std::optional<int64_t> threads;
  std::optional<std::filesystem::path> features;
  int64_t grid_images = 0;
  std::optional<std::string> budget;
  bool dry_run = false;
  std::string command;
  bool handles_signals = false;  // the caller is the main thread
  py::object observer;           // of the class Observer of halfstep/_events.py
  // Makes the module of an external network, for resume(); None where there is none.
  py::object make = py::none();
};

// Sets LibTorch's number of threads, if one is given, and restores it.
class ThreadsGuard {
 public:
  // Throws ConfigError for an impossible number.
  explicit ThreadsGuard(const std::optional<int64_t>& threads);
  ~ThreadsGuard();
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  const int threads_;
};

struct Processes {
  at::Device device;
  std::unique_ptr<parallel::ProcessGroup> group;
};

// Joins the processes that a launcher such as torchrun started together with this one.
Processes join_processes(at::Device device);

// Calls `run`, one of train(), distill() and resume(), with an evaluator of `features`.
RunResult execute(const RunArguments& arguments, const Processes& processes,
                  const std::optional<std::filesystem::path>& features,
                  const std::function<RunResult(const RunSettings&)>& run);

// What a run will need: the answer to dry_run.
struct Plan {
  std::string options;  // as JSON
  Forecast forecast;
};

// Plans a run of these options instead of executing it.
Plan plan(const RunArguments& arguments, const Processes& processes, RunOptions options,
          const Network& network, const data::Dataset& dataset);

// Returns by which factor the updates of a run of these options must be multiplied for its budget,
// and tells the observer; 1 without a budget.
double budget_factor(const RunArguments& arguments, const Processes& processes,
                     const RunOptions& options, const Network& network,
                     const data::Dataset& dataset);

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_EXECUTION_H_
