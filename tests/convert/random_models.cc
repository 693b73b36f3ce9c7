#include "tests/convert/random_models.h"

#include <random>
#include <vector>

#include "halfstep/nn/unet_plan.h"
#include "tests/nn/small_networks.h"

namespace halfstep::test {
namespace {

// Draws options.
class Dice {
 public:
  explicit Dice(uint64_t seed) : bits_(seed) {}

  template <class T>
  T one_of(const std::vector<T>& values) {
    return values[bits_() % values.size()];
  }
  bool coin() { return one_of<int>({0, 1}) == 1; }

 private:
  std::mt19937_64 bits_;
};

UNetOptions random_unet_options(Dice& dice) {
  UNetOptions options;
  options.image_size = dice.one_of<int64_t>({8, 12});
  options.ch = dice.one_of<int64_t>({32, 64});
  options.emb_ch = dice.one_of<int64_t>({32, 48});
  options.ch_mult = dice.one_of<std::vector<int64_t>>({{1}, {1, 2}, {2, 1}, {1, 1, 2}});
  options.num_res_blocks = dice.one_of<int64_t>({1, 2});
  options.attn_resolutions = dice.one_of<std::vector<int64_t>>({{}, {4}, {6, 4}});
  options.num_heads = dice.one_of<int64_t>({1, 4});
  if (dice.coin()) {
    options.num_heads.reset();
    options.head_dim = 16;
  }
  options.time_input =
      dice.one_of<TimeInput>({TimeInput::inv_cos, TimeInput::linear, TimeInput::sigmoid});
  options.resblock_resample = dice.coin();
  return options;
}

UNet2dOptions random_unet2d_options(Dice& dice) {
  const std::vector<DownBlock> down = {DownBlock::plain, DownBlock::attn, DownBlock::resnet};
  const std::vector<UpBlock> up = {UpBlock::plain, UpBlock::attn, UpBlock::resnet};
  const std::vector<ResampleType> resample = {ResampleType::conv, ResampleType::resnet};
  UNet2dOptions options;
  options.image_size = dice.one_of<int64_t>({8, 12});
  options.block_out_channels = dice.one_of<std::vector<int64_t>>({{32, 64}, {64, 32}, {32, 32}});
  options.down_block_types = {dice.one_of(down), dice.one_of(down)};
  options.up_block_types = {dice.one_of(up), dice.one_of(up)};
  options.layers_per_block = dice.one_of<int64_t>({1, 2});
  options.add_attention = dice.coin();
  options.attention_head_dim = dice.one_of<std::optional<int64_t>>({std::nullopt, 8, 16});
  options.downsample_type = dice.one_of(resample);
  options.upsample_type = dice.one_of(resample);
  options.downsample_padding = dice.one_of<int64_t>({0, 1});
  options.norm_num_groups = dice.one_of<int64_t>({8, 32});
  options.attn_norm_num_groups = dice.one_of<std::optional<int64_t>>({std::nullopt, 4});
  options.norm_eps = dice.one_of<double>({1e-5, 1e-6});
  options.resnet_time_scale_shift =
      dice.coin() ? TimeScaleShift::shift : TimeScaleShift::scale_shift;
  options.time_embedding_dim = dice.one_of<std::optional<int64_t>>({std::nullopt, 48});
  options.freq_shift = dice.one_of<int64_t>({0, 1});
  options.flip_sin_to_cos = dice.coin();
  options.num_train_timesteps = dice.one_of<int64_t>({100, 1000});
  return options;
}

// Epsilon determines x only where there is more data than noise.
ScheduleOptions random_schedule(Dice& dice, Output output) {
  if (output == Output::eps) return LinearBetaSchedule{.timesteps = 100};
  std::vector<double> angles;
  for (int k = 1; k <= 10; ++k) angles.push_back(0.15 * k);
  return dice.one_of<ScheduleOptions>({CosineSchedule{}, CosineSchedule{.clip = std::nullopt},
                                       LinearBetaSchedule{}, TableSchedule{.phi = angles}});
}

template <class Options>
void draw_shapes(Dice& dice, Output output, Options& options) {
  options.in_channels = dice.one_of<int64_t>({1, 2, 3});
  options.out_channels = raw_channels(output, options.in_channels);
  options.num_classes = dice.one_of<int64_t>({0, 3});
  options.guidance_ch = dice.one_of<int64_t>({0, 0, 16, 33});
}

// Makes it the network of a model that restores images.
template <class Options>
ImageCondition draw_condition(Dice& dice, Output output, Options& options) {
  using Kind = ImageCondition::Kind;
  options.in_channels = dice.one_of<int64_t>({1, 3});
  options.out_channels = raw_channels(output, options.in_channels);
  std::vector<ImageCondition> conditions = {{.kind = Kind::super_resolution, .factor = 2},
                                            {.kind = Kind::inpainting}};
  if (options.in_channels == 3) conditions.push_back({.kind = Kind::colour});
  const ImageCondition condition = dice.one_of(conditions);
  options.condition_ch = condition_channels(condition, options.in_channels);
  return condition;
}

}  // namespace

Model random_model(uint64_t seed, bool restores) {
  Dice dice(seed);
  ModelSpec spec;
  spec.output = dice.one_of<Output>({Output::x, Output::eps, Output::v, Output::x_and_eps});
  spec.schedule = random_schedule(dice, spec.output);
  if (seed % 2 == 0) {
    UNetOptions options = random_unet_options(dice);
    draw_shapes(dice, spec.output, options);
    if (restores) spec.condition = draw_condition(dice, spec.output, options);
    spec.network = options;
  } else {
    UNet2dOptions options = random_unet2d_options(dice);
    draw_shapes(dice, spec.output, options);
    if (restores) spec.condition = draw_condition(dice, spec.output, options);
    spec.network = options;
  }
  const bool has_classes = num_classes(spec.network) > 1;
  spec.has_null_class = (has_classes || restores) && dice.coin();
  spec.sampling.num_steps = dice.one_of<int64_t>({0, 1, 2, 3});
  if (dice.coin()) spec.sampling.sampler = Sampler::ancestral;
  spec.sampling.variance = dice.one_of<double>({0.0, 0.3, 1.0});
  if (guidance_channels(spec.network) > 0) {
    spec.sampling.guidance_min = 1.0;
    spec.sampling.guidance_max = 5.0;
  }
  validate(spec);
  const UNetPlan plan = seed % 2 == 0
                            ? plan_of(std::get<UNetOptions>(spec.network))
                            : plan_of(std::get<UNet2dOptions>(spec.network), spec.schedule);
  return {spec, random_unet(plan, seed)};
}

}  // namespace halfstep::test
