#include "halfstep/nn/unet.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "halfstep/core/shape.h"
#include "halfstep/nn/activation_checkpoint.h"
#include "halfstep/nn/kernels/concat.h"

namespace halfstep {
namespace {

std::optional<Dense> make_class_embedding(Parameters& parameters, const UNetPlan& plan) {
  if (plan.num_classes < 2) return std::nullopt;
  return Dense(parameters, "class_emb", plan.num_classes, plan.emb_ch,
               plan.class_bias ? Dense::Bias::yes : Dense::Bias::no);
}

}  // namespace

UNet::UNet(const UNetPlan& plan)
    : plan_(plan),
      dense0_(parameters_, "dense0", plan_.ch, plan_.emb_ch),
      dense1_(parameters_, "dense1", plan_.emb_ch, plan_.emb_ch),
      class_emb_(make_class_embedding(parameters_, plan_)),
      conv_in_(parameters_, "conv_in", {.in = plan_.in_channels, .out = plan_.ch}),
      trunk_(make_trunk()),
      conv_out_(parameters_, "norm_out", "conv_out",
                {.conv = {.in = plan_.levels.front().channels,
                          .out = plan_.out_channels,
                          .initializer = Initializer::zeros,
                          .float32 = true},
                 .norm = {.groups = plan_.norm.groups,
                          .epsilon = plan_.norm.epsilon,
                          .activation = Activation::silu}}) {}

void UNet::set_precision(Precision precision) {
  precision_ = precision;
  parameters_.set_precision(precision);
}

ResnetBlock UNet::make_block(const std::string& name, int64_t in, int64_t out, Resample how) {
  return {parameters_, name,
          ResnetBlock::Options{.in = in,
                               .out = out,
                               .emb = plan_.emb_ch,
                               .dropout = plan_.dropout,
                               .resample = how,
                               .time = plan_.time,
                               .norm = plan_.norm}};
}

AttentionBlock UNet::make_attention(const std::string& name, int64_t channels,
                                    const std::optional<GroupNormOptions>& norm) {
  return {
      parameters_, name,
      AttentionBlock::Options{.channels = channels, .heads = plan_.heads(channels), .norm = norm}};
}

UNet::Stage UNet::make_stage(const std::string& level, int64_t index, int64_t in, int64_t out,
                             bool attend) {
  const std::string number = std::to_string(index);
  Stage stage{.block = make_block(level + ".block_" + number, in, out, Resample::none),
              .attention = std::nullopt};
  if (attend) stage.attention = make_attention(level + ".attn_" + number, out, plan_.norm);
  return stage;
}

UNet::Resampler UNet::make_resampler(const std::string& name, int64_t channels,
                                     UNetPlan::Resampler kind, Resample how) {
  Resampler resampler;
  if (kind == UNetPlan::Resampler::block) {
    resampler.block = make_block(name, channels, channels, how);
  } else {
    resampler.conv.emplace(parameters_, name,
                           ConvOptions{.in = channels,
                                       .out = channels,
                                       .stride = how == Resample::down ? 2 : 1,
                                       .symmetric = plan_.symmetric,
                                       .upsample = how == Resample::up});
  }
  return resampler;
}

UNet::Trunk UNet::make_trunk() {
  Trunk trunk;
  const auto levels = static_cast<int64_t>(plan_.levels.size());
  int64_t channels = plan_.ch;
  std::vector<int64_t> skips = {channels};
  for (int64_t l = 0; l < levels; ++l) {
    const UNetPlan::Level& plan = plan_.levels[static_cast<size_t>(l)];
    const std::string name = "down_" + std::to_string(l);
    Level level;
    for (int64_t b = 0; b < plan_.blocks; ++b) {
      level.stages.push_back(make_stage(name, b, channels, plan.channels, plan.attend_down));
      skips.push_back(channels = plan.channels);
    }
    if (l != levels - 1) {
      level.resampler = make_resampler(name + ".downsample", channels, plan.down, Resample::down);
      skips.push_back(channels);
    }
    trunk.down.push_back(std::move(level));
  }
  trunk.mid.push_back({make_block("mid.block_1", channels, channels, Resample::none), {}});
  if (plan_.attend_mid)
    trunk.mid.back().attention = make_attention("mid.attn_1", channels, plan_.mid_norm);
  trunk.mid.push_back({make_block("mid.block_2", channels, channels, Resample::none), {}});
  for (int64_t l = levels - 1; l >= 0; --l) {
    const UNetPlan::Level& plan = plan_.levels[static_cast<size_t>(l)];
    const std::string name = "up_" + std::to_string(l);
    Level level;
    for (int64_t b = 0; b <= plan_.blocks; ++b) {
      level.stages.push_back(
          make_stage(name, b, channels + skips.back(), plan.channels, plan.attend_up));
      skips.pop_back();
      channels = plan.channels;
    }
    if (l != 0)
      level.resampler = make_resampler(name + ".upsample", channels, plan.up, Resample::up);
    trunk.up.push_back(std::move(level));
  }
  return trunk;
}

Tensor UNet::embed(const Tensor& phi, const Tensor& labels, const at::Device& device) const {
  Tensor emb = dense1_(at::silu(dense0_(plan_.time_embedding(phi).to(device))));
  if (class_emb_) {
    // the null label is no class: a row of zeros
    const Tensor classes = at::arange(plan_.num_classes, at::TensorOptions().dtype(at::kLong));
    const Tensor one_hot = labels.defined() ? labels.cpu().unsqueeze(1).eq(classes).to(at::kFloat)
                                            : at::zeros({phi.size(0), plan_.num_classes},
                                                        at::TensorOptions().dtype(at::kFloat));
    emb = emb + (*class_emb_)(one_hot.to(device));
  }
  return at::silu(emb);
}

Tensor UNet::forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                          const ForwardOptions& options) const {
  require_shape("UNet", "z", z, {-1, plan_.in_channels, plan_.image_size, plan_.image_size});
  require_shape("UNet", "phi", phi, {z.size(0)});
  if (condition.labels.defined()) require_shape("UNet", "labels", condition.labels, {z.size(0)});
  require_labels_only("UNet", condition);
  parameters_.require_current();

  const Tensor emb = embed(phi, condition.labels, z.device());
  const bool checkpointing = activation_checkpointing_ && at::GradMode::is_enabled();
  const auto run = [&](const Block& block, const Tensor& h, const Tensor& skip) {
    return checkpointing ? checkpointed(block, h, skip, emb) : block(h, skip, emb);
  };
  const auto run_stage = [&](const Stage& stage, const Tensor& x, const Tensor& skip = {}) {
    const auto block = [&stage, dropout = options.dropout](const Tensor& x, const Tensor& skip,
                                                           const Tensor& emb) {
      const Tensor h = stage.block(skip.defined() ? concat_channels(x, skip) : x, emb, dropout);
      return stage.attention ? (*stage.attention)(h) : h;
    };
    return run(block, x, skip);
  };
  const auto run_resampler = [&](const Resampler& resampler, const Tensor& x) {
    const auto block = [&resampler, dropout = options.dropout](
                           const Tensor& x, const Tensor& /*skip*/, const Tensor& emb) {
      return resampler.block ? (*resampler.block)(x, emb, dropout) : (*resampler.conv)(x);
    };
    return run(block, x, {});
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
      h = run_stage(stage, h, skips.back());
      skips.pop_back();
    }
    if (level.resampler) h = run_resampler(*level.resampler, h);
  }
  return conv_out_(h).y.contiguous();
}

std::unique_ptr<Network> UNet::clone() const {
  auto copy = std::make_unique<UNet>(plan_);
  if (!parameters().empty()) copy->to(parameters().front().tensor.device());
  copy_parameters(*this, *copy);
  copy->set_precision(precision_);
  return copy;
}

}  // namespace halfstep
