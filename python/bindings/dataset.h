// Data sets written in Python.
#ifndef HALFSTEP_PYTHON_BINDINGS_DATASET_H_
#define HALFSTEP_PYTHON_BINDINGS_DATASET_H_

#include <cstdint>
#include <span>
#include <string>

#include "halfstep/data/dataset.h"
#include "python/bindings/bindings.h"

namespace halfstep::python {

// A data set whose examples come from an object of the class Examples of halfstep/_data.py. Takes
// the GIL to read them.
class PythonDataset final : public data::Dataset {
 public:
  // Examples of which the contents are part of the fingerprint.
  static constexpr int64_t kHashed = 64;

  // The GIL must be held. Throws what Python throws.
  explicit PythonDataset(py::object examples);
  ~PythonDataset() override;
  PythonDataset(const PythonDataset&) = delete;
  PythonDataset& operator=(const PythonDataset&) = delete;

  const data::DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;
  // Hashes the shape, the size and up to kHashed examples, evenly spread.
  std::string fingerprint() const override;

 private:
  py::object examples_;
  data::DatasetInfo info_;
};

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_DATASET_H_
