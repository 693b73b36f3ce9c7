#include "halfstep/convert/onnx_graph.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>

#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/file.h"

namespace halfstep {
namespace {

constexpr int64_t kIrVersion = 8;
constexpr int64_t kOpset = 17;

// TensorProto.DataType
int64_t data_type_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return 1;
    case at::kLong:
      return 7;
    case at::kDouble:
      return 11;
    default:
      throw ConfigError("onnx", "tensor: expected float32, float64 or int64, received another");
  }
}

// ValueInfoProto
io::ProtoMessage value_info(const std::string& name, at::ScalarType type,
                            const std::vector<int64_t>& sizes) {
  io::ProtoMessage shape;
  for (const int64_t size : sizes) {
    io::ProtoMessage dimension;
    if (size >= 0) dimension.integer(1, size);
    if (size == kOnnxBatch) dimension.bytes(2, "batch");
    shape.message(1, dimension);
  }
  io::ProtoMessage tensor;
  tensor.integer(1, data_type_of(type));
  tensor.message(2, shape);
  io::ProtoMessage type_message;
  type_message.message(1, tensor);
  io::ProtoMessage info;
  info.bytes(1, name);
  info.message(2, type_message);
  return info;
}

io::ProtoMessage attribute_message(const OnnxAttribute& attribute) {
  enum Type { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };
  io::ProtoMessage message;
  message.bytes(1, attribute.name);
  if (const auto* number = std::get_if<double>(&attribute.value)) {
    message.float32(2, static_cast<float>(*number));
    message.integer(20, kFloat);
  } else if (const auto* integer = std::get_if<int64_t>(&attribute.value)) {
    message.integer(3, *integer);
    message.integer(20, kInt);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    message.bytes(4, *text);
    message.integer(20, kString);
  } else {
    for (const int64_t value : std::get<std::vector<int64_t>>(attribute.value))
      message.integer(8, value);
    message.integer(20, kInts);
  }
  return message;
}

// TensorProto. Its data are a view of the tensor.
io::ProtoMessage tensor_message(const std::string& name, const Tensor& tensor) {
  io::ProtoMessage message;
  for (const int64_t size : tensor.sizes()) message.integer(1, size);
  message.integer(2, data_type_of(tensor.scalar_type()));
  message.bytes(8, name);
  message.view(9, {static_cast<const std::byte*>(tensor.const_data_ptr()),
                   static_cast<size_t>(tensor.nbytes())});
  return message;
}

}  // namespace

OnnxValue OnnxGraph::input(const std::string& name, at::ScalarType type,
                           const std::vector<int64_t>& shape) {
  inputs_.push_back(value_info(name, type, shape));
  return name;
}

void OnnxGraph::output(const std::string& name, const OnnxValue& value,
                       const std::vector<int64_t>& shape) {
  io::ProtoMessage message;
  message.bytes(1, value);
  message.bytes(2, name);
  message.bytes(3, name);
  message.bytes(4, "Identity");
  nodes_.push_back(std::move(message));
  outputs_.push_back(value_info(name, at::kFloat, shape));
}

OnnxValue OnnxGraph::initializer(const std::string& name, const Tensor& tensor) {
  if (tensors_.contains(name)) return name;
  tensors_.emplace(name, tensor.detach().cpu().contiguous());
  initializers_.push_back(name);
  return name;
}

OnnxValue OnnxGraph::scalar(double value) {
  // The text of a float32 identifies it.
  const auto rounded = static_cast<float>(value);
  return initializer("float_" + nlohmann::json(rounded).dump(),
                     at::scalar_tensor(value, at::TensorOptions().dtype(at::kFloat)));
}

OnnxValue OnnxGraph::integers(const std::vector<int64_t>& values) {
  std::string name = "ints";
  for (const int64_t value : values) name += "_" + std::to_string(value);
  return initializer(name, at::tensor(values, at::TensorOptions().dtype(at::kLong)));
}

OnnxValue OnnxGraph::node(const std::string& type, const std::vector<OnnxValue>& inputs,
                          const std::vector<OnnxAttribute>& attributes) {
  return nodes(type, inputs, attributes, 1).front();
}

std::vector<OnnxValue> OnnxGraph::nodes(const std::string& type,
                                        const std::vector<OnnxValue>& inputs,
                                        const std::vector<OnnxAttribute>& attributes,
                                        size_t outputs) {
  const std::string name =
      (scope_.empty() ? "" : scope_ + "/") + type + "_" + std::to_string(count_++);
  std::vector<OnnxValue> values;
  for (size_t i = 0; i < outputs; ++i)
    values.push_back(outputs == 1 ? name : name + "_" + std::to_string(i));
  io::ProtoMessage message;
  for (const OnnxValue& value : inputs) message.bytes(1, value);
  for (const OnnxValue& value : values) message.bytes(2, value);
  message.bytes(3, name);
  message.bytes(4, type);
  for (const OnnxAttribute& attribute : attributes)
    message.message(5, attribute_message(attribute));
  nodes_.push_back(std::move(message));
  return values;
}

io::ProtoMessage OnnxGraph::graph_message(const std::string& name) const {
  io::ProtoMessage graph;
  for (const io::ProtoMessage& node : nodes_) graph.message(1, node);
  graph.bytes(2, name);
  for (const std::string& key : initializers_)
    graph.message(5, tensor_message(key, tensors_.at(key)));
  for (const io::ProtoMessage& input : inputs_) graph.message(11, input);
  for (const io::ProtoMessage& output : outputs_) graph.message(12, output);
  return graph;
}

void OnnxGraph::write(const std::filesystem::path& path, const std::string& name,
                      const std::map<std::string, std::string>& metadata) const {
  io::ProtoMessage opset;
  opset.bytes(1, "");  // the domain of ONNX itself
  opset.integer(2, kOpset);
  io::ProtoMessage model;
  model.integer(1, kIrVersion);
  model.bytes(2, "halfstep");
  model.bytes(3, version());
  model.message(7, graph_message(name));
  model.message(8, opset);
  for (const auto& [key, value] : metadata) {
    io::ProtoMessage entry;
    entry.bytes(1, key);
    entry.bytes(2, value);
    model.message(14, entry);
  }
  if (model.size() > io::kMaxProtoBytes) {
    throw ConfigError("onnx",
                      "model: expected less than 2 GiB, the limit of ONNX files, received " +
                          std::to_string(model.size()) +
                          " bytes; use --to FILE.safetensors or a diffusers folder");
  }
  io::AtomicFile file(path);
  model.for_each_piece([&](std::string_view piece) { file.write(piece); });
  file.commit();
}

}  // namespace halfstep
