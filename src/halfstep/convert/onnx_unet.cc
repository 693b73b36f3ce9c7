#include "halfstep/convert/onnx_unet.h"

#include <cmath>
#include <utility>
#include <vector>

#include "halfstep/nn/unet_walk.h"

namespace halfstep {
namespace {

OnnxValue silu(OnnxGraph& graph, const OnnxValue& x) {
  return graph.mul(x, graph.node("Sigmoid", {x}));
}

OnnxValue gemm(OnnxGraph& graph, const OnnxValue& x, const std::string& name, const Tensor& weight,
               const Tensor& bias) {
  std::vector<OnnxValue> inputs = {x, graph.initializer(name + ".weight", weight)};
  if (bias.defined()) inputs.push_back(graph.initializer(name + ".bias", bias));
  return graph.node("Gemm", inputs, {{"transB", int64_t{1}}});
}

// The dense layer temb_proj of a block, with the weight and bias of the norm that it modulates:
//   scale = weight (1 + m),  shift = bias (1 + m) + n,  (m, n) = temb_proj(emb)
// are linear in the embedding, too.
std::pair<Tensor, Tensor> scale_and_shift(const Tensor& dense_weight, const Tensor& dense_bias,
                                          const Tensor& norm_weight, const Tensor& norm_bias) {
  const auto wide = [](const Tensor& t) { return t.detach().cpu().to(at::kDouble); };
  const std::vector<Tensor> w = wide(dense_weight).chunk(2);
  const std::vector<Tensor> b = wide(dense_bias).chunk(2);
  const Tensor weight = wide(norm_weight);
  const Tensor bias = wide(norm_bias);
  const Tensor gain = 1.0 + b[0];
  return {at::cat({weight.unsqueeze(1) * w[0], bias.unsqueeze(1) * w[0] + w[1]}).to(at::kFloat),
          at::cat({weight * gain, bias * gain + b[1]}).to(at::kFloat)};
}

}  // namespace

// The layers between the image and the raw output, as walk_unet visits them.
class OnnxUNet::Layers {
 public:
  Layers(OnnxUNet& unet, const Inputs& inputs, OnnxValue emb, std::string scope)
      : unet_(unet),
        graph_(unet.graph_),
        emb_(std::move(emb)),
        scope_(std::move(scope)),
        h_(inputs.z) {}

  const OnnxValue& output() const { return h_; }

  void conv_in(const ConvSite& site) {
    enter(site.name);
    h_ = conv(h_, site.name);
  }

  void push() { skips_.push_back(h_); }

  void pop(int64_t /*channels*/) {
    h_ = graph_.concat({h_, skips_.back()}, 1);
    skips_.pop_back();
  }

  void residual(const ResidualSite& site) {
    enter(site.name);
    const OnnxValue x = h_;
    OnnxValue h = silu(graph_, norm(x, site.name + ".norm1", site.in, site.size_in, plan().norm));
    h = conv(resampled(h, site.resample), site.name + ".conv1");
    const OnnxValue y = silu(graph_, modulated_norm(h, site));
    OnnxValue skip = resampled(x, site.resample);
    if (site.in != site.out) skip = conv(skip, site.name + ".nin_shortcut");
    h_ = graph_.add(conv(y, site.name + ".conv2"), skip);
  }

  void attention(const AttentionSite& site) {
    enter(site.name);
    const int64_t heads = plan().heads(site.channels);
    const int64_t width = site.channels / heads;
    const OnnxValue x =
        site.norm ? norm(h_, site.name + ".norm", site.channels, site.size, *site.norm) : h_;
    const OnnxValue qkv =
        graph_.reshape(conv(x, site.name + ".qkv"), {0, 3 * heads, width, site.size * site.size});
    const std::vector<OnnxValue> parts = graph_.nodes("Split", {qkv}, {{"axis", int64_t{1}}}, 3);
    const OnnxValue q = graph_.scaled(transposed(parts[0]), 1.0 / std::sqrt(width));
    const OnnxValue scores = graph_.node("MatMul", {q, parts[1]});
    const OnnxValue weights = graph_.node("Softmax", {scores}, {{"axis", int64_t{-1}}});
    const OnnxValue mixed = graph_.node("MatMul", {weights, transposed(parts[2])});
    const OnnxValue image =
        graph_.reshape(transposed(mixed), {0, site.channels, site.size, site.size});
    h_ = graph_.add(conv(image, site.name + ".proj_out"), h_);
  }

  void resample(const ConvSite& site) {
    enter(site.name);
    h_ = site.resample == Resample::down ? conv(h_, site.name, /*stride=*/2)
                                         : conv(resampled(h_, site.resample), site.name);
  }

  void conv_out(const ConvSite& site) {
    enter(site.name);
    const OnnxValue x = norm(h_, "norm_out", site.in, site.size_in, plan().norm);
    h_ = conv(silu(graph_, x), site.name);
  }

 private:
  const UNetPlan& plan() const { return unet_.plan_; }

  void enter(const std::string& name) {
    graph_.set_scope(scope_.empty() ? name : scope_ + "/" + name);
  }

  OnnxValue transposed(const OnnxValue& x) {
    return graph_.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  }

