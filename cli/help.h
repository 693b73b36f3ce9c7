// The layout of --help and the headings that group its flags.
#ifndef HALFSTEP_CLI_HELP_H_
#define HALFSTEP_CLI_HELP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/description.h"

namespace halfstep::cli {

// Headings of --help. command.option_defaults()->group(kOutputGroup) puts the flags that follow
// under that heading. Help lists the headings in this order.
inline constexpr const char* kArgumentsGroup = "Arguments";
inline constexpr const char* kModelGroup = "Model";
inline constexpr const char* kDataGroup = "Data";
inline constexpr const char* kDistillationGroup = "Distillation";
inline constexpr const char* kTrainingGroup = "Training";
inline constexpr const char* kSamplingGroup = "Sampling";
inline constexpr const char* kOnnxGroup = "ONNX files";
inline constexpr const char* kServerGroup = "Server";
inline constexpr const char* kMeasurementGroup = "Measurement";
inline constexpr const char* kOutputGroup = "Output";
inline constexpr const char* kComputeGroup = "Compute";

// Returns the place of a heading in that order; others come last.
size_t rank_of_group(std::string_view group);

// Returns the heading of the flag of an options struct's field, such as "ema_decay".
const char* group_of_field(const std::string& name);

// Returns a flag as help shows it: "--batch INT", "--[no-]anneal", "-h, --help", "RUN".
std::string usage_of(const FlagDescription& flag);

// Returns "Usage: halfstep sample --model MODEL [OPTIONS]".
std::string usage_of(const CommandDescription& command);

// Returns the words of `text` in lines of at most `width` columns.
std::string wrapped(const std::string& text, size_t width);

// Returns the help of the program: its commands.
std::string help_text(const Description& program, size_t width);

// Returns the help of a command: its purpose, usage, flags by group and examples, wrapped at
// `width` columns.
std::string help_text(const CommandDescription& command, size_t width);

// Returns the number of columns for text on stdout: those of $COLUMNS or of the terminal, from 40
// to 120; 80 if there is neither.
size_t columns_of_stdout();

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_HELP_H_
