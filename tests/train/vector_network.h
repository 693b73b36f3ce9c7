// A network of given parameters, for tests of the optimizer.
#ifndef HALFSTEP_TESTS_TRAIN_VECTOR_NETWORK_H_
#define HALFSTEP_TESTS_TRAIN_VECTOR_NETWORK_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/nn/network.h"

namespace halfstep::test {

// Its output is z times the sum of the first parameter.
class VectorNetwork final : public Network {
 public:
  explicit VectorNetwork(std::vector<NamedTensor> parameters)
      : parameters_(std::move(parameters)) {}

  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  std::unique_ptr<Network> clone() const override {
    std::vector<NamedTensor> copies;
    for (const auto& [name, tensor] : parameters_)
      copies.push_back({name, tensor.detach().clone()});
    return std::make_unique<VectorNetwork>(std::move(copies));
  }
  void initialize(uint64_t) override {}
  void set_precision(Precision) override {}
  void to(const at::Device&) override {}

 private:
  Tensor forward_impl(const Tensor& z, const Tensor&, const Condition&,
                      const ForwardOptions&) const override {
    return z * parameters_.front().tensor.sum();
  }
  void parameters_changed() override {}

  std::vector<NamedTensor> parameters_;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_VECTOR_NETWORK_H_
