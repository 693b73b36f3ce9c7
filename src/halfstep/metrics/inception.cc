#include "halfstep/metrics/inception.h"

#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "halfstep/metrics/feature_weights.h"

namespace halfstep::metrics {
namespace {

enum class Pool { none, average, maximum };  // over 3 x 3 pixels

// One of the parallel branches of a layer, whose outputs are concatenated: a chain of convolutions
// on the layer's input or on a pool of it. If `fork` is not empty, each of its convolutions is
// applied to the end of the chain, and their outputs are concatenated.
struct Branch {
  Pool pool = Pool::none;
  int64_t pool_stride = 1;
  std::vector<NormedConv> chain, fork;
};

}  // namespace

struct Inception::Layer {
  std::string name;
  std::vector<Branch> branches;
};

namespace {

constexpr int64_t kSize = 299;  // pixels per side
constexpr int64_t kFeatures = 2048;
constexpr int64_t kClasses = 1008;

// A convolution in the tables below. With stride 2 there is no padding. With stride 1 the padding
// keeps the size, except in the two convolutions of the stem that are `valid`.
struct Row {
  const char* name;  // within its layer; "" if the layer is a single convolution
  int64_t out;
  int64_t kernel_height, kernel_width;
  int64_t stride = 1;
  bool valid = false;
};

struct BranchRows {
  std::vector<Row> chain;
  std::vector<Row> fork = {};
  Pool pool = Pool::none;
  int64_t pool_stride = 1;
};

struct LayerRows {
  const char* name;
  std::vector<BranchRows> branches;
};

BranchRows pooled(Pool pool, int64_t out) {
  return {.chain = {{"branch_pool", out, 1, 1}}, .pool = pool};
}

BranchRows downsampled() { return {.chain = {}, .pool = Pool::maximum, .pool_stride = 2}; }

LayerRows stem(const char* name, const Row& row) { return {name, {{{row}}}}; }

LayerRows max_pool(const char* name) { return {name, {downsampled()}}; }

LayerRows layer_35x35(const char* name, int64_t pool_features) {
  return {
      name,
      {{{{"branch1x1", 64, 1, 1}}},
       {{{"branch5x5_1", 48, 1, 1}, {"branch5x5_2", 64, 5, 5}}},
       {{{"branch3x3dbl_1", 64, 1, 1}, {"branch3x3dbl_2", 96, 3, 3}, {"branch3x3dbl_3", 96, 3, 3}}},
       pooled(Pool::average, pool_features)}};
}

LayerRows to_17x17(const char* name) {
  return {name,
          {{{{"branch3x3", 384, 3, 3, 2}}},
           {{{"branch3x3dbl_1", 64, 1, 1},
             {"branch3x3dbl_2", 96, 3, 3},
             {"branch3x3dbl_3", 96, 3, 3, 2}}},
           downsampled()}};
}

LayerRows layer_17x17(const char* name, int64_t inner) {
  return {
      name,
      {{{{"branch1x1", 192, 1, 1}}},
       {{{"branch7x7_1", inner, 1, 1}, {"branch7x7_2", inner, 1, 7}, {"branch7x7_3", 192, 7, 1}}},
       {{{"branch7x7dbl_1", inner, 1, 1},
         {"branch7x7dbl_2", inner, 7, 1},
         {"branch7x7dbl_3", inner, 1, 7},
         {"branch7x7dbl_4", inner, 7, 1},
         {"branch7x7dbl_5", 192, 1, 7}}},
       pooled(Pool::average, 192)}};
}

LayerRows to_8x8(const char* name) {
  return {name,
          {{{{"branch3x3_1", 192, 1, 1}, {"branch3x3_2", 320, 3, 3, 2}}},
           {{{"branch7x7x3_1", 192, 1, 1},
             {"branch7x7x3_2", 192, 1, 7},
             {"branch7x7x3_3", 192, 7, 1},
             {"branch7x7x3_4", 192, 3, 3, 2}}},
           downsampled()}};
}

LayerRows layer_8x8(const char* name, Pool pool) {
  return {
      name,
      {{{{"branch1x1", 320, 1, 1}}},
       {{{"branch3x3_1", 384, 1, 1}}, {{"branch3x3_2a", 384, 1, 3}, {"branch3x3_2b", 384, 3, 1}}},
       {{{"branch3x3dbl_1", 448, 1, 1}, {"branch3x3dbl_2", 384, 3, 3}},
        {{"branch3x3dbl_3a", 384, 1, 3}, {"branch3x3dbl_3b", 384, 3, 1}}},
       pooled(pool, 192)}};
}

std::vector<LayerRows> network() {
  return {stem("Conv2d_1a_3x3", {"", 32, 3, 3, 2}),
          stem("Conv2d_2a_3x3", {"", 32, 3, 3, 1, true}),
          stem("Conv2d_2b_3x3", {"", 64, 3, 3}),
          max_pool("MaxPool_1"),
          stem("Conv2d_3b_1x1", {"", 80, 1, 1}),
          stem("Conv2d_4a_3x3", {"", 192, 3, 3, 1, true}),
          max_pool("MaxPool_2"),
          layer_35x35("Mixed_5b", 32),
          layer_35x35("Mixed_5c", 64),
          layer_35x35("Mixed_5d", 64),
          to_17x17("Mixed_6a"),
          layer_17x17("Mixed_6b", 128),
          layer_17x17("Mixed_6c", 160),
          layer_17x17("Mixed_6d", 160),
          layer_17x17("Mixed_6e", 192),
          to_8x8("Mixed_7a"),
          layer_8x8("Mixed_7b", Pool::average),
          layer_8x8("Mixed_7c", Pool::maximum)};
}

NormedConv conv_of(FeatureWeights& weights, const std::string& layer, const Row& row, int64_t in) {
  const std::string name = *row.name == '\0' ? layer : layer + "." + row.name;
  const bool padded = row.stride == 1 && !row.valid;
  return {weights,
          {.conv = name + ".conv",
           .norm = name + ".bn",
           .in = in,
           .out = row.out,
           .kernel_size = {row.kernel_height, row.kernel_width},
           .stride = row.stride,
           .padding = {padded ? row.kernel_height / 2 : 0, padded ? row.kernel_width / 2 : 0},
           .eps = 1e-3}};
}

// `channels` is the number of input channels on entry, of output channels on return.
Inception::Layer layer_of(FeatureWeights& weights, const LayerRows& rows, int64_t& channels) {
  Inception::Layer layer{.name = rows.name};
  int64_t total = 0;
  for (const BranchRows& branch_rows : rows.branches) {
    Branch branch{.pool = branch_rows.pool, .pool_stride = branch_rows.pool_stride};
    int64_t in = channels;
    for (const Row& row : branch_rows.chain) {
      branch.chain.push_back(conv_of(weights, rows.name, row, in));
      in = row.out;
    }
    for (const Row& row : branch_rows.fork) {
      branch.fork.push_back(conv_of(weights, rows.name, row, in));
      total += row.out;
    }
    if (branch_rows.fork.empty()) total += in;
    layer.branches.push_back(std::move(branch));
  }
  channels = total;
  return layer;
}

Tensor pool(const Branch& branch, const Tensor& x) {
  const int64_t padding = branch.pool_stride == 1 ? 1 : 0;
  switch (branch.pool) {
    case Pool::average:
      return at::avg_pool2d(x, 3, branch.pool_stride, padding, /*ceil_mode=*/false,
                            /*count_include_pad=*/false);
    case Pool::maximum:
      return at::max_pool2d(x, 3, branch.pool_stride, padding);
    case Pool::none:
      break;
  }
  return x;
}

Tensor run_layer(const Inception::Layer& layer, const Tensor& x) {
  std::vector<Tensor> outputs;
  for (const Branch& branch : layer.branches) {
    Tensor y = pool(branch, x);
    for (const NormedConv& conv : branch.chain) y = conv(y).relu_();
    for (const NormedConv& conv : branch.fork) outputs.push_back(conv(y).relu_());
    if (branch.fork.empty()) outputs.push_back(std::move(y));
  }
  return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 1);
}

// Resizes one dimension to `to` pixels.
Tensor resized(const Tensor& x, int64_t dim, int64_t to) {
  const int64_t from = x.size(dim);
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const Tensor position = at::arange(to, x.options()).mul_(scale);
  const Tensor low = position.to(at::kLong);
  std::vector<int64_t> shape(4, 1);
  shape[static_cast<size_t>(dim)] = to;
  const Tensor below = x.index_select(dim, low);
  const Tensor above = x.index_select(dim, (low + 1).clamp_max_(from - 1));
  return (above - below).mul_((position - low).view(shape)).add_(below);
}

}  // namespace

