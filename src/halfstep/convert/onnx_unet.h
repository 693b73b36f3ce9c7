// U-Nets as ONNX operators.
#ifndef HALFSTEP_CONVERT_ONNX_UNET_H_
#define HALFSTEP_CONVERT_ONNX_UNET_H_

#include <map>
#include <string>

#include "halfstep/convert/onnx_graph.h"
#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {

// Adds calls of one U-Net to a graph. All calls share its weights. The graph, the plan and the
// network must outlive this object.
class OnnxUNet {
 public:
  OnnxUNet(OnnxGraph& graph, const UNetPlan& plan, const Network& network);

  // Return what classes [B] and guidance embeddings [B, guidance_ch] add to the embedding in every
  // call: [B, emb_ch] and [B, ch]. Class num_classes is the null class; without one, runtimes
  // refuse it.
  OnnxValue class_rows(const OnnxValue& classes, bool has_null_class);
  OnnxValue guidance_rows(const OnnxValue& embeddings);

  struct Inputs {
    OnnxValue z;         // [B, C, H, W]
    OnnxValue time;      // the time embedding, [1 or B, ch]
    OnnxValue classes;   // class_rows, or empty without classes
    OnnxValue guidance;  // guidance_rows, or empty
  };
  // Returns the raw output. `scope` is a prefix of the names of the nodes, or empty.
  OnnxValue call(const Inputs& inputs, const std::string& scope);

 private:
  class Layers;  // the visitor that adds them

  OnnxValue dense(const OnnxValue& x, const std::string& name);
  Tensor parameter(const std::string& name) const { return parameters_.at(name); }

  OnnxGraph& graph_;
  const UNetPlan& plan_;
  std::map<std::string, Tensor> parameters_;
};

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_ONNX_UNET_H_
