#include "tests/cli/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

#include "halfstep/io/file.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/safetensors.h"

namespace halfstep::cli {
namespace {

// Turns on everything that draws random numbers or keeps a state: dropout, flips, label dropout,
// EMA.
constexpr std::string_view kConfig = R"({
  "output": "v",
  "conditional": true,
  "network": {"image_size": 4, "in_channels": 1, "num_classes": 3,
              "ch": 32, "emb_ch": 32, "ch_mult": [1], "num_res_blocks": 1, "attn_resolutions": [],
              "dropout": 0.1},
  "train": {"batch": 8, "lr": 1e-3, "updates": 12, "ema_decay": 0.9, "precision": "fp32",
            "checkpoint_every": "4", "log_every": 1},
  "distill": {"method": "halving", "batch": 8, "anneal": true, "precision": "fp32", "start_steps": 8, "end_steps": 2,
              "updates_per_stage": 6, "last_updates": 6, "checkpoint_every": "4", "log_every": 1}
})";

// A lock that one process at a time can hold.
class Lock {
 public:
  explicit Lock(const fs::path& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw std::runtime_error("no lock " + path.string());
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

// Returns a teacher in the cache of the build, named after the program and the configuration, and
// trains it if it is not there.
fs::path make_teacher() {
  const fs::path cache = HALFSTEP_CLI_CACHE;
  fs::create_directories(cache);
  const Lock lock(cache / "lock");
  const std::string key =
      std::to_string(fs::file_size(HALFSTEP_PROGRAM)) +
      std::to_string(fs::last_write_time(HALFSTEP_PROGRAM).time_since_epoch().count()) +
      std::string(kConfig);
  const fs::path teacher =
      cache / ("teacher-" + std::to_string(std::hash<std::string>()(key)) + ".safetensors");
  if (fs::exists(teacher)) return teacher;
  for (const auto& entry : fs::directory_iterator(cache)) {
    if (entry.path().extension() == ".safetensors") fs::remove(entry.path());
  }
  const Workspace workspace;
  const Finished finished = run(workspace.train(workspace / "runs", {"--updates", "40"}));
  if (finished.code != 0) throw std::runtime_error("no teacher: " + finished.err);
  io::write_file(teacher, io::read_bytes(only_run(workspace / "runs") / "model.safetensors"));
  return teacher;
}

}  // namespace

Workspace::Workspace() {
  write_images(data(), kImages, kSide, kClasses);
  write_text(config(), kConfig);
}

const fs::path& Workspace::teacher() {
  static const fs::path path = make_teacher();
  return path;
}

Arguments Workspace::train(const fs::path& outdir, const Arguments& more) const {
  return Arguments{"train",    "--config", config(),    "--data", data(),
                   "--outdir", outdir,     "--threads", "1"} +
         more;
}

Arguments Workspace::distill(const fs::path& outdir, const Arguments& more) const {
  return Arguments{"distill", "--teacher", teacher(), "--config",  config(), "--data",
                   data(),    "--outdir",  outdir,    "--threads", "1"} +
         more;
}

Arguments Workspace::sample(const fs::path& npz, const Arguments& more) {
  return Arguments{"sample", "--model", teacher(),   "--seeds", "0-7",         "--steps", "4",
                   "--npz",  npz,       "--threads", "1",       "--precision", "fp32"} +
         more;
}

Arguments Workspace::resume(const fs::path& run, const Arguments& more) {
  return Arguments{"resume", run} + more;
}

Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

void write_images(const fs::path& path, int64_t images, int64_t side, int64_t classes) {
  std::vector<uint8_t> pixels(static_cast<size_t>(images * side * side));
  uint32_t state = 1;
  std::generate(pixels.begin(), pixels.end(), [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<uint8_t>(state >> 24);
  });
  io::write_npy(path, io::make_array<uint8_t>({images, side, side, 1}, pixels).view());
  if (classes == 0) return;
  std::vector<int64_t> labels(static_cast<size_t>(images));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i) % classes;
  io::write_npy(path.parent_path() / (path.stem().string() + ".labels.npy"),
                io::make_array<int64_t>({images}, labels).view());
}

fs::path only_run(const fs::path& outdir) {
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(outdir)) runs.push_back(entry.path());
  if (runs.size() != 1) {
    throw std::runtime_error(outdir.string() + ": " + std::to_string(runs.size()) + " runs");
  }
  return runs.front();
}

testing::AssertionResult same_weights(const fs::path& left, const fs::path& right) {
  const io::SafetensorsFile a(left);
  const io::SafetensorsFile b(right);
  if (a.tensors().empty() || a.tensors().size() != b.tensors().size())
    return testing::AssertionFailure() << "other tensors";
  for (const auto& [name, tensor] : a.tensors()) {
    const io::ArrayView& other = b.at(name);
    if (tensor.dtype != other.dtype || tensor.shape != other.shape ||
        !std::ranges::equal(tensor.bytes, other.bytes)) {
      return testing::AssertionFailure() << name << " differs";
    }
  }
  return testing::AssertionSuccess();
}

std::string text_of(const fs::path& path) { return io::read_file(path); }

void write_text(const fs::path& path, std::string_view text) { io::write_file(path, text); }

void replace_in(const fs::path& path, const std::string& from, const std::string& to) {
  std::string text = text_of(path);
  const size_t found = text.find(from);
  if (found == std::string::npos) throw std::runtime_error(path.string() + ": no " + from);
  write_text(path, text.replace(found, from.size(), to));
}

}  // namespace halfstep::cli
