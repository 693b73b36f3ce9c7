#include "halfstep/report/evaluation_file.h"

#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"

namespace halfstep::report {
namespace {

using nlohmann::json;

constexpr int64_t kVersion = 1;
constexpr size_t kMostResults = 4096;  // more than a page can show

struct Features {
  std::string name;
  std::string sha256;
  int64_t num_features = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("name", self.name, "a string");
    visit("sha256", self.sha256, "a hash");
    visit("num_features", self.num_features, "an integer");
  }
};

struct Reference {
  std::string path;
  std::optional<std::string> split;
  int64_t num = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("path", self.path, "a path");
    visit("split", self.split, "a string or null");
    visit("num", self.num, "an integer");
  }
};

struct Head {
  int64_t version = 0;
  std::string halfstep;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "an integer");
    visit("halfstep", self.halfstep, "a version");
  }
};

// Removes `key` from the object and returns its value. Throws FormatError if it is missing.
json take_required(json& object, const char* key, const std::string& where) {
  if (!object.contains(key)) {
    throw FormatError(
        where,
        std::string("expected a file written by evaluate --json, received no \"") + key + "\"");
  }
  return io::take(object, key);
}

template <class Fields>
Fields read_fields(const json& value, const std::string& where) {
  Fields fields;
  io::fields_from_json(value, fields, where);
  return fields;
}

// Omits the fields without a value.
template <class Fields>
json to_object(const Fields& fields) {
  json object = io::fields_to_json(fields);
  std::erase_if(object.get_ref<json::object_t&>(),
                [](const auto& field) { return field.second.is_null(); });
  return object;
}

}  // namespace

void write_evaluation_file(const std::filesystem::path& path, const EvaluationFile& evaluation) {
  json document = to_object(Head{.version = kVersion, .halfstep = evaluation.version});
  document["features"] = to_object(Features{.name = evaluation.features,
                                            .sha256 = evaluation.features_sha256,
                                            .num_features = evaluation.num_features});
  document["reference"] = to_object(
      Reference{.path = evaluation.reference,
                .split = evaluation.split.empty() ? std::nullopt : std::optional(evaluation.split),
                .num = evaluation.num_reference});
  json& results = document["results"] = json::array();
  for (const metrics::EvaluationResult& result : evaluation.results)
    results.push_back(to_object(result));
  io::write_json(path, document);
}

EvaluationFile read_evaluation_file(const std::filesystem::path& path) {
  const std::string where = path.string();
  json document = io::read_json(path);
  if (!document.is_object())
    throw FormatError(where,
                      "expected a file written by evaluate --json, received another JSON value");
  const json results = take_required(document, "results", where);
  const auto features =
      read_fields<Features>(take_required(document, "features", where), where + ": features");
  const auto reference =
      read_fields<Reference>(take_required(document, "reference", where), where + ": reference");
  const auto head = read_fields<Head>(document, where);
  if (head.version != kVersion)
    throw FormatError(where, "version: expected " + std::to_string(kVersion) + ", received " +
                                 std::to_string(head.version));
  if (!results.is_array())
    throw FormatError(where, "results: expected an array, received another JSON value");
  if (results.size() > kMostResults) {
    throw FormatError(where, "results: expected at most " + std::to_string(kMostResults) +
                                 ", received " + std::to_string(results.size()));
  }
  EvaluationFile evaluation{.version = head.halfstep,
                            .features = features.name,
                            .features_sha256 = features.sha256,
                            .num_features = features.num_features,
                            .reference = reference.path,
                            .split = reference.split.value_or(""),
                            .num_reference = reference.num};
  for (const json& result : results)
    evaluation.results.push_back(read_fields<metrics::EvaluationResult>(
        result, where + ": results[" + std::to_string(evaluation.results.size()) + "]"));
  return evaluation;
}

}  // namespace halfstep::report
