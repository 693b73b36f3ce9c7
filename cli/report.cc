// halfstep report: writes a run as one HTML page.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/outputs.h"
#include "cli/values.h"
#include "halfstep/io/file.h"
#include "halfstep/report/evaluation_file.h"
#include "halfstep/report/run_report.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path run;
  std::vector<fs::path> evaluations;
  std::optional<fs::path> out;
};

int run(const Flags& flags) {
  const RunDirectory directory(flags.run);
  const fs::path out = flags.out.value_or(directory.path() / "report.html");
  require_outputs({{"--out", out}});
  std::vector<report::EvaluationFile> evaluations;
  for (const fs::path& path : flags.evaluations)
    evaluations.push_back(report::read_evaluation_file(path));
  io::write_file(out, report::run_report(directory, evaluations));
  std::printf("%s\n", out.c_str());
  return kDone;
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "report", "Write a run as one HTML page: samples, curves, settings and timings");
  command->footer(
      "Examples:\n"
      "  halfstep report runs/00000-fashion-mnist-distill-32to4\n"
      "  halfstep report RUN --evaluation sweep.json --out report.html");
  auto flags = std::make_shared<Flags>();
  add_value(*command, "run", flags->run, "Folder of a train or distill run")->required();
  command->option_defaults()->group(kDataGroup);
  add_value(*command, "--evaluation", flags->evaluations,
            "Also plot the distances in this file of 'evaluate --json'; may be repeated")
      ->type_name("FILE");
  command->option_defaults()->group(kOutputGroup);
  add_value(*command, "--out", flags->out, "HTML file to write (default: RUN/report.html)")
      ->type_name("FILE");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
