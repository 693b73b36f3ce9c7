#include "halfstep/report/run_sections.h"

#include <algorithm>
#include <string>

#include "halfstep/io/array.h"
#include "halfstep/report/curves.h"
#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

// "28 x 28 grey images", "examples of shape [2]"
std::string examples_of(const RunFacts& facts) {
  const NetworkOptions& network = facts.options.model.network;
  const std::vector<int64_t> shape = input_shape(network);
  if (!is_image(network)) return "examples of shape " + io::to_string(shape);
  return std::to_string(shape[2]) + " \u00d7 " + std::to_string(shape[1]) +
         (shape[0] == 1 ? " grey" : " RGB") + " images";
}

bool work_is_known(const RunFacts& facts) { return facts.cost.flops > 0.0; }

std::string name_of_data(const RunOptions& options) {
  if (!options.model.origin.data.empty()) return options.model.origin.data;
  return options.data.filename().string();
}

std::string name_of_stage(const Stage& stage) {
  if (stage.kind != StageKind::distill) return stage.name;
  return std::to_string(stage.teacher_steps()) + " \u2192 " + std::to_string(stage.num_steps) +
         " steps";
}

// Describes the run in one sentence.
std::string sentence_of(const RunFacts& facts) {
  const RunOptions& options = facts.options;
  const std::string images = name_of_data(options) + " (" + examples_of(facts) + ")";
  const std::string batch = " of " + counted(options.update.batch, "image");
  if (!facts.distilling()) {
    return "A diffusion model " + std::string(options.init_sha256 ? "trained further" : "trained") +
           " on " + images + ": " + counted(options.train.updates, "update") + batch + ".";
  }
  const std::string ending = ", " + counted(facts.updates_planned(), "update") + batch + ".";
  std::string steps = std::to_string(options.distill.start_steps);
  std::string before;  // of the stages that keep the sampling steps
  std::string matching;
  int64_t halvings = 0;
  for (const StageFacts& stage : facts.stages) {
    if (stage.stage.kind == StageKind::convert || stage.stage.kind == StageKind::guide) {
      before += name_of_stage(stage.stage) + ", ";
    } else if (stage.stage.kind == StageKind::match) {
      matching = ", then moment matching";
    } else {
      steps += " \u2192 " + std::to_string(stage.stage.num_steps);
      ++halvings;
    }
  }
  if (options.distill.method == DistillMethod::moment_matching) {
    return "Distillation of a diffusion model of " + images + " by moment matching: " + before +
           counted(options.distill.end_steps, "sampling step") + ending;
  }
  const std::string method =
      options.distill.method == DistillMethod::direct ? "directly" : counted(halvings, "halving");
  return "Progressive distillation of a diffusion model of " + images + ": " + before + steps +
         " sampling steps, " + method + matching + ending;
}

// Describes the progress of an unfinished run; empty for a finished one.
Html state_of(const RunFacts& facts) {
  if (facts.finished()) return {};
  std::string words = "Unfinished: " + grouped(facts.updates_done()) + " of " +
                      counted(facts.updates_planned(), "update") + " recorded.";
  for (const StageFacts& stage : facts.stages) {
    if (stage.finished || !facts.distilling()) continue;
    words += stage.lines.empty() ? " " + name_of_stage(stage.stage) + " has not begun."
                                 : " " + name_of_stage(stage.stage) + " is at update " +
                                       grouped(stage.updates_done()) + ".";
  }
  return element("p", {{"class", "notice"}}, text(words));
}

Html figure_tile(const std::string& value, const std::string& name) {
  return element("div", element("dt", name) + element("dd", value));
}

double images_of(const RunFacts& facts, int64_t updates) {
  return static_cast<double>(updates) * static_cast<double>(facts.options.update.batch);
}

double images_per_second(const RunFacts& facts, int64_t updates, double seconds) {
  if (seconds <= 0.0) return 0.0;
  return images_of(facts, updates) / seconds;
}

double flops_of(const RunFacts& facts) {
  double total = 0.0;
  for (const StageFacts& stage : facts.stages) total += facts.flops_of(stage);
  return total;
}

}  // namespace

Html section(std::string_view heading, const Html& content) {
  return element("section", element("h2", heading) + Html{"\n"} + content) + Html{"\n"};
}

