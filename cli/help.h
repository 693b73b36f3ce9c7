// The layout of --help and the headings that group its flags.
#ifndef HALFSTEP_CLI_HELP_H_
#define HALFSTEP_CLI_HELP_H_

#include <CLI/CLI.hpp>
#include <string>

namespace halfstep::cli {

// Headings of --help. command.option_defaults()->group(kOutputGroup) puts the flags that follow
// under that heading. Help lists the headings in this order.
inline constexpr const char* kModelGroup = "Model";
inline constexpr const char* kDataGroup = "Data";
inline constexpr const char* kDistillationGroup = "Distillation";
inline constexpr const char* kTrainingGroup = "Training";
inline constexpr const char* kSamplingGroup = "Sampling";
inline constexpr const char* kMeasurementGroup = "Measurement";
inline constexpr const char* kOutputGroup = "Output";
inline constexpr const char* kComputeGroup = "Compute";

// Returns the heading of the flag of an options struct's field, such as "ema_decay".
const char* group_of_field(const std::string& name);

// Lays out the help of the program as a list of commands, and the help of a command as its purpose,
// usage, flags by group and examples (the footer), wrapped at 80 columns.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_HELP_H_