  // A convolution with 'SAME' padding, 3 x 3 or 1 x 1 as its weight is.
  OnnxValue conv(const OnnxValue& x, const std::string& name, int64_t stride = 1) {
    Tensor weight = unet_.parameter(name + ".weight");
    if (weight.dim() == 2) weight = weight.unsqueeze(-1).unsqueeze(-1);
    const int64_t before = weight.size(2) == 3 && (stride == 1 || plan().symmetric) ? 1 : 0;
    const int64_t after = weight.size(2) == 3 ? 1 : 0;
    return graph_.node("Conv",
                       {x, graph_.initializer(name + ".weight", weight),
                        graph_.initializer(name + ".bias", unet_.parameter(name + ".bias"))},
                       {{"kernel_shape", std::vector<int64_t>{weight.size(2), weight.size(3)}},
                        {"pads", std::vector<int64_t>{before, before, after, after}},
                        {"strides", std::vector<int64_t>{stride, stride}}});
  }

  OnnxValue resampled(const OnnxValue& x, Resample how) {
    if (how == Resample::none) return x;
    if (how == Resample::down) {
      return graph_.node(
          "AveragePool", {x},
          {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
    }
    const OnnxValue scales = graph_.initializer("twice", at::tensor({1.0F, 1.0F, 2.0F, 2.0F}));
    return graph_.node("Resize", {x, "", scales},
                       {{"coordinate_transformation_mode", std::string("asymmetric")},
                        {"mode", std::string("nearest")},
                        {"nearest_mode", std::string("floor")}});
  }

  // Group norm without weight and bias.
  OnnxValue normalized(const OnnxValue& x, int64_t channels, int64_t size,
                       const GroupNormOptions& options) {
    const std::string groups = "_" + std::to_string(options.groups);
    const OnnxValue normal =
        graph_.node("InstanceNormalization",
                    {graph_.reshape(x, {0, options.groups, -1}),
                     graph_.initializer("ones" + groups, at::ones({options.groups}, at::kFloat)),
                     graph_.initializer("zeros" + groups, at::zeros({options.groups}, at::kFloat))},
                    {{"epsilon", options.epsilon}});
    return graph_.reshape(normal, {0, channels, size, size});
  }

  OnnxValue norm(const OnnxValue& x, const std::string& name, int64_t channels, int64_t size,
                 const GroupNormOptions& options) {
    const auto rows = [&](const std::string& which) {
      return graph_.initializer(name + which,
                                unet_.parameter(name + which).reshape({1, channels, 1, 1}));
    };
    const OnnxValue normal = normalized(x, channels, size, options);
    return graph_.add(graph_.mul(normal, rows(".weight")), rows(".bias"));
  }

  // norm2 of a residual block, with the shift, and the scale, that depend on time and class.
  OnnxValue modulated_norm(const OnnxValue& h, const ResidualSite& site) {
    const std::string dense = site.name + ".temb_proj";
    const std::string norm2 = site.name + ".norm2";
    if (plan().time == TimeScaleShift::shift) {
      const OnnxValue shift = graph_.reshape(unet_.dense(emb_, dense), {-1, site.out, 1, 1});
      return norm(graph_.add(h, shift), norm2, site.out, site.size_out, plan().norm);
    }
    const auto [weight, bias] =
        scale_and_shift(unet_.parameter(dense + ".weight"), unet_.parameter(dense + ".bias"),
                        unet_.parameter(norm2 + ".weight"), unet_.parameter(norm2 + ".bias"));
    const OnnxValue rows = graph_.reshape(gemm(graph_, emb_, norm2 + ".scale_shift", weight, bias),
                                          {-1, 2 * site.out, 1, 1});
    const std::vector<OnnxValue> parts = graph_.nodes("Split", {rows}, {{"axis", int64_t{1}}}, 2);
    const OnnxValue normal = normalized(h, site.out, site.size_out, plan().norm);
    return graph_.add(graph_.mul(normal, parts[0]), parts[1]);
  }

  OnnxUNet& unet_;
  OnnxGraph& graph_;
  OnnxValue emb_;
  std::string scope_;
  OnnxValue h_;
  std::vector<OnnxValue> skips_;
};

OnnxUNet::OnnxUNet(OnnxGraph& graph, const UNetPlan& plan, const Network& network)
    : graph_(graph), plan_(plan) {
  for (const NamedTensor& named : network.parameters())
    parameters_.emplace(named.name, named.tensor.detach());
}

OnnxValue OnnxUNet::dense(const OnnxValue& x, const std::string& name) {
  const auto bias = parameters_.find(name + ".bias");
  return gemm(graph_, x, name, parameter(name + ".weight"),
              bias == parameters_.end() ? Tensor() : bias->second);
}

OnnxValue OnnxUNet::class_rows(const OnnxValue& classes, bool has_null_class) {
  Tensor rows = parameter("class_emb.weight").t();
  if (has_null_class) rows = at::constant_pad_nd(rows, {0, 0, 0, 1});
  if (plan_.class_bias) rows = rows + parameter("class_emb.bias");
  return graph_.node("Gather", {graph_.initializer("class_emb.rows", rows), classes});
}

OnnxValue OnnxUNet::guidance_rows(const OnnxValue& embeddings) {
  return dense(embeddings, kGuidanceProjection);
}

OnnxValue OnnxUNet::call(const Inputs& inputs, const std::string& scope) {
  graph_.set_scope(scope.empty() ? "embedding" : scope + "/embedding");
  const OnnxValue input =
      inputs.guidance.empty() ? inputs.time : graph_.add(inputs.time, inputs.guidance);
  OnnxValue emb = dense(silu(graph_, dense(input, "dense0")), "dense1");
  if (!inputs.classes.empty()) emb = graph_.add(emb, inputs.classes);
  Layers layers(*this, inputs, silu(graph_, emb), scope);
  walk_unet(plan_, layers);
  return layers.output();
}

}  // namespace halfstep
