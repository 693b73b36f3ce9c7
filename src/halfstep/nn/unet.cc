#include "halfstep/nn/unet.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "halfstep/core/shape.h"
#include "halfstep/nn/activation_checkpoint.h"
#include "halfstep/nn/kernels/concat.h"
#include "halfstep/nn/unet_walk.h"

namespace halfstep {
namespace {

std::optional<Dense> make_class_embedding(Parameters& parameters, const UNetPlan& plan) {
  if (plan.num_classes < 2) return std::nullopt;
  return Dense(parameters, "class_emb", plan.num_classes, plan.emb_ch,
               plan.class_bias ? Dense::Bias::yes : Dense::Bias::no);
}

std::optional<Dense> make_guidance_projection(Parameters& parameters, const UNetPlan& plan) {
  if (plan.guidance_ch == 0) return std::nullopt;
  return Dense(parameters, kGuidanceProjection, plan.guidance_ch, plan.ch, Dense::Bias::no,
               Initializer::zeros);
}

}  // namespace

class UNet::Builder {
 public:
  Builder(Parameters& parameters, const UNetPlan& plan) : parameters_(parameters), plan_(plan) {}

  static Layers build(Parameters& parameters, const UNetPlan& plan) {
    Builder builder(parameters, plan);
    walk_unet(plan, builder);
    return std::move(builder.layers_);
  }

  void conv_in(const ConvSite& site) {
    layers_.conv_in.emplace(parameters_, site.name, ConvOptions{.in = site.in, .out = site.out});
  }

  // The skip that conv_in pushes is implied.
  void push() {
    if (!layers_.trunk.empty()) layers_.trunk.back().pushes = true;
  }

  void pop(int64_t /*channels*/) { pops_ = true; }

  void residual(const ResidualSite& site) {
    add(ResnetBlock(parameters_, site.name,
                    {.in = site.in,
                     .out = site.out,
                     .emb = plan_.emb_ch,
                     .dropout = plan_.dropout,
                     .resample = site.resample,
                     .time = plan_.time,
                     .norm = plan_.norm}));
  }

  void attention(const AttentionSite& site) {
    layers_.trunk.back().attention.emplace(
        parameters_, site.name,
        AttentionBlock::Options{
            .channels = site.channels, .heads = plan_.heads(site.channels), .norm = site.norm});
  }

  void resample(const ConvSite& site) {
    add(Conv(parameters_, site.name,
             {.in = site.in,
              .out = site.out,
              .stride = site.resample == Resample::down ? 2 : 1,
              .symmetric = plan_.symmetric,
              .upsample = site.resample == Resample::up}));
  }

  void conv_out(const ConvSite& site) {
    layers_.conv_out.emplace(parameters_, "norm_out", site.name,
                             NormConv::Options{.conv = {.in = site.in,
                                                        .out = site.out,
                                                        .initializer = Initializer::zeros,
                                                        .float32 = true},
                                               .norm = {.groups = plan_.norm.groups,
                                                        .epsilon = plan_.norm.epsilon,
                                                        .activation = Activation::silu}});
  }

 private:
  void add(std::variant<ResnetBlock, Conv> body) {
    layers_.trunk.push_back(
        {.body = std::move(body), .attention = std::nullopt, .pops = std::exchange(pops_, false)});
  }

