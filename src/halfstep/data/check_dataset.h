// Reads every example of a data set once, to find what would end a run or spoil its result.
#ifndef HALFSTEP_DATA_CHECK_DATASET_H_
#define HALFSTEP_DATA_CHECK_DATASET_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Examples that equal one that was read before, byte for byte after decoding.
struct Duplicates {
  static constexpr size_t kNamed = 10;

  int64_t count = 0;
  int64_t with_other_label = 0;
  std::vector<std::string> named = {};  // the first ones, such as "b.png = a.png"
};

struct SplitReport {
  DatasetOptions::Split split = DatasetOptions::Split::train;
  DatasetInfo info = {};
  bool several_sizes = false;  // the images were resized to be read, and info has that size
  std::vector<int64_t> class_counts = {};  // examples per class
  Duplicates duplicates = {};
  std::string fingerprint = {};
};

struct DatasetReport {
  std::vector<SplitReport> splits = {};  // the training split, and the test split if there is one
  Duplicates in_both = {};  // examples of the test split that are in the training split
  // What ends a run on this data set, before it begins or within it; empty if nothing does.
  std::vector<std::string> problems = {};

  // Returns the report as a page of text.
  std::string text() const;
};

// Opens both splits of the data set at `path` and reads them, in several threads. options.split is
// not used. Calls `keep_going` now and then with the number of examples read so far and the number
// in this split; if it returns false, throws nothing and returns what was found so far. Throws what
// open_dataset throws for data that cannot be opened at all.
DatasetReport check_dataset(const std::filesystem::path& path, const DatasetOptions& options,
                            const std::function<bool(int64_t done, int64_t count)>& keep_going);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_CHECK_DATASET_H_
