// Forward calls of a network as graphs of its device.
#ifndef HALFSTEP_MODEL_FORWARD_GRAPHS_H_
#define HALFSTEP_MODEL_FORWARD_GRAPHS_H_

#include <memory>
#include <mutex>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/device/device_graph.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// Calls one network, whose weights do not change. Thread-safe: each thread that calls at the same
// time as others has graphs of its own.
class ForwardGraphs {
 public:
  // The network must outlive it.
  explicit ForwardGraphs(const Network& network) : network_(network) {}
  ForwardGraphs(const ForwardGraphs&) = delete;
  ForwardGraphs& operator=(const ForwardGraphs&) = delete;

  // Returns network.forward(z, phi, condition). If gradient mode is on, it runs operator by
  // operator.
  Tensor operator()(const Tensor& z, const Tensor& phi, const Condition& condition);

 private:
  std::unique_ptr<DeviceGraph> take();
  void give_back(std::unique_ptr<DeviceGraph> graph);

  const Network& network_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<DeviceGraph>> idle_;  // guarded by mutex_
};

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_FORWARD_GRAPHS_H_
