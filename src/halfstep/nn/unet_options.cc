#include "halfstep/nn/unet_options.h"

#include <algorithm>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {
namespace {

constexpr int64_t kNormGroups = 32;

bool contains(const std::vector<int64_t>& values, int64_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

[[noreturn]] void fail(const std::string& field, const std::string& expected,
                       const std::string& received) {
  throw ConfigError("UNetOptions", field + ": expected " + expected + ", received " + received);
}

}  // namespace

void validate(const UNetOptions& options) {
  const auto positive = [](const char* field, int64_t value) {
    if (value >= 1 && value <= kMaxSize) return;
    fail(field, "1 to " + std::to_string(kMaxSize), std::to_string(value));
  };
  positive("image_size", options.image_size);
  positive("in_channels", options.in_channels);
  positive("out_channels", options.out_channels);
  positive("emb_ch", options.emb_ch);
  if (options.ch < kNormGroups || options.ch > kMaxSize || options.ch % kNormGroups != 0) {
    fail("ch", "a multiple of 32 (the number of norm groups) up to " + std::to_string(kMaxSize),
         std::to_string(options.ch));
  }
  if (options.ch_mult.empty() || options.ch_mult.size() > kMaxLevels) {
    fail("ch_mult", "1 to " + std::to_string(kMaxLevels) + " levels",
         std::to_string(options.ch_mult.size()));
  }
  for (const int64_t mult : options.ch_mult) {
    positive("ch_mult", mult);
    positive("ch times ch_mult", options.ch * mult);
  }
  if (options.num_res_blocks < 1 || options.num_res_blocks > kMaxBlocks) {
    fail("num_res_blocks", "1 to " + std::to_string(kMaxBlocks),
         std::to_string(options.num_res_blocks));
  }
  const int64_t shrink = int64_t{1} << (options.ch_mult.size() - 1);
  if (options.image_size % shrink != 0) {
    fail("image_size",
         "a multiple of " + std::to_string(shrink) + " for " +
             std::to_string(options.ch_mult.size()) + " levels",
         std::to_string(options.image_size));
  }
  if (options.num_heads.has_value() == options.head_dim.has_value()) {
    fail("num_heads and head_dim", "exactly one of them", options.num_heads ? "both" : "neither");
  }
  positive("num_heads or head_dim", options.num_heads.value_or(options.head_dim.value_or(1)));
  for (const int64_t mult : options.ch_mult) {
    const int64_t divisor = options.num_heads.value_or(options.head_dim.value_or(1));
    if (options.ch * mult % divisor != 0) {
      fail("num_heads or head_dim",
           "a divisor of " + std::to_string(options.ch * mult) + " channels",
           std::to_string(divisor));
    }
  }
  if (!(options.dropout >= 0.0 && options.dropout < 1.0)) {
    fail("dropout", "a rate in [0, 1)", std::to_string(options.dropout));
  }
  require_guidance_ch("UNetOptions", options.guidance_ch);
  if (options.condition_ch < 0 || options.condition_ch > kMaxSize) {
    fail("condition_ch", "0 to " + std::to_string(kMaxSize), std::to_string(options.condition_ch));
  }
  if (options.num_classes < 0 || options.num_classes > kMaxClasses) {
    fail("num_classes", "0 to " + std::to_string(kMaxClasses), std::to_string(options.num_classes));
  }
}

UNetPlan plan_of(const UNetOptions& options) {
  validate(options);
  UNetPlan plan{.image_size = options.image_size,
                .in_channels = options.in_channels,
                .condition_ch = options.condition_ch,
                .out_channels = options.out_channels,
                .ch = options.ch,
                .blocks = options.num_res_blocks,
                .head_dim = options.head_dim,
                .num_heads = options.num_heads.value_or(1),
                .dropout = options.dropout,
                .emb_ch = options.emb_ch,
                .time_embedding = [input = options.time_input, ch = options.ch](
                                      const Tensor& phi,
                                      const Tensor&) { return time_embedding(phi, input, ch); },
                .guidance_ch = options.guidance_ch,
                .num_classes = options.num_classes};
  const UNetPlan::Resampler resampler =
      options.resblock_resample ? UNetPlan::Resampler::block : UNetPlan::Resampler::conv;
  int64_t size = options.image_size;
  for (const int64_t mult : options.ch_mult) {
    const bool attend = contains(options.attn_resolutions, size);
    plan.levels.push_back({.channels = options.ch * mult,
                           .attend_down = attend,
                           .attend_up = attend,
                           .down = resampler,
                           .up = resampler});
    size /= 2;
  }
  return plan;
}

}  // namespace halfstep
