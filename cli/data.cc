// halfstep data: packs a data set into one zip file.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/outputs.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/data/check_dataset.h"
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
  bool skip_broken = false;
  bool check = false;
};

int check(const Flags& flags) {
  if (!flags.to.empty())
    throw ConfigError("--check", "expected no --to, received " + flags.to.string());
  const std::atomic<bool>& stop = stop_on_interrupt();
  CountLine line;
  const data::DatasetReport report = data::check_dataset(
      flags.from, {.image_size = flags.image_size, .skip_broken = flags.skip_broken},
      [&](int64_t done, int64_t images) {
        line.show("checked", done, images);
        return !stop;
      });
  if (stop) return kInterrupted;
  std::printf("%s", report.text().c_str());
  return report.problems.empty() ? kDone : kFailed;
}

int run(const Flags& flags) {
  if (flags.check || flags.to.empty()) return check(flags);
  if (flags.to.extension() != ".zip")
    throw ConfigError("--to", "expected a file name ending in .zip, received " + flags.to.string());
  require_outputs({{"--to", flags.to}});
  const std::unique_ptr<data::Dataset> dataset = data::open_dataset(
      flags.from, {.split = enum_of<data::DatasetOptions::Split>(flags.split, "--split"),
                   .image_size = flags.image_size,
                   .skip_broken = flags.skip_broken});
  for (const std::string& note : dataset->info().notes())
    std::fprintf(stderr, "%s\n", note.c_str());
  const std::atomic<bool>& stop = stop_on_interrupt();
  const int64_t images = dataset->info().size;
  CountLine line;
  const bool done = data::pack(*dataset, flags.to, [&](int64_t packed) {
    line.show("packed", packed, images);
    return !stop;
  });
  if (!done) {
    std::fprintf(stderr, "interrupted; nothing was written\n");
    return kInterrupted;
  }
  line.show("packed", images, images);
  std::printf("%s\n", flags.to.c_str());
  return kDone;
}

}  // namespace

void add_data(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "data", "Check a data set, or pack it into one zip in the format of EDM and StyleGAN");
  command->footer(
      "Examples:\n"
      "  halfstep data photos/ --check\n"
      "  halfstep data --from bedroom_train_lmdb --to bedroom.zip --image-size 128\n"
      "  halfstep data --from photos/ --to photos64.zip --image-size 64");
  auto flags = std::make_shared<Flags>();
  command->option_defaults()->group(kDataGroup);
  add_value(*command, "--from,data", flags->from, kDataHelp)->type_name("PATH")->required();
  offer(add_value(*command, "--split", flags->split, "train or test, for data sets that have both")
            ->type_name("NAME"),
        names_of<data::DatasetOptions::Split>());
  add_value(*command, "--image-size", flags->image_size, kImageSizeHelp);
  command->add_flag("--skip-broken", flags->skip_broken, kSkipBrokenHelp);
  command->option_defaults()->group(kOutputGroup);
  command->add_flag("--check", flags->check,
                    "Read all images of all splits and report classes, duplicates and what would "
                    "end a run; exit code 1 if anything would (default without --to)");
  add_value(*command, "--to", flags->to, "Zip file to write")->type_name("FILE.zip");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
