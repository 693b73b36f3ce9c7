// The embeddings of time and guidance weight as ONNX operators.
#ifndef HALFSTEP_CONVERT_ONNX_TIME_H_
#define HALFSTEP_CONVERT_ONNX_TIME_H_

#include "halfstep/convert/onnx_graph.h"
#include "halfstep/model/model.h"

namespace halfstep {

// Returns the time embedding [B, ch] of the log-SNR [B], computed in float32. Throws ConfigError
// for TorchScript networks.
OnnxValue onnx_time_embedding(OnnxGraph& graph, const ModelSpec& spec, const OnnxValue& logsnr);

// Returns guidance_embedding (nn/time_embedding.h) of the weights [B]: [B, ch]. Its argument grows
// to thousands, so it is computed in float64.
OnnxValue onnx_guidance_embedding(OnnxGraph& graph, const OnnxValue& w, int64_t ch);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_ONNX_TIME_H_
