// halfstep data: any data set, packed into one zip.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/data/pack.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path from;
  fs::path to;
  std::optional<int64_t> image_size;
  std::string split = "train";
};

// How many images are packed, on stderr: written over on a terminal, a line every few seconds
// elsewhere.
class PackingLine {
 public:
  explicit PackingLine(int64_t images) : images_(images) {}

  void show(int64_t packed) {
    const auto now = std::chrono::steady_clock::now();
    if (packed < images_ && now - last_ < std::chrono::milliseconds(terminal_ ? 200 : 5000)) return;
    last_ = now;
    std::fprintf(stderr, "%spacked %lld of %lld images%s", terminal_ ? "\r" : "",
                 static_cast<long long>(packed), static_cast<long long>(images_),
                 terminal_ && packed < images_ ? "" : "\n");
  }

 private:
  int64_t images_;
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int run(const Flags& flags) {
  if (flags.to.extension() != ".zip")
    throw ConfigError("--to", "expected a name that ends in .zip, received " + flags.to.string());
  const std::unique_ptr<data::Dataset> dataset = data::open_dataset(
      flags.from, {.split = enum_of<data::DatasetOptions::Split>(flags.split, "--split"),
                   .image_size = flags.image_size});
  const std::atomic<bool>& stop = stop_on_interrupt();
  PackingLine line(dataset->info().size);
  const bool done = data::pack(*dataset, flags.to, [&](int64_t packed) {
    line.show(packed);
    return !stop;
  });
  if (!done) {
    std::fprintf(stderr, "interrupted; nothing was written\n");
    return kInterrupted;
  }
  line.show(dataset->info().size);
  std::printf("%s\n", flags.to.c_str());
  return kDone;
}

}  // namespace

void add_data(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("data", "pack a data set into a zip of images (EDM's format)");
  auto flags = std::make_shared<Flags>();
  command->add_option("--from", flags->from, kDataHelp)->required();
  command->add_option("--to", flags->to, "the zip to write")->required();
  command->add_option("--image-size", flags->image_size,
                      "crop and resize images to this many pixels a side");
  command->add_option("--split", flags->split, "train or test, where there are both")
      ->capture_default_str();
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
