#include "halfstep/train/run_directory.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "halfstep/checkpoint/checksum.h"
#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/model/model_file.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kCommandFile = "command.txt";

std::string teacher_name(const RunOptions& options) {
  return model_file_name(options.model.network, "teacher");
}

std::string init_name(const RunOptions& options) {
  return model_file_name(options.model.network, "init");
}

// Returns the last part of a data set's path, with other characters than letters and digits
// replaced.
std::string data_name(const fs::path& data) {
  fs::path name = data.filename();
  if (name.empty()) name = data.parent_path().filename();
  std::string word = name.stem().string();
  std::replace_if(
      word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; },
      '-');
  return word.empty() ? "data" : word;
}

std::string kind_name(const RunOptions& options) {
  if (options.kind == RunKind::train) return "train";
  return "distill-" + std::to_string(options.distill.start_steps) + "to" +
         std::to_string(options.distill.end_steps);
}

int64_t next_number(const fs::path& outdir) {
  int64_t next = 0;
  for (const auto& entry : fs::directory_iterator(outdir)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > 6 && name[5] == '-' &&
        std::all_of(name.begin(), name.begin() + 5,
                    [](unsigned char c) { return std::isdigit(c) != 0; })) {
      next = std::max(next, static_cast<int64_t>(std::stoll(name.substr(0, 5))) + 1);
    }
  }
  return next;
}

void write_options_file(const fs::path& folder, const RunOptions& options) {
  json contents = to_json(options);
  contents["checksum"] = checksum_of(contents);
  io::write_json(folder / "options.json", contents);
}

// Reads options.json without its checksum.
json read_options_file(const fs::path& folder) {
  const fs::path file = folder / "options.json";
  json contents = io::read_json(file);
  if (!contents.is_object()) return contents;
  const std::string found = checksum_of(contents);
  if (const json expected = io::take(contents, "checksum"); !expected.is_null())
    io::require_hash(file.string(), "checksum", expected, found);
  return contents;
}

}  // namespace

RunDirectory RunDirectory::create(const fs::path& outdir, const RunOptions& options,
                                  const PutModels& put_models) {
  io::make_folder(outdir);
  const std::string words = "-" + data_name(options.data) + "-" + kind_name(options);
  for (int64_t number = next_number(outdir);; ++number) {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%05lld", static_cast<long long>(number));
    const fs::path path = outdir / (digits.data() + words);
    if (!io::make_new_folder(path)) continue;  // another process has taken this number
    try {
      if (put_models) put_models(path / teacher_name(options), path / init_name(options));
      write_options_file(path, options);
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(path, ignored);
      throw;
    }
    return RunDirectory(path);
  }
}

std::optional<RunDirectory> RunDirectory::find(const fs::path& outdir, const RunOptions& options) {
  if (!fs::is_directory(outdir)) return std::nullopt;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(outdir)) folders.push_back(entry.path());
  std::sort(folders.rbegin(), folders.rend());  // newest first: by their numbers
  const json wanted = to_json(options);
  for (const fs::path& folder : folders) {
    try {
      if (read_options_file(folder) == wanted) return RunDirectory(folder);
    } catch (const Error&) {  // not a run, or not a complete one
    }
  }
  return std::nullopt;
}

RunDirectory::RunDirectory(fs::path path) : path_(std::move(path)) {
  if (!fs::exists(path_ / "options.json")) {
    throw IoError(path_.string(),
                  "expected the folder of a run, with options.json, received " +
                      std::string(fs::is_directory(path_) ? "a folder without options.json"
                                  : fs::exists(path_)     ? "a file"
                                                          : "a path that does not exist"));
  }
}

fs::path RunDirectory::teacher_path() const { return path_ / teacher_name(options()); }

fs::path RunDirectory::init_path() const { return path_ / init_name(options()); }

fs::path RunDirectory::stage_folder(const Stage& stage) const {
  return stage.folder.empty() ? path_ : path_ / stage.folder;
}

fs::path RunDirectory::snapshot_folder(const Stage& stage, int64_t update) const {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%08lld", static_cast<long long>(update));
  return stage_folder(stage) / (std::string(kSnapshot) + digits.data());
}

void RunDirectory::write_command(std::string_view command) const {
  io::write_file(path_ / kCommandFile, std::string(command) + "\n");
}

std::string RunDirectory::command() const {
  constexpr size_t kMostBytes = 1 << 16;
  const fs::path file = path_ / kCommandFile;
  std::string text = fs::exists(file) ? io::read_file(file, kMostBytes) : "";
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

RunOptions RunDirectory::options() const {
  const fs::path file = path_ / "options.json";
  const RunOptions options = run_options_from_json(read_options_file(path_), file.string());
  try {
    validate(options);
  } catch (const ConfigError& error) {
    throw FormatError(file.string(), error.text());
  }
  return options;
}

void RunDirectory::write_options(const RunOptions& options) const {
  write_options_file(path_, options);
}

void RunDirectory::remove_if_unused() const {
  if (fs::exists(path_ / "state") || fs::exists(path_ / "stats.jsonl")) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void RunDirectory::log(std::string_view message) const {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
  try {
    io::AppendFile(path_ / "log.txt").append(stamp.data() + std::string(message) + "\n");
  } catch (const IoError&) {
    return;
  }
}

uint64_t RunDirectory::append_stats(const json& line) const {
  return io::AppendFile(path_ / "stats.jsonl").append(line.dump() + "\n");
}

uint64_t RunDirectory::truncate_stats(uint64_t bytes) const {
  const fs::path path = path_ / "stats.jsonl";
  if (!fs::exists(path)) return 0;
  if (fs::file_size(path) < bytes) bytes = io::read_file(path).rfind('\n') + 1;  // whole lines
  io::truncate_file(path, bytes);
  return bytes;
}

std::optional<SavedState> RunDirectory::load_state() const {
  StateSlots slots = states();
  return halfstep::load_state(slots);
}

}  // namespace halfstep
