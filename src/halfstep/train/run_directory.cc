#include "halfstep/train/run_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <system_error>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kStateVersion = 1;

struct ManifestFields {
  int64_t version = kStateVersion;
  Progress progress;
  int64_t updates = 0;
  int64_t adam_updates = 0;
  std::string sha256;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "an integer");
    visit("stage", self.progress.stage, "an integer");
    visit("update", self.progress.update, "an integer");
    visit("total_updates", self.progress.total_updates, "an integer");
    visit("skipped", self.progress.skipped, "an integer");
    visit("loss_sum", self.progress.loss_sum, "a number");
    visit("loss_count", self.progress.loss_count, "an integer");
    visit("seconds", self.progress.seconds, "a number");
    visit("stats_bytes", self.progress.stats_bytes, "an unsigned integer");
    visit("optimizer_updates", self.updates, "an integer");
    visit("adam_updates", self.adam_updates, "an integer");
    visit("sha256", self.sha256, "a hash");
  }
};

// The last part of a data set's path, fit for a folder's name.
std::string data_word(const fs::path& data) {
  fs::path name = data.filename();
  if (name.empty()) name = data.parent_path().filename();
  std::string word = name.stem().string();
  std::replace_if(
      word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; },
      '-');
  return word.empty() ? "data" : word;
}

std::string what_word(const RunOptions& options) {
  if (options.kind == RunKind::train) return "train";
  return "distill-" + std::to_string(options.halving.start_steps) + "to" +
         std::to_string(options.halving.end_steps);
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

fs::path slot_folder(const fs::path& run, int slot) {
  return run / "state" / ("slot-" + std::to_string(slot));
}

std::map<std::string, Tensor OptimizerState::*> state_tensors() {
  return {{"parameters", &OptimizerState::parameters},
          {"first_moment", &OptimizerState::first_moment},
          {"second_moment", &OptimizerState::second_moment},
          {"ema", &OptimizerState::ema}};
}

// Onto the disk, where there is such a file.
void sync_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const bool synced = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!synced)
    throw IoError(path.string(), std::string("cannot be synced: ") + std::strerror(error));
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw IoError(path.string(), "cannot make this folder: " + error.message());
}

SavedState read_slot(const fs::path& folder) {
  const fs::path manifest_path = folder / "manifest.json";
  json manifest = io::read_json(manifest_path);
  SavedState state;
  if (manifest.contains("fingerprint")) {
    state.fingerprint = manifest["fingerprint"];
    manifest.erase("fingerprint");
  }
  ManifestFields fields;
  io::fields_from_json(manifest, fields, manifest_path.string());
  const fs::path tensors_path = folder / "tensors.safetensors";
  if (fields.version != kStateVersion) {
    throw FormatError(manifest_path.string(), "version: expected " + std::to_string(kStateVersion) +
                                                  ", received " + std::to_string(fields.version));
  }
  if (const std::string found = io::sha256_hex_of_file(tensors_path); found != fields.sha256) {
    throw FormatError(tensors_path.string(),
                      "expected SHA-256 " + fields.sha256 + ", found " + found);
  }
  const io::SafetensorsFile file(tensors_path);
  for (const auto& [name, member] : state_tensors()) {
    if (file.tensors().contains(name)) state.optimizer.*member = to_tensor(file.at(name));
  }
  state.progress = fields.progress;
  state.optimizer.updates = fields.updates;
  state.optimizer.adam_updates = fields.adam_updates;
  return state;
}

// total_updates of a slot's manifest, -1 where it cannot be read.
int64_t age_of(const fs::path& folder) {
  try {
    const json manifest = io::read_json(folder / "manifest.json");
    return manifest.value("total_updates", int64_t{-1});
  } catch (const std::exception&) {
    return -1;
  }
}

}  // namespace

RunDirectory RunDirectory::create(const fs::path& outdir, const RunOptions& options) {
  make_folder(outdir);
  const std::string words = "-" + data_word(options.data) + "-" + what_word(options);
  for (int64_t number = next_number(outdir);; ++number) {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%05lld", static_cast<long long>(number));
    const fs::path path = outdir / (digits.data() + words);
    std::error_code error;
    // false: somebody else took this number in the meantime
    if (!fs::create_directory(path, error)) {
      if (error) throw IoError(path.string(), "cannot make this folder: " + error.message());
      continue;
    }
    io::write_json(path / "options.json", to_json(options));
    return RunDirectory(path);
  }
}

