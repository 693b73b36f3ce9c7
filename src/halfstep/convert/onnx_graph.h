// Building an ONNX model (github.com/onnx/onnx/blob/main/docs/IR.md): IR version 8, opset 17.
#ifndef HALFSTEP_CONVERT_ONNX_GRAPH_H_
#define HALFSTEP_CONVERT_ONNX_GRAPH_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/io/protobuf.h"

namespace halfstep {

// A tensor of the graph, by its name; empty for an optional input that is left out.
using OnnxValue = std::string;

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, double, std::string, std::vector<int64_t>> value;  // double: as float
};

// The batch in the shape of an input or output. Other negative sizes have no name.
inline constexpr int64_t kOnnxBatch = -1;

// A graph of operators. Its inputs, initializers, nodes and outputs are written in the order in
// which they were added. Errors in the use of operators are found by onnx.checker, not here.
class OnnxGraph {
 public:
  // Adds an input or output of the graph: float32 or int64. Sizes may be kOnnxBatch.
  OnnxValue input(const std::string& name, at::ScalarType type, const std::vector<int64_t>& shape);
  void output(const std::string& name, const OnnxValue& value, const std::vector<int64_t>& shape);

  // Returns an initializer: float32, float64 or int64. The first call with a name adds it, later
  // ones ignore the tensor.
  OnnxValue initializer(const std::string& name, const Tensor& tensor);

  // Return initializers that are named after their values.
  OnnxValue scalar(double value);                          // float32 []
  OnnxValue integers(const std::vector<int64_t>& values);  // int64 [values]

  // Adds a node and returns its output, or its outputs.
  OnnxValue node(const std::string& type, const std::vector<OnnxValue>& inputs,
                 const std::vector<OnnxAttribute>& attributes = {});
  std::vector<OnnxValue> nodes(const std::string& type, const std::vector<OnnxValue>& inputs,
                               const std::vector<OnnxAttribute>& attributes, size_t outputs);

  // Common nodes. The sizes of reshape are those of the operator: 0 keeps a size, -1 infers one.
  OnnxValue add(const OnnxValue& a, const OnnxValue& b) { return node("Add", {a, b}); }
  OnnxValue mul(const OnnxValue& a, const OnnxValue& b) { return node("Mul", {a, b}); }
  OnnxValue scaled(const OnnxValue& a, double factor) { return mul(a, scalar(factor)); }
  OnnxValue reshape(const OnnxValue& x, const std::vector<int64_t>& shape) {
    return node("Reshape", {x, integers(shape)});
  }
  OnnxValue concat(const std::vector<OnnxValue>& values, int64_t axis) {
    return node("Concat", values, {{"axis", axis}});
  }

  // Sets the prefix of the names of later nodes, such as "step_4/mid.block_1".
  void set_scope(std::string scope) { scope_ = std::move(scope); }

  // Writes the model atomically. Throws ConfigError if it would be 2 GiB or larger, IoError if the
  // file cannot be written.
  void write(const std::filesystem::path& path, const std::string& name,
             const std::map<std::string, std::string>& metadata) const;

 private:
  io::ProtoMessage graph_message(const std::string& name) const;

  std::string scope_;
  int64_t count_ = 0;  // of nodes
  std::vector<io::ProtoMessage> nodes_;
  std::map<std::string, Tensor> tensors_;
  std::vector<std::string> initializers_;  // keys of tensors_
  std::vector<io::ProtoMessage> inputs_;
  std::vector<io::ProtoMessage> outputs_;
};

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_ONNX_GRAPH_H_