  Parameters& parameters_;
  const UNetPlan& plan_;
  Layers layers_;
  bool pops_ = false;  // the next residual block does
};

UNet::UNet(const UNetPlan& plan)
    : plan_(plan),
      dense0_(parameters_, "dense0", plan_.ch, plan_.emb_ch),
      dense1_(parameters_, "dense1", plan_.emb_ch, plan_.emb_ch),
      guidance_proj_(make_guidance_projection(parameters_, plan_)),
      class_emb_(make_class_embedding(parameters_, plan_)),
      layers_(Builder::build(parameters_, plan_)) {}

std::vector<uint32_t> UNet::dropout_sites() const {
  std::vector<uint32_t> sites;
  for (const Unit& unit : layers_.trunk) {
    const auto* block = std::get_if<ResnetBlock>(&unit.body);
    if (block && plan_.dropout > 0.0) sites.push_back(block->dropout_site());
  }
  return sites;
}

void UNet::to(const at::Device& device) {
  parameters_.to(device);
  if (plan_.time_table.defined()) plan_.time_table = plan_.time_table.to(device);
}

void UNet::set_precision(Precision precision) {
  precision_ = precision;
  parameters_.set_precision(precision);
}

Tensor UNet::Unit::operator()(const Tensor& h, const Tensor& skip, const Tensor& emb,
                              const std::optional<DropoutKey>& dropout) const {
  const Tensor x = skip.defined() ? concat_channels(h, skip) : h;
  const auto* block = std::get_if<ResnetBlock>(&body);
  const Tensor y = block ? (*block)(x, emb, dropout) : std::get<Conv>(body)(x);
  return attention ? (*attention)(y) : y;
}

Tensor UNet::embed(const Tensor& phi, const Condition& condition, const at::Device& device) const {
  Tensor input = plan_.time_embedding(phi.to(device), plan_.time_table);
  if (guidance_proj_) {
    const Tensor guidance = guidance_embedding(condition.guidance.to(device), plan_.guidance_ch);
    input = input + (*guidance_proj_)(guidance);
  }
  Tensor emb = dense1_(at::silu(dense0_(input)));
  if (class_emb_) {
    // The null label selects no class: a row of zeros.
    const auto on_device = at::TensorOptions().device(device);
    const Tensor& labels = condition.labels;
    const Tensor one_hot =
        labels.defined() ? labels.to(device)
                               .unsqueeze(1)
                               .eq(at::arange(plan_.num_classes, on_device.dtype(at::kLong)))
                               .to(at::kFloat)
                         : at::zeros({phi.size(0), plan_.num_classes}, on_device.dtype(at::kFloat));
    emb = emb + (*class_emb_)(one_hot);
  }
  return at::silu(emb);
}

Tensor UNet::forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                          const ForwardOptions& options) const {
  require_shape("UNet", "z", z, {-1, plan_.in_channels, plan_.image_size, plan_.image_size});
  require_shape("UNet", "phi", phi, {z.size(0)});
  if (condition.labels.defined()) require_shape("UNet", "labels", condition.labels, {z.size(0)});
  require_inputs("UNet", condition, z,
                 {.guidance = guidance_proj_.has_value(), .condition_ch = plan_.condition_ch});
  if (guidance_proj_) require_shape("UNet", "guidance", condition.guidance, {z.size(0)});
  parameters_.require_current();

  const Tensor emb = embed(phi, condition, z.device());
  const bool checkpointing = activation_checkpointing_ && at::GradMode::is_enabled();
  const Tensor image = condition_image(condition, z, plan_.condition_ch);
  const Tensor input = image.defined() ? at::cat({z, image}, /*dim=*/1) : z;
  Tensor h = (*layers_.conv_in)(
      input.to(scalar_type_of(precision_)).contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<Tensor> skips = {h};
  for (const Unit& unit : layers_.trunk) {
    const auto block = [&unit, dropout = options.dropout](const Tensor& x, const Tensor& skip,
                                                          const Tensor& emb) {
      return unit(x, skip, emb, dropout);
    };
    const Tensor skip = unit.pops ? skips.back() : Tensor();
    if (unit.pops) skips.pop_back();
    h = checkpointing ? checkpointed(block, h, skip, emb) : block(h, skip, emb);
    if (unit.pushes) skips.push_back(h);
  }
  return (*layers_.conv_out)(h).y.contiguous();
}

std::unique_ptr<Network> UNet::clone() const {
  auto copy = std::make_unique<UNet>(plan_);
  if (!parameters().empty()) copy->to(parameters().front().tensor.device());
  copy_parameters(*this, *copy);
  copy->set_precision(precision_);
  return copy;
}

}  // namespace halfstep
