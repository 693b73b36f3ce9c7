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

// Reads the labels of a file. Every error names the file and the image.
class LabelReader {
 public:
  explicit LabelReader(const std::string& where) : where_(where) {}

  [[noreturn]] void fail(const std::string& what, const std::string& expected,
                         const json& received) const {
    throw FormatError("dataset.json", where_ + ": " + what + ": expected " + expected +
                                          ", received " + io::quote(received.dump()));
  }

  // Returns the labels of all names in the file.
  std::unordered_map<std::string_view, int32_t> read(const json& list) {
    if (!list.is_array()) fail("labels", "a list or null", list);
    std::unordered_map<std::string_view, int32_t> labels;
    labels.reserve(list.size());
    for (const json& pair : list) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) {
        fail("labels", "pairs of a name and a label", pair);
      }
      const std::string& name = pair[0].get_ref<const std::string&>();
      if (!labels.emplace(name, class_of(name, pair[1])).second) {
        fail("labels", "each name once", pair[0]);
      }
    }
    return labels;
  }

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
  int64_t vector_size_ = -1;  // -1 until the first label has been read
};

}  // namespace

LabelledNames classes_by_json(std::string_view text, std::vector<std::string> names,
                              const std::string& where) {
  LabelReader reader(where);
  const json file = io::parse_json(text, where);
  if (!file.is_object()) reader.fail("file", "an object with labels", file);
  LabelledNames result{.names = std::move(names)};
  const auto list = file.find("labels");
  if (list == file.end() || list->is_null()) return result;
  const std::unordered_map<std::string_view, int32_t> labels = reader.read(*list);
  for (const std::string& name : result.names) {
    const auto found = labels.find(name);
    if (found == labels.end()) {
      reader.fail("labels", "a label for the image " + io::quote(name), nullptr);
    }
    result.labels.push_back(found->second);
    result.num_classes = std::max<int64_t>(result.num_classes, found->second + 1);
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
