#include "halfstep/convert/onnx_time.h"

#include <cmath>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/nn/time_embedding.h"

namespace halfstep {
namespace {

enum class DataType : int64_t { float32 = 1, int64 = 7, float64 = 11 };

OnnxValue cast(OnnxGraph& graph, const OnnxValue& x, DataType type) {
  return graph.node("Cast", {x}, {{"to", static_cast<int64_t>(type)}});
}

// sinusoid (nn/time_embedding.h) of the positions [B, 1], of the type `type`.
OnnxValue onnx_sinusoid(OnnxGraph& graph, const OnnxValue& position, const SinusoidOptions& options,
                        at::ScalarType type) {
  const int64_t half = options.ch / 2;
  const Tensor k = at::arange(half, at::TensorOptions().dtype(at::kDouble));
  const Tensor frequency =
      (k * -std::log(10000.0) / static_cast<double>(half - options.freq_shift)).exp();
  const OnnxValue argument = graph.mul(
      position, graph.initializer(type == at::kDouble ? "guidance_frequencies" : "frequencies",
                                  frequency.unsqueeze(0).to(type)));
  const OnnxValue sine = graph.node("Sin", {argument});
  const OnnxValue cosine = graph.node("Cos", {argument});
  std::vector<OnnxValue> parts = {sine, cosine};
  if (options.cos_first) parts = {cosine, sine};
  if (options.ch % 2 != 0) {  // a column of zeros
    parts.push_back(graph.node("Sub", {position, position}));
  }
  return graph.concat(parts, 1);
}

OnnxValue phi_of(OnnxGraph& graph, const OnnxValue& logsnr) {
  return graph.node("Atan", {graph.node("Exp", {graph.scaled(logsnr, -0.5)})});
}

// Returns 1000 times the time input: [B, 1].
OnnxValue position_of(OnnxGraph& graph, const UNetOptions& options, const OnnxValue& logsnr) {
  const OnnxValue clamped = graph.node("Clip", {logsnr, graph.scalar(-20.0), graph.scalar(20.0)});
  switch (options.time_input) {
    case TimeInput::inv_cos:
      return graph.scaled(phi_of(graph, clamped), 1000.0 / kHalfPi);
    case TimeInput::linear:
      return graph.add(graph.scaled(clamped, 50.0), graph.scalar(500.0));
    case TimeInput::sigmoid:
      return graph.scaled(graph.node("Sigmoid", {clamped}), 1000.0);
  }
  throw ConfigError("onnx", "time_input: expected an enumerator, received another value");
}

// Returns the number of pieces on which phi(t) is linear.
int64_t pieces_of(const ScheduleOptions& options) {
  if (const auto* linear = std::get_if<LinearBetaSchedule>(&options)) return linear->timesteps;
  if (const auto* table = std::get_if<TableSchedule>(&options))
    return static_cast<int64_t>(table->phi.size());
  return 1;
}

// Returns the timestep, max(0, T t(phi) - 1): [B, 1]. phi = nodes[k] + fraction (nodes[k + 1] -
// nodes[k]) with a fraction in [0, 1] is t = (k + fraction) / pieces.
OnnxValue timestep_at(OnnxGraph& graph, const ScheduleOptions& options, int64_t timesteps,
                      const OnnxValue& phi) {
  const Schedule schedule(options);
  const int64_t pieces = pieces_of(options);
  const Tensor times = at::arange(pieces + 1, at::TensorOptions().dtype(at::kDouble));
  const Tensor nodes = schedule.phi(times / static_cast<double>(pieces));
  const Tensor begins = nodes.narrow(0, 0, pieces);
  const Tensor lengths = nodes.narrow(0, 1, pieces) - begins;
  const auto of_nodes = [&](const char* name, const Tensor& values) {
    return graph.initializer(name, values.to(at::kFloat));
  };
  OnnxValue begin = of_nodes("piece_begins", begins);
  OnnxValue length = of_nodes("piece_lengths", lengths);
  OnnxValue piece;
  if (pieces > 1) {
    const OnnxValue inner = of_nodes("piece_bounds", nodes.narrow(0, 1, pieces - 1).unsqueeze(0));
    const OnnxValue passed =
        cast(graph, graph.node("GreaterOrEqual", {phi, inner}), DataType::float32);
    piece = graph.node("ReduceSum", {passed, graph.integers({1})}, {{"keepdims", int64_t{1}}});
    const OnnxValue index = cast(graph, piece, DataType::int64);
    begin = graph.node("Gather", {begin, index});
    length = graph.node("Gather", {length, index});
  }
  OnnxValue fraction = graph.node("Div", {graph.node("Sub", {phi, begin}), length});
  fraction = graph.node("Clip", {fraction, graph.scalar(0.0), graph.scalar(1.0)});
  const OnnxValue time = pieces > 1 ? graph.add(piece, fraction) : fraction;
  const double per_piece = static_cast<double>(timesteps) / static_cast<double>(pieces);
  const OnnxValue step = graph.add(graph.scaled(time, per_piece), graph.scalar(-1.0));
  return graph.node("Max", {step, graph.scalar(0.0)});
}

}  // namespace

OnnxValue onnx_time_embedding(OnnxGraph& graph, const ModelSpec& spec, const OnnxValue& logsnr) {
  graph.set_scope("time");
  const OnnxValue column = graph.reshape(logsnr, {-1, 1});
  if (const auto* unet = std::get_if<UNetOptions>(&spec.network))
    return onnx_sinusoid(graph, position_of(graph, *unet, column), {.ch = unet->ch}, at::kFloat);
  const auto* unet2d = std::get_if<UNet2dOptions>(&spec.network);
  if (!unet2d) throw ConfigError("onnx", "network: expected a U-Net, received another");
  const OnnxValue timestep =
      timestep_at(graph, spec.schedule, unet2d->num_train_timesteps, phi_of(graph, column));
  return onnx_sinusoid(graph, timestep,
                       {.ch = unet2d->block_out_channels.front(),
                        .freq_shift = unet2d->freq_shift,
                        .cos_first = unet2d->flip_sin_to_cos},
                       at::kFloat);
}

OnnxValue onnx_guidance_embedding(OnnxGraph& graph, const OnnxValue& w, int64_t ch) {
  graph.set_scope("guidance");
  const auto wide = [&](const char* name, double value) {
    return graph.initializer(name,
                             at::scalar_tensor(value, at::TensorOptions().dtype(at::kDouble)));
  };
  const OnnxValue column = cast(graph, graph.reshape(w, {-1, 1}), DataType::float64);
  const OnnxValue above = graph.node("Sub", {column, wide("guidance_off", 1.0)});
  const OnnxValue position = graph.mul(above, wide("guidance_factor", 1000.0));
  return cast(graph, onnx_sinusoid(graph, position, {.ch = ch}, at::kDouble), DataType::float32);
}

}  // namespace halfstep