Html heading_section(const RunFacts& facts) {
  const int64_t done = facts.updates_done();
  Html tiles =
      figure_tile(grouped(done), "updates") + figure_tile(duration(facts.seconds()), "in updates");
  if (done > 0) {
    tiles += figure_tile(rounded(images_per_second(facts, done, facts.seconds())), "images/s");
    if (work_is_known(facts))
      tiles += figure_tile(with_prefix(flops_of(facts), "FLOP"), "computed");
  }
  tiles += figure_tile(with_prefix(static_cast<double>(facts.parameters), ""), "parameters");
  if (facts.skipped > 0)
    tiles += figure_tile(grouped(facts.skipped), "updates skipped (not finite)");
  return element("header", element("h1", facts.name) + element("p", sentence_of(facts)) +
                               state_of(facts) + element("dl", {{"class", "tiles"}}, tiles)) +
         Html{"\n"};
}

Html curves_section(const RunFacts& facts) {
  if (facts.updates_done() == 0)
    return section("Loss and speed",
                   element("p", {{"class", "quiet"}}, text("No updates have been recorded yet.")));
  Html charts;
  const auto add = [&](const std::string& caption, const Chart& chart) {
    charts += element("figure", element("figcaption", caption) + to_html(chart)) + Html{"\n"};
  };
  for (const StageFacts& stage : facts.stages) {
    if (!stage.lines.empty()) add(name_of_stage(stage.stage), loss_chart(stage));
  }
  add("speed", speed_chart(facts));
  const int64_t log_every = facts.options.update.log_every;
  std::string words =
      "Faint lines: " +
      (log_every == 1 ? "every update" : "means of " + counted(log_every, "update")) +
      ". Solid lines: moving average over 5 % of the updates.";
  if (facts.stages.size() > 1)
    words += " Dotted lines in the speed chart: start of the stage with that many steps.";
  return section("Loss and speed",
                 element("p", words) + element("div", {{"class", "charts"}}, Html{"\n"} + charts));
}

Html cost_section(const RunFacts& facts) {
  Table table{.columns = {{"stage"},
                          {"updates", true},
                          {"images", true},
                          {"time", true},
                          {"images/s", true},
                          {"work", true},
                          {"work/s", true}}};
  const auto add = [&](const std::string& name, int64_t done, int64_t planned, double seconds,
                       double work) {
    const double images = images_per_second(facts, done, seconds);
    table.rows.push_back(
        {text(name),
         text(done == planned ? grouped(done) : grouped(done) + " of " + grouped(planned)),
         text(rounded(images_of(facts, done))), number(seconds, duration(seconds)),
         seconds > 0.0 ? number(images, rounded(images)) : text("\u2013"),
         work_is_known(facts) ? number(work, with_prefix(work, "FLOP")) : text("\u2013"),
         work_is_known(facts) && seconds > 0.0 ? text(with_prefix(work / seconds, "FLOP/s"))
                                               : text("\u2013")});
  };
  for (const StageFacts& stage : facts.stages) {
    add(name_of_stage(stage.stage), stage.updates_done(), stage.stage.updates, stage.seconds,
        facts.flops_of(stage));
  }
  if (facts.stages.size() > 1) {
    add("all", facts.updates_done(), facts.updates_planned(), facts.seconds(), flops_of(facts));
    table.has_total = true;
  }
  if (!work_is_known(facts)) return section("Time and work", to_html(table));
  const std::string words =
      "Work counts two operations per multiply-add of convolutions, dense layers and attention: " +
      with_prefix(facts.cost.flops, "FLOP") + " per forward call and image. " +
      (facts.distilling()
           ? "An update counts as three forward calls (forward, backward) for each network that is "
             "trained and one more per call of the teacher."
           : "An update counts as three forward calls (forward, backward).");
  return section("Time and work", to_html(table) + element("p", {{"class", "quiet"}}, text(words)));
}

Html environment_section(const RunFacts& facts) {
  Html content;
  if (facts.fingerprint.is_object()) {
    Table table{.columns = {{"property"}, {"value"}}};
    for (const auto& [key, value] : facts.fingerprint.items())
      table.rows.push_back({element("code", key),
                            text(value.is_string() ? value.get<std::string>() : value.dump())});
    content +=
        element("p",
                "The newest state was saved with the following. A resume with the same values "
                "ends with the same bits.") +
        to_html(table);
  } else {
    content += element("p", {{"class", "quiet"}}, text("No state has been saved yet."));
  }
  if (!facts.log.empty())
    content += element("details", element("summary", "log.txt") + element("pre", facts.log));
  return section("Environment", content);
}

}  // namespace halfstep::report