Tensor resize_bilinear_tensorflow1(const Tensor& images, int64_t height, int64_t width) {
  return resized(resized(images, 3, width), 2, height);
}

Inception::Inception(const io::SafetensorsFile& file, const std::string& name,
                     const std::string& where)
    : spec_{.name = name,
            .num_features = kFeatures,
            .num_logits = kClasses,
            .in_channels = 3,
            .defines_fid = name == "Inception"} {
  FeatureWeights weights(file, where);
  int64_t channels = spec_.in_channels;
  for (const LayerRows& rows : network()) layers_.push_back(layer_of(weights, rows, channels));
  classifier_ = weights.take("fc.weight", {kClasses, kFeatures});
  weights.take("fc.bias", {kClasses});  // in the public files, but unused
  weights.require_all_taken();
}

Inception::~Inception() = default;

Features Inception::run(const Tensor& images, const LayerObserver& observer) const {
  const c10::InferenceMode inference;
  const Tensor pixels = images_for(*this, images).to(classifier_.device(), at::kFloat);
  Tensor x = resize_bilinear_tensorflow1(pixels, kSize, kSize).sub_(128.0).div_(128.0);
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  if (observer) observer("input", x);
  for (const Layer& layer : layers_) {
    x = run_layer(layer, x);
    if (observer) observer(layer.name, x);
  }
  const Tensor features = x.mean({2, 3});
  return {.features = features, .logits = at::linear(features, classifier_)};
}

void Inception::to(const at::Device& device) {
  for (Layer& layer : layers_) {
    for (Branch& branch : layer.branches) {
      for (NormedConv& conv : branch.chain) conv.to(device);
      for (NormedConv& conv : branch.fork) conv.to(device);
    }
  }
  classifier_ = classifier_.to(device);
}

}  // namespace halfstep::metrics
