// Work that a device runs as one graph: hundreds of small operators with one launch.
#ifndef HALFSTEP_DEVICE_DEVICE_GRAPH_H_
#define HALFSTEP_DEVICE_DEVICE_GRAPH_H_

#include <ATen/core/GraphImplInterface.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/device/side_stream.h"

namespace halfstep {

// Returns whether a device can run graphs and the environment variable HALFSTEP_GRAPHS is not 0.
bool runs_graphs(const at::Device& device);

// Runs one function of tensors repeatedly. For each shape of its inputs, the first kWarmUps calls
// run operator by operator, in which the device's libraries choose their algorithms and allocate
// what they keep; the next call captures the operators as a graph, and later calls replay that with
// one launch. Where there is no graph, every call runs the operators: on a device without graphs,
// such as the CPU, for a function that could not be captured, and for further shapes after the
// first kMostShapes, since each graph has memory of its own.
//
// The function must do the same work in every call:
//   - Everything that differs between calls is in `inputs`, which have no gradient. A number of the
//     host becomes a constant of the graph.
//   - Other tensors that it reads or changes, such as weights and gradients, stay where they are.
//   - It neither copies between host and device nor reads a result on the host.
//
// Not thread-safe.
class DeviceGraph {
 public:
  static constexpr int64_t kWarmUps = 2;
  static constexpr size_t kMostShapes = 8;

  using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

  // With `capturable` false, every call runs the operators.
  explicit DeviceGraph(bool capturable) : capturable_(capturable) {}
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;

  // Makes all later calls run the operators.
  void disable() { capturable_ = false; }

  // Returns the function's outputs for the inputs, which are all on one device. Throws what the
  // function throws.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const Function& function);

 private:
  // The graph of one shape.
  struct Captured {
    int64_t calls = 0;
    bool failed = false;
    std::vector<Tensor> inputs;   // where the graph reads them
    std::vector<Tensor> outputs;  // where the graph writes them
    std::unique_ptr<at::GraphImplInterface> graph;
  };

  void on_side_stream(const at::Device& device, const std::function<void()>& work);
  bool capture(Captured& captured, const std::vector<Tensor>& inputs, const Function& function);
  static std::vector<Tensor> replay(Captured& captured, const std::vector<Tensor>& inputs);

  bool capturable_;
  std::unique_ptr<SideStream> side_;
  std::map<std::vector<int64_t>, Captured> by_shape_;
};

}  // namespace halfstep

#endif  // HALFSTEP_DEVICE_DEVICE_GRAPH_H_
