#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/io/fields.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/report/run_sections.h"
#include "halfstep/train/config.h"

namespace halfstep::report {
namespace {

using nlohmann::json;

std::string plain(const json& value) {
  if (value.is_null()) return "not set";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Table settings_table() {
  return {.columns = {{"setting"}, {"value"}, {"without a configuration"}, {"description"}}};
}

// Adds each field of an options struct to `changed` or to `unchanged`.
template <class Options>
void sort_fields(const Options& options, const Options& defaults, Table& changed,
                 Table& unchanged) {
  const json values = io::fields_to_json(options);
  const json default_values = io::fields_to_json(defaults);
  Options::for_each_field(options, [&](const char* name, const auto&, const char* help) {
    const bool same = values[name] == default_values[name];
    (same ? unchanged : changed)
        .rows.push_back({element("code", name), text(plain(values[name])),
                         text(plain(default_values[name])), text(help)});
  });
}

// {"network": {"ch": 32}} -> network.ch 32
void flatten(const json& value, const std::string& name, Table& table) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items())
      flatten(inner, name.empty() ? key : name + "." + key, table);
    return;
  }
  table.rows.push_back({element("code", name), text(plain(value))});
}

Html folded(const std::string& summary, const Table& table) {
  return element("details", element("summary", summary) + to_html(table)) + Html{"\n"};
}

// The command line that made the run.
Html command_of(const RunFacts& facts) {
  if (facts.command.empty()) return {};
  return element("p", "The command that made the run:") +
         element("pre", {{"class", "command"}}, text(facts.command));
}

}  // namespace

Html settings_section(const RunFacts& facts) {
  const RunOptions& options = facts.options;
  Table changed = settings_table();
  Table unchanged = settings_table();
  const auto add_general = [&](const char* name, const json& value, const char* help) {
    changed.rows.push_back({element("code", name), text(plain(value)), Html{}, text(help)});
  };
  add_general("data", options.data.string(), "path of the data set");
  if (options.image_size)
    add_general("image_size", *options.image_size,
                "images are cropped and resized to this many pixels per side");
  if (options.threads) add_general("threads", *options.threads, "number of CPU threads");
  if (options.init_sha256)
    add_general("init_sha256", *options.init_sha256, "hash of the initial model's file");
  if (facts.distilling()) {
    sort_fields(options.distill, DistillOptions{}, changed, unchanged);
    sort_fields(options.update, Config{}.distill_update, changed, unchanged);
  } else {
    sort_fields(options.train, TrainOptions{}, changed, unchanged);
    sort_fields(options.update, UpdateOptions{}, changed, unchanged);
  }
  Table model{.columns = {{"key"}, {"value"}}};
  flatten(to_json(options.model), "", model);
  return section("Settings",
                 command_of(facts) + to_html(changed) +
                     folded(std::to_string(unchanged.rows.size()) + " other settings", unchanged) +
                     folded("model", model));
}

}  // namespace halfstep::report
