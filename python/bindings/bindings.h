// The parts of the extension module halfstep._halfstep. It is a thin layer: names, defaults and
// documentation are those of the Python files in python/halfstep, which call it.
//
// All functions release the GIL while they compute, and take it to call back. Exceptions of the
// library become those of halfstep/_errors.py.
#ifndef HALFSTEP_PYTHON_BINDINGS_BINDINGS_H_
#define HALFSTEP_PYTHON_BINDINGS_BINDINGS_H_

#include <torch/csrc/utils/pybind.h>

namespace halfstep::python {

// Adds the class Model, and load.
void bind_model(py::module_& module);

// Adds train, distill and resume, and the classes of their arguments and results.
void bind_runs(py::module_& module);

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_BINDINGS_H_
