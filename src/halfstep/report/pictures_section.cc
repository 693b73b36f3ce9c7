#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/io/base64.h"
#include "halfstep/io/image.h"
#include "halfstep/model/generate.h"
#include "halfstep/report/run_sections.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

constexpr int kGridWidth = 300;  // approximate width of a grid, CSS pixels
constexpr int kTileWidth = 56;   // approximate width of an image in a row, CSS pixels
constexpr int kMostTiles = 8;    // images in a row

// "teacher", "student", "student, matched", "model"
std::string subject_of(const RunFacts& facts, const Picture& picture) {
  if (picture.of_teacher) return "teacher";
  if (picture.matched) return "student, matched";
  return facts.distilling() && picture.num_steps > 0 ? "student" : "model";
}

std::string steps_of(const Picture& picture) {
  return counted(picture.num_steps > 0 ? picture.num_steps : StageGrid::kTeacherSteps, "step");
}

std::string description_of(const RunFacts& facts, const Picture& picture) {
  const std::string words =
      "samples of the " + subject_of(facts, picture) + " at " + steps_of(picture);
  return picture.update > 0 ? words + " after " + counted(picture.update, "update") : words;
}

// Returns a picture that a click, or the space bar, enlarges to the window and back. It is the
// label of an invisible check box, so that the page needs no script.
Html zoomable(const std::string& png, int width, int height, const std::string& description) {
  return element(
      "label", {{"class", "zoom"}},
      void_element("input", {{"type", "checkbox"}, {"aria-label", "Enlarge: " + description}}) +
          void_element("img", {{"src", "data:image/png;base64," + io::base64(png)},
                               {"width", std::to_string(width)},
                               {"height", std::to_string(height)},
                               {"alt", description}}));
}

Html grid_of(const RunFacts& facts, const Picture& picture) {
  // an integer scale, so that all pixels have the same size
  const int scale = std::max(1, (kGridWidth + picture.width / 2) / picture.width);
  return element("figure", zoomable(picture.png, scale * picture.width, scale * picture.height,
                                    description_of(facts, picture)) +
                               element("figcaption", element("b", steps_of(picture)) +
                                                         text(" " + subject_of(facts, picture))));
}

// The first images of a grid.
struct Strip {
  int images = 0;
  std::string png;
};

// Cuts the first images out of a grid of images of `side` pixels with lines of one pixel between
// them. Returns nullopt for a picture that is not such a grid.
std::optional<Strip> first_row(const Picture& picture, int side) {
  if ((picture.width + 1) % (side + 1) != 0 || (picture.height + 1) % (side + 1) != 0)
    return std::nullopt;
  const io::Image grid =
      io::decode_image(std::as_bytes(std::span(picture.png)), "the picture of a grid");
  const int images = std::min(kMostTiles, (picture.width + 1) / (side + 1));
  io::Image row{
      .width = images * (side + 1) - 1, .height = side, .channels = grid.channels, .pixels = {}};
  const auto line = static_cast<std::ptrdiff_t>(grid.width) * grid.channels;
  const auto kept = static_cast<std::ptrdiff_t>(row.width) * row.channels;
  for (int y = 0; y < side; ++y)
    row.pixels.insert(row.pixels.end(), grid.pixels.begin() + y * line,
                      grid.pixels.begin() + y * line + kept);
  const std::vector<std::byte> png = io::encode_png(row);
  return Strip{.images = images, .png = {reinterpret_cast<const char*>(png.data()), png.size()}};
}

// One row per picture: its name and its first images.
Html rows_of(const RunFacts& facts, const std::vector<Picture>& pictures) {
  const NetworkOptions& network = facts.options.model.network;
  if (!is_image(network)) return {};
  const auto side = static_cast<int>(input_shape(network)[2]);
  const int scale = std::max(1, (kTileWidth + side / 2) / side);
  Html rows;
  for (const Picture& picture : pictures) {
    const std::optional<Strip> strip = first_row(picture, side);
    if (!strip) continue;
    const std::string name =
        picture.update > 0 ? "update " + grouped(picture.update) : steps_of(picture);
    const std::string what = picture.update > 0 ? "" : " " + subject_of(facts, picture);
    rows += element("div", {{"class", "row"}},
                    element("div", element("b", name) + text(what)) +
                        zoomable(strip->png, scale * (strip->images * (side + 1) - 1), scale * side,
                                 "first " + description_of(facts, picture))) +
            Html{"\n"};
  }
  if (rows.markup.empty()) return {};
  return element("div", {{"class", "rows"}}, Html{"\n"} + rows);
}

Html snapshots_of(const RunFacts& facts) {
  Html content;
  for (const SnapshotFacts& stage : facts.snapshots) {
    const size_t shown = stage.pictures.size();
    const std::string some = shown < stage.count
                                 ? " (" + std::to_string(shown) + " of " +
                                       grouped(static_cast<int64_t>(stage.count)) + ")"
                                 : "";
    std::string name = stage.stage;  // "8 -> 4 steps"
    if (const size_t arrow = name.find("->"); arrow != std::string::npos)
      name.replace(arrow, 2, "\u2192");
    content += element("h3", "Snapshots of " + name + some) + rows_of(facts, stage.pictures);
  }
  return content;
}

// Returns "Seeds 0, 1, 2", or as many as a row has with their classes: "Seeds 0 (cat), 1 (dog)".
std::string seeds_of(const ModelSpec& model) {
  if (num_classes(model.network) < 2) return "Seeds 0, 1, 2";
  std::vector<uint64_t> seeds(kMostTiles);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  const Tensor labels = labels_of_seeds(model, seeds);
  std::string text = "Seeds ";
  for (int64_t k = 0; k < kMostTiles; ++k) {
    const auto label = labels[k].item<int64_t>();
    const auto number = static_cast<size_t>(label);
    text += (k == 0 ? "" : ", ") + std::to_string(k) + " (" +
            (number < model.class_names.size() ? model.class_names[number]
                                               : "class " + std::to_string(label)) +
            ")";
  }
  return text;
}

}  // namespace

Html pictures_section(const RunFacts& facts) {
  if (facts.pictures.empty() && facts.snapshots.empty()) {
    return section("Samples", element("p", {{"class", "quiet"}},
                                      text("No stage has finished yet, so there are no samples.")));
  }
  Html figures;
  for (const Picture& picture : facts.pictures) figures += grid_of(facts, picture) + Html{"\n"};
  const bool several = facts.pictures.size() > 1;
  const std::string same =
      "Images at the same place start from the same noise, so that their differences are the "
      "effect of fewer steps. ";
  const std::string words =
      seeds_of(facts.options.model) + ", ... " + (several ? same : std::string()) +
      "To enlarge a picture, click it, or select it with Tab and press the space bar.";
  Html content = element("p", words);
  if (several) content += rows_of(facts, facts.pictures);
  content += snapshots_of(facts);
  if (!facts.pictures.empty())
    content += element("h3", "All samples") +
               element("div", {{"class", "pictures"}}, Html{"\n"} + figures);
  return section("Samples", content);
}

}  // namespace halfstep::report
