// The layout of --help, and which questions are answered without a command. What a shell and man
// make of the scripts and the page: answers_test.py.
#include "cli/help.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "cli/answer.h"
#include "cli/completion.h"

namespace halfstep::cli {
namespace {

Description small_program() {
  CommandDescription sample{.name = "sample",
                            .purpose = "Draw samples from a model",
                            .notes = "Examples:\n  halfstep sample --model m --grid g.png"};
  sample.flags = {
      {.name = "--model", .type = "MODEL", .help = "Model", .group = "Model", .required = true},
      {.name = "--sampler",
       .type = "NAME",
       .words = {"ddim", "heun"},
       .default_value = "ddim",
       .help = "Sampler, one of several that this sentence would list if it were longer",
       .group = "Sampling"},
      {.name = "--clip", .help = "Clip", .group = "Sampling", .negatable = true}};
  CommandDescription info{.name = "info", .purpose = "Describe a model"};
  info.flags = {
      {.name = "PATH", .help = "What to describe", .group = "Arguments", .required = true}};
  return {.version = "1.2.3",
          .purpose = "halfstep 1.2.3",
          .notes = "Run it.",
          .flags = {{.name = "--help", .short_name = "-h", .help = "Print this help"}},
          .commands = {sample, info}};
}

size_t longest_line(const std::string& text) {
  size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

TEST(HelpText, ListsFlagsByGroupWithTypesAndDefaults) {
  EXPECT_EQ(help_text(small_program().commands[0], 80),
            "Draw samples from a model\n\n"
            "Usage: halfstep sample --model MODEL [OPTIONS]\n\n"
            "Model:\n"
            "  --model MODEL             Model [required]\n\n"
            "Sampling:\n"
            "  --sampler NAME            Sampler, one of several that this sentence would\n"
            "                            list if it were longer [default: ddim]\n"
            "  --[no-]clip               Clip\n\n"
            "Examples:\n"
            "  halfstep sample --model m --grid g.png\n");
  EXPECT_EQ(usage_of(small_program().commands[1]), "Usage: halfstep info PATH");
}

TEST(HelpText, IsWrappedAtTheWidth) {
  const CommandDescription sample = small_program().commands[0];
  EXPECT_LE(longest_line(help_text(sample, 50)), 50U);
  EXPECT_GT(longest_line(help_text(sample, 120)), 90U);
}

TEST(Answer, HelpOfACommandIsTheSameInEveryForm) {
  const Description program = small_program();
  const auto text = [&](const std::vector<std::string>& arguments) {
    EXPECT_TRUE(may_be_question(arguments));
    return answer(arguments, program, 80).value().out;
  };
  const std::string help = help_text(program.commands[0], 80);
  EXPECT_EQ(text({"sample", "--help"}), help);
  EXPECT_EQ(text({"sample", "--model", "m", "-h"}), help);
  EXPECT_EQ(text({"help", "sample"}), help);
  EXPECT_EQ(text({"help"}), text({"--help"}));
  EXPECT_EQ(text({"--version"}), "1.2.3\n");
}

TEST(Answer, CommandsAreNotQuestions) {
  const Description program = small_program();
  EXPECT_FALSE(answer({}, program, 80));
  EXPECT_FALSE(answer({"sample", "--model", "m"}, program, 80));
  EXPECT_FALSE(answer({"info", "--", "--help"}, program, 80));
  EXPECT_FALSE(answer({"smaple", "--help"}, program, 80));  // its error is that of the command
}

TEST(Answer, RefusesWhatItDoesNotKnow) {
  const Description program = small_program();
  const auto refusal = [&](const std::vector<std::string>& arguments) {
    const Answer found = answer(arguments, program, 80).value();
    EXPECT_EQ(found.code, 2);
    EXPECT_EQ(found.out, "");
    return found.error;
  };
  EXPECT_EQ(refusal({"help", "smaple"}), "[help] unknown command smaple; did you mean sample?");
  EXPECT_EQ(refusal({"completion"}), "[completion] expected bash, zsh or fish, received none");
  EXPECT_EQ(refusal({"completion", "tcsh"}),
            "[completion] expected bash, zsh or fish, received tcsh");
}

TEST(Description, SurvivesItsText) {
  const Description read = description_of_text(to_text(small_program()));
  EXPECT_EQ(to_text(read), to_text(small_program()));
  EXPECT_EQ(help_text(read.commands[0], 80), help_text(small_program().commands[0], 80));
}

TEST(ValueKind, FollowsFromTheNameOfTheType) {
  const auto kind = [](const std::string& type) {
    return value_kind({.name = "--flag", .type = type});
  };
  EXPECT_EQ(kind("NAME|FILE"), ValueKind::files);
  EXPECT_EQ(kind("PATH..."), ValueKind::files);
  EXPECT_EQ(kind("FOLDER"), ValueKind::folders);
  EXPECT_EQ(kind("INT"), ValueKind::none);
  EXPECT_EQ(value_kind({.name = "RUN"}), ValueKind::folders);
  EXPECT_EQ(value_kind({.name = "COMMAND"}), ValueKind::none);
}

}  // namespace
}  // namespace halfstep::cli