RunDirectory::RunDirectory(fs::path path) : path_(std::move(path)) {
  if (!fs::exists(path_ / "options.json")) {
    throw IoError(path_.string(), "expected a run (a folder with options.json), found " +
                                      std::string(fs::is_directory(path_) ? "a folder without one"
                                                  : fs::exists(path_)     ? "a file"
                                                                          : "nothing"));
  }
}

fs::path RunDirectory::stage_folder(const Stage& stage) const {
  if (stage.conversion) return path_ / "converted";
  if (stage.num_steps == 0) return path_;
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "stage-%04lld", static_cast<long long>(stage.num_steps));
  return path_ / name.data();
}

RunOptions RunDirectory::options() const {
  const fs::path file = path_ / "options.json";
  const RunOptions options = run_options_from_json(io::read_json(file), file.string());
  try {
    validate(options);
  } catch (const ConfigError& error) {
    throw FormatError(file.string(), std::string("a run that cannot be: ") + error.what());
  }
  return options;
}

void RunDirectory::write_options(const RunOptions& options) const {
  io::write_json(path_ / "options.json", to_json(options));
}

void RunDirectory::log(std::string_view message) const {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
  std::ofstream file(path_ / "log.txt", std::ios::app);
  file << stamp.data() << message << '\n';
}

uint64_t RunDirectory::append_stats(const json& line) const {
  const fs::path path = path_ / "stats.jsonl";
  std::ofstream file(path, std::ios::app | std::ios::binary);
  file << line.dump() << '\n';
  file.flush();
  if (!file)
    throw IoError(path.string(), std::string("cannot be written: ") + std::strerror(errno));
  return static_cast<uint64_t>(file.tellp());
}

void RunDirectory::truncate_stats(uint64_t bytes) const {
  const fs::path path = path_ / "stats.jsonl";
  if (!fs::exists(path)) {
    if (bytes > 0) throw FormatError(path.string(), "expected the run's statistics, found no file");
    return;
  }
  if (fs::file_size(path) < bytes) {
    throw FormatError(path.string(), "expected at least " + std::to_string(bytes) +
                                         " bytes, found " + std::to_string(fs::file_size(path)));
  }
  fs::resize_file(path, bytes);
}

void RunDirectory::save_state(const SavedState& state) const {
  sync_file(path_ / "stats.jsonl");  // the state counts its bytes: it must not be the older one
  // the slot that holds the older state, or none
  const int slot = age_of(slot_folder(path_, 0)) <= age_of(slot_folder(path_, 1)) ? 0 : 1;
  const fs::path folder = slot_folder(path_, slot);
  make_folder(folder);

  std::map<std::string, io::Array> arrays;
  for (const auto& [name, member] : state_tensors()) {
    if ((state.optimizer.*member).defined())
      arrays.emplace(name, to_array(state.optimizer.*member));
  }
  std::map<std::string, io::ArrayView> views;
  for (const auto& [name, array] : arrays) views.emplace(name, array.view());
  const fs::path tensors_path = folder / "tensors.safetensors";
  io::write_safetensors(tensors_path, views);

  json manifest =
      io::fields_to_json(ManifestFields{.progress = state.progress,
                                        .updates = state.optimizer.updates,
                                        .adam_updates = state.optimizer.adam_updates,
                                        .sha256 = io::sha256_hex_of_file(tensors_path)});
  manifest["fingerprint"] = state.fingerprint;
  io::write_json(folder / "manifest.json", manifest);
}

std::optional<SavedState> RunDirectory::load_state() const {
  std::array<int, 2> slots = {0, 1};
  if (age_of(slot_folder(path_, 1)) > age_of(slot_folder(path_, 0))) std::swap(slots[0], slots[1]);
  std::string problem;
  for (const int slot : slots) {
    const fs::path folder = slot_folder(path_, slot);
    if (!fs::exists(folder / "manifest.json")) continue;
    try {
      return read_slot(folder);
    } catch (const Error& error) {
      problem += (problem.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (problem.empty()) return std::nullopt;
  throw FormatError(path_.string(), "expected a whole saved state, found none: " + problem);
}

}  // namespace halfstep
