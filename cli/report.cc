// halfstep report: a run as one HTML page.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "cli/command.h"
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
  std::vector<report::EvaluationFile> evaluations;
  for (const fs::path& path : flags.evaluations)
    evaluations.push_back(report::read_evaluation_file(path));
  const fs::path out = flags.out.value_or(directory.path() / "report.html");
  io::write_file(out, report::run_report(directory, evaluations));
  std::printf("%s\n", out.c_str());
  return kDone;
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("report", "write a run as one HTML page");
  auto flags = std::make_shared<Flags>();
  command->add_option("run", flags->run, "the run's folder")->required();
  command->add_option("--evaluation", flags->evaluations,
                      "draw the distances in these files of evaluate --json, too");
  command->add_option("--out", flags->out, "write here (default: report.html in the run's folder)");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
