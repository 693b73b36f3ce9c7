// The extension module, and its exceptions.
#include <c10/util/Exception.h>
#include <torch/csrc/Exceptions.h>

#include <exception>
#include <filesystem>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/system_error.h"
#include "halfstep/model/generate.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/training_error.h"
#include "python/bindings/bindings.h"

namespace halfstep::python {
namespace {

// Sets the Python exception of halfstep/_errors.py that is called `name`.
void set_error(const char* name, const Error& error) {
  const py::module_ errors = py::module_::import("halfstep._errors");
  PyErr_SetObject(errors.attr(name).ptr(), errors.attr("in_python")(error.what()).ptr());
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const ConfigError& error) {
    set_error("ConfigError", error);
  } catch (const FormatError& error) {
    set_error("FormatError", error);
  } catch (const parallel::PeerError& error) {
    set_error("PeerError", error);
  } catch (const IoError& error) {
    set_error("IoError", error);
  } catch (const NotFiniteError& error) {
    set_error("NotFiniteError", error);
  } catch (const TrainingError& error) {
    set_error("TrainingError", error);
  } catch (const Error& error) {
    set_error("Error", error);
  } catch (const std::filesystem::filesystem_error& error) {
    set_error("IoError", io::io_error(error));
  } catch (python_error& error) {  // of Python code that LibTorch called
    error.restore();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    PyErr_SetString(PyExc_RuntimeError, one_line(text.substr(0, text.find('\n'))).c_str());
  }
}

}  // namespace
}  // namespace halfstep::python

PYBIND11_MODULE(_halfstep, module) {
  py::register_local_exception_translator(halfstep::python::translate);
  module.attr("__version__") = std::string(halfstep::version());
  halfstep::python::bind_model(module);
  halfstep::python::bind_runs(module);
}
