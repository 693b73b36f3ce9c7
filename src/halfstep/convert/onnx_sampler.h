// The sampling loop as ONNX operators.
#ifndef HALFSTEP_CONVERT_ONNX_SAMPLER_H_
#define HALFSTEP_CONVERT_ONNX_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "halfstep/convert/onnx_graph.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/sample.h"

namespace halfstep {

struct OnnxSampler {
  Output output = Output::v;
  std::vector<double> grid;  // as sampling_grid returns it
  SampleOptions options;     // ddim or ancestral
  // Returns the raw output at z and angle phi. `scope` is a prefix of the names of its nodes.
  std::function<OnnxValue(const OnnxValue& z, double phi, const std::string& scope)> raw;
  OnnxValue step_noise;  // [N - 1, B, C, H, W] for the ancestral sampler, or empty
};

// Returns x at the end of the steps from `noise`, as sample() does.
OnnxValue onnx_sample(OnnxGraph& graph, const OnnxSampler& sampler, const OnnxValue& noise);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_ONNX_SAMPLER_H_
