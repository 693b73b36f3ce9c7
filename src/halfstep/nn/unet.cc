#include "halfstep/nn/unet.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/nn/kernels/concat.h"

namespace halfstep {
namespace {

constexpr int64_t kNormGroups = 32;
// Beyond any network there is, and small enough that no product of sizes leaves int64: options are
// read from files.
constexpr int64_t kMaxSize = int64_t{1} << 16;
constexpr int64_t kMaxClasses = int64_t{1} << 24;
constexpr size_t kMaxLevels = 16;
constexpr int64_t kMaxBlocks = 256;  // a level

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
    fail("ch", "a multiple of 32, the number of norm groups, up to " + std::to_string(kMaxSize),
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
  if (options.num_classes < 0 || options.num_classes > kMaxClasses) {
    fail("num_classes", "0 to " + std::to_string(kMaxClasses), std::to_string(options.num_classes));
  }
}

UNet::UNet(const UNetOptions& options)
    : options_((validate(options), options)),
      dense0_(parameters_, "dense0", options.ch, options.emb_ch),
      dense1_(parameters_, "dense1", options.emb_ch, options.emb_ch),
      class_emb_(options.num_classes > 1
                     ? std::optional<Dense>(
                           Dense(parameters_, "class_emb", options.num_classes, options.emb_ch))
                     : std::nullopt),
      conv_in_(parameters_, "conv_in", {.in = options.in_channels, .out = options.ch}),
      trunk_(make_trunk()),
      conv_out_(parameters_, "norm_out", "conv_out",
                {.conv = {.in = options.ch * options.ch_mult.front(),
                          .out = options.out_channels,
                          .initializer = Initializer::zeros,
                          .float32 = true}}) {}

void UNet::set_precision(Precision precision) {
  precision_ = precision;
  parameters_.set_precision(precision);
}

UNet::Stage UNet::make_stage(const std::string& level, const std::string& block,
                             const std::string& attention, int64_t in, int64_t out, bool attend) {
  Stage stage{.block = ResnetBlock(
                  parameters_, level + "." + block,
                  {.in = in, .out = out, .emb = options_.emb_ch, .dropout = options_.dropout}),
              .attention = std::nullopt};
  if (attend) {
    const int64_t heads = options_.num_heads ? *options_.num_heads : out / *options_.head_dim;
    stage.attention.emplace(parameters_, level + "." + attention, out, heads);
  }
  return stage;
}

UNet::Resampler UNet::make_resampler(const std::string& name, int64_t channels, Resample how) {
  Resampler resampler;
  if (options_.resblock_resample) {
    resampler.block.emplace(parameters_, name,
                            ResnetBlock::Options{.in = channels,
                                                 .out = channels,
                                                 .emb = options_.emb_ch,
                                                 .dropout = options_.dropout,
                                                 .resample = how});
  } else {
    resampler.conv.emplace(parameters_, name,
                           ConvOptions{.in = channels,
                                       .out = channels,
                                       .stride = how == Resample::down ? 2 : 1,
                                       .upsample = how == Resample::up});
  }
  return resampler;
}

UNet::Trunk UNet::make_trunk() {
  Trunk trunk;
  const auto levels = static_cast<int64_t>(options_.ch_mult.size());
  int64_t size = options_.image_size;
  int64_t channels = options_.ch;
  std::vector<int64_t> skips = {channels};
  for (int64_t l = 0; l < levels; ++l) {
    const std::string name = "down_" + std::to_string(l);
    Level level;
    for (int64_t b = 0; b < options_.num_res_blocks; ++b) {
      const int64_t out = options_.ch * options_.ch_mult[static_cast<size_t>(l)];
      const std::string index = std::to_string(b);
      level.stages.push_back(make_stage(name, "block_" + index, "attn_" + index, channels, out,
                                        contains(options_.attn_resolutions, size)));
      channels = out;
      skips.push_back(channels);
    }
    if (l != levels - 1) {
      level.resampler = make_resampler(name + ".downsample", channels, Resample::down);
      size /= 2;
      skips.push_back(channels);
    }
    trunk.down.push_back(std::move(level));
  }
  trunk.mid.push_back(make_stage("mid", "block_1", "attn_1", channels, channels, /*attend=*/true));
  trunk.mid.push_back(make_stage("mid", "block_2", "", channels, channels, /*attend=*/false));
  for (int64_t l = levels - 1; l >= 0; --l) {
    const std::string name = "up_" + std::to_string(l);
    Level level;
    for (int64_t b = 0; b <= options_.num_res_blocks; ++b) {
      const int64_t out = options_.ch * options_.ch_mult[static_cast<size_t>(l)];
      const std::string index = std::to_string(b);
      level.stages.push_back(make_stage(name, "block_" + index, "attn_" + index,
                                        channels + skips.back(), out,
                                        contains(options_.attn_resolutions, size)));
      skips.pop_back();
      channels = out;
    }
    if (l != 0) {
      level.resampler = make_resampler(name + ".upsample", channels, Resample::up);
      size *= 2;
    }
    trunk.up.push_back(std::move(level));
  }
  return trunk;
}

Tensor time_embedding(const Tensor& phi, TimeInput time_input, int64_t ch) {
  const Tensor logsnr = logsnr_of_phi(phi).clamp(-20.0, 20.0);
  Tensor input;
  switch (time_input) {
    case TimeInput::inv_cos:
      input = phi_of_logsnr(logsnr) / kHalfPi;
      break;
    case TimeInput::linear:
      input = (logsnr + 10.0) / 20.0;
      break;
    case TimeInput::sigmoid:
      input = logsnr.sigmoid();
      break;
  }
  const int64_t half = ch / 2;
  const Tensor k = at::arange(half, at::TensorOptions().dtype(at::kDouble));
  const Tensor frequency = (k * (-std::log(10000.0) / static_cast<double>(half - 1))).exp();
  const Tensor argument = (1000.0 * input).unsqueeze(1) * frequency;
  Tensor embedding = at::cat({argument.sin(), argument.cos()}, 1);
  if (ch % 2 != 0) embedding = at::constant_pad_nd(embedding, {0, 1});
  return embedding.to(at::kFloat);
}

Tensor UNet::embed(const Tensor& phi, const Tensor& labels, const at::Device& device) const {
  const Tensor time = time_embedding(phi, options_.time_input, options_.ch).to(device);
  Tensor emb = dense1_(at::silu(dense0_(time)));
  if (class_emb_) {
    // the null label is no class: a row of zeros
    const Tensor classes = at::arange(options_.num_classes, at::TensorOptions().dtype(at::kLong));
    const Tensor one_hot = labels.defined() ? labels.cpu().unsqueeze(1).eq(classes).to(at::kFloat)
                                            : at::zeros({phi.size(0), options_.num_classes},
                                                        at::TensorOptions().dtype(at::kFloat));
    emb = emb + (*class_emb_)(one_hot.to(device));
  }
  return at::silu(emb);
}

Tensor UNet::forward(const Tensor& z, const Tensor& phi, const Condition& condition) const {
  require_shape("UNet", "z", z,
                {-1, options_.in_channels, options_.image_size, options_.image_size});
  require_shape("UNet", "phi", phi, {z.size(0)});
  if (condition.labels.defined()) require_shape("UNet", "labels", condition.labels, {z.size(0)});

  parameters_.require_current();

  const Tensor emb = embed(phi, condition.labels, z.device());
  const auto run_stage = [&](const Stage& stage, const Tensor& x) {
    const Tensor h = stage.block(x, emb, condition.dropout);
    return stage.attention ? (*stage.attention)(h) : h;
  };
  const auto run_resampler = [&](const Resampler& resampler, const Tensor& x) {
    return resampler.block ? (*resampler.block)(x, emb, condition.dropout) : (*resampler.conv)(x);
  };

  Tensor h = conv_in_(z.to(scalar_type_of(precision_)).contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<Tensor> skips = {h};
  for (const Level& level : trunk_.down) {
    for (const Stage& stage : level.stages) skips.push_back(h = run_stage(stage, h));
    if (level.resampler) skips.push_back(h = run_resampler(*level.resampler, h));
  }
  for (const Stage& stage : trunk_.mid) h = run_stage(stage, h);
  for (const Level& level : trunk_.up) {
    for (const Stage& stage : level.stages) {
      h = run_stage(stage, concat_channels(h, skips.back()));
      skips.pop_back();
    }
    if (level.resampler) h = run_resampler(*level.resampler, h);
  }
  return conv_out_(h).y.contiguous();
}

std::unique_ptr<Network> UNet::clone() const {
  auto copy = std::make_unique<UNet>(options_);
  if (!parameters().empty()) copy->to(parameters().front().tensor.device());
  copy_parameters(*this, *copy);
  copy->set_precision(precision_);
  return copy;
}

}  // namespace halfstep
