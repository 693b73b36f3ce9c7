#include "halfstep/train/sharing.h"

#include <ATen/Functions.h>

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "halfstep/core/error.h"

namespace halfstep {

RunOptions broadcast_options(parallel::ProcessGroup& group, const RunOptions& options) {
  return run_options_from_json(
      nlohmann::json::parse(parallel::broadcast(group, to_json(options).dump())), "rank 0");
}

void require_same_options(parallel::ProcessGroup& group, const RunOptions& options) {
  nlohmann::json settings = to_json(options);
  settings.erase("data");
  settings.erase("threads");
  settings.erase("features");  // their hashes are compared
  parallel::require_same(group, settings);
}

void require_same_everywhere(parallel::ProcessGroup& group, const RunOptions& options,
                             const nlohmann::json& fingerprint) {
  const int64_t batch = options.update.batch;
  if (batch < group.size()) {
    throw ConfigError("batch", "expected at least one example per process, " +
                                   std::to_string(group.size()) + ", received " +
                                   std::to_string(batch));
  }
  nlohmann::json needed;
  for (const char* key : {"libtorch", "halfstep", "data"}) needed[key] = fingerprint.at(key);
  if (options.update.precision == PrecisionChoice::automatic)
    needed["precision"] = fingerprint.at("best_precision");
  parallel::require_same(group, needed);
}

void broadcast(parallel::ProcessGroup& group, Progress& progress) {
  const Tensor counts = at::tensor({progress.stage, progress.update, progress.total_updates,
                                    progress.skipped, progress.quality.evaluated});
  group.broadcast(counts);
  const int64_t* const count = counts.data_ptr<int64_t>();
  progress.stage = count[0];
  progress.update = count[1];
  progress.total_updates = count[2];
  progress.skipped = count[3];
  progress.quality.evaluated = count[4];
}

void broadcast(parallel::ProcessGroup& group, Optimizer& optimizer) {
  if (group.size() == 1) return;
  OptimizerState state = optimizer.state();  // the optimizer's own tensors
  for (const Tensor& values :
       {state.parameters, state.first_moment, state.second_moment, state.ema}) {
    if (values.defined()) group.broadcast(values);
  }
  const Tensor counts = at::tensor({state.updates, state.adam_updates});
  group.broadcast(counts);
  state.updates = counts[0].item<int64_t>();
  state.adam_updates = counts[1].item<int64_t>();
  optimizer.restore(state);
}

std::unique_ptr<Network> broadcast(parallel::ProcessGroup& group, std::unique_ptr<Network> network,
                                   const ModelSpec& spec, const NetworkFactory& factory) {
  if (group.size() == 1) return network;
  if (const auto* options = std::get_if<TorchScriptOptions>(&spec.network)) {
    const auto* code = dynamic_cast<const TorchScriptNetwork*>(network.get());
    const std::string file = parallel::broadcast(
        group, code ? code->contents_with(code->parameters(), /*spec=*/"") : "");
    if (network) return network;
    return std::make_unique<TorchScriptNetwork>(parse_torchscript(file, "rank 0"), *options);
  }
  if (!network) network = make_network(spec, factory);
  const ParameterEditor editor(*network);
  for (const NamedTensor& parameter : editor.parameters()) {
    const Tensor values = parameter.tensor.contiguous();
    group.broadcast(values);
    parameter.tensor.copy_(values);
  }
  return network;
}

}  // namespace halfstep
