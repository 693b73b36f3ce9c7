// Networks that are modules of PyTorch, written in Python.
#ifndef HALFSTEP_PYTHON_BINDINGS_MODULE_NETWORK_H_
#define HALFSTEP_PYTHON_BINDINGS_MODULE_NETWORK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/model/model.h"
#include "halfstep/nn/external_options.h"
#include "halfstep/nn/network.h"
#include "python/bindings/bindings.h"

namespace halfstep::python {

// A network whose code is an object of the class Module of halfstep/_module.py. Its parameters are
// those of the module, which are shared and not copied. Takes the GIL to call it.
class ModuleNetwork final : public Network {
 public:
  // The GIL must be held. Throws what Python throws.
  ModuleNetwork(py::object module, ExternalOptions options);
  ~ModuleNetwork() override;
  ModuleNetwork(const ModuleNetwork&) = delete;
  ModuleNetwork& operator=(const ModuleNetwork&) = delete;

  // Throws ConfigError: the weights are those of the module.
  void initialize(uint64_t seed) override;
  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  // Copies the module by copy.deepcopy.
  std::unique_ptr<Network> clone() const override;
  // Throws ConfigError for anything but fp32.
  void set_precision(Precision precision) override;
  void to(const at::Device& device) override;

 private:
  at::Tensor forward_impl(const at::Tensor& z, const at::Tensor& phi, const Condition& condition,
                          const ForwardOptions& options) const override;
  void parameters_changed() override {}  // nothing is cached

  py::object module_;
  ExternalOptions options_;
  std::vector<NamedTensor> parameters_;
};

// Returns a factory that calls `make`, which returns an object of the class Module; an empty one
// for None. `make` must outlive it.
NetworkFactory factory_of(const py::object& make);

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_MODULE_NETWORK_H_
