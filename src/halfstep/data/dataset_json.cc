#include "halfstep/data/dataset_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

using nlohmann::json;

// Reads the labels of a file, one after another, and keeps those of the images. Every error names
// the file and the image.
class LabelReader {
 public:
  LabelReader(const std::vector<std::string>& names, const std::string& where) : where_(where) {
    for (size_t i = 0; i < names.size(); ++i) places_.emplace(names[i], i);
    labels_.assign(names.size(), -1);
  }

  [[noreturn]] void fail(const std::string& what, const std::string& expected,
                         const json& received) const {
    constexpr size_t kMaxShown = 1000;  // values
    throw FormatError(
        "dataset.json",
        where_ + ": " + what + ": expected " + expected + ", received " +
            (received.size() > kMaxShown ? "a list of " + std::to_string(received.size())
                                         : io::quote(received.dump())));
  }

  // Reads a pair of a name and a label.
  void read(const json& pair) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) {
      fail("labels", "pairs of a name and a label", pair);
    }
    const std::string& name = pair[0].get_ref<const std::string&>();
    const int32_t label = class_of(name, pair[1]);
    const auto found = places_.find(name);
    if (found == places_.end()) {
      ++others_;
    } else if (std::exchange(labels_[found->second], label) >= 0) {
      fail("labels", "each name once", pair[0]);
    }
  }

  // Returns one label per name, or none if the file has no labels.
  const std::vector<int32_t>& labels() const { return labels_; }
  // Returns the number of labels of other names.
  int64_t others() const { return others_; }
  // Returns the length of the one-hot vectors, or 0 if the labels are numbers.
  int64_t vector_size() const { return std::max<int64_t>(vector_size_, 0); }

 private:
  int32_t class_of(const std::string& name, const json& label) {
    constexpr int32_t kMaxLabel = 1'000'000;
    const int64_t size = label.is_array() ? static_cast<int64_t>(label.size()) : 0;
    if (vector_size_ < 0) vector_size_ = size;
    if (size != vector_size_)
      fail("label of " + io::quote(name), "the same kind of label as the others", label);
    if (label.is_array()) return one_hot(name, label);
    if (!label.is_number_integer() || label < 0 || label > kMaxLabel) {
      fail("label of " + io::quote(name),
           "a class from 0 to " + std::to_string(kMaxLabel) + " or a one-hot vector", label);
    }
    return label.get<int32_t>();
  }

  int32_t one_hot(const std::string& name, const json& vector) const {
    const auto is = [](double value) {
      return [value](const json& element) { return element.is_number() && element == value; };
    };
    const auto one = std::find_if(vector.begin(), vector.end(), is(1.0));
    const auto zeros = std::count_if(vector.begin(), vector.end(), is(0.0));
    if (one == vector.end() || zeros + 1 != static_cast<ptrdiff_t>(vector.size())) {
      fail("label of " + io::quote(name), "a one-hot vector", vector);
    }
    return static_cast<int32_t>(one - vector.begin());
  }

  std::string where_;
  std::unordered_map<std::string_view, size_t> places_;  // of the names
  std::vector<int32_t> labels_;                          // -1 until read
  int64_t others_ = 0;
  int64_t vector_size_ = -1;  // -1 until the first label has been read
};

}  // namespace

LabelledNames classes_by_json(std::string_view text, std::vector<std::string> names,
                              const std::string& where) {
  LabelReader reader(names, where);
  const json file =
      io::parse_json_elements(text, where, "labels", [&](const json& pair) { reader.read(pair); });
  if (!file.is_object()) reader.fail("file", "an object with labels", file);
  LabelledNames result{.names = std::move(names)};
  const auto list = file.find("labels");
  if (list == file.end() || list->is_null()) return result;
  if (!list->is_array()) reader.fail("labels", "a list or null", *list);
  result.labels = reader.labels();
  for (size_t i = 0; i < result.names.size(); ++i) {
    if (result.labels[i] < 0) {
      reader.fail("labels", "a label for the image " + io::quote(result.names[i]), nullptr);
    }
    result.num_classes = std::max<int64_t>(result.num_classes, result.labels[i] + 1);
  }
  if (reader.others() > 0) {
    result.warnings.push_back("dataset.json has labels of " + std::to_string(reader.others()) +
                              " images that are not there");
  }
  result.num_classes = std::max(result.num_classes, reader.vector_size());
  if (const auto found = file.find("class_names"); found != file.end()) {
    const bool are_names = found->is_array() &&
                           static_cast<int64_t>(found->size()) >= result.num_classes &&
                           std::all_of(found->begin(), found->end(),
                                       [](const json& name) { return name.is_string(); });
    if (!are_names) reader.fail("class_names", "a list of strings, one per class", *found);
    result.class_names = found->get<std::vector<std::string>>();
    result.num_classes = static_cast<int64_t>(found->size());
  }
  return result;
}

std::string dataset_json(const LabelledNames& images) {
  json file = json::object();
  if (!images.class_names.empty()) file["class_names"] = images.class_names;
  json& labels = file["labels"];
  if (!images.labels.empty()) labels = json::array();
  for (size_t i = 0; i < images.labels.size(); ++i) {
    labels.push_back(json::array({images.names[i], images.labels[i]}));
  }
  try {
    return file.dump();
  } catch (const json::type_error& error) {
    throw ConfigError("dataset.json",
                      "names: expected UTF-8 text, received " + io::quote(error.what()));
  }
}

}  // namespace halfstep::data
