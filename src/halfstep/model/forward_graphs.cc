#include "halfstep/model/forward_graphs.h"

#include <ATen/core/grad_mode.h>

#include <utility>

namespace halfstep {

Tensor ForwardGraphs::operator()(const Tensor& z, const Tensor& phi, const Condition& condition) {
  if (z.device().is_cpu() || at::GradMode::is_enabled() || !network_.is_capturable())
    return network_.forward(z, phi, condition);
  Condition at_fixed = condition;
  std::vector<Tensor*> parts;
  for (Tensor* part : {&at_fixed.labels, &at_fixed.guidance})
    if (part->defined()) parts.push_back(part);
  for (auto& [name, tensor] : at_fixed.tensors) parts.push_back(&tensor);
  std::vector<Tensor> inputs = {z, phi.to(z.device())};
  for (const Tensor* part : parts) inputs.push_back(part->to(z.device()));
  std::unique_ptr<DeviceGraph> graph = take();
  const std::vector<Tensor> outputs =
      graph->run(inputs, [&](const std::vector<Tensor>& fixed) -> std::vector<Tensor> {
        for (size_t i = 0; i < parts.size(); ++i) *parts[i] = fixed[2 + i];
        return {network_.forward(fixed[0], fixed[1], at_fixed)};
      });
  give_back(std::move(graph));
  return outputs.front();
}

std::unique_ptr<DeviceGraph> ForwardGraphs::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<DeviceGraph>(/*capturable=*/true);
  std::unique_ptr<DeviceGraph> graph = std::move(idle_.back());
  idle_.pop_back();
  return graph;
}

void ForwardGraphs::give_back(std::unique_ptr<DeviceGraph> graph) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(graph));
}

}  // namespace halfstep
