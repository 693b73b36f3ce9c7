#include "halfstep/convert/onnx.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/convert/fold_guidance.h"
#include "halfstep/convert/onnx_graph.h"
#include "halfstep/convert/onnx_sampler.h"
#include "halfstep/convert/onnx_time.h"
#include "halfstep/convert/onnx_unet.h"
#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/io/onnx_metadata.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSpecKey = "halfstep";
constexpr const char* kOptionsKey = "halfstep.onnx";

// The options of the file, as its metadata has them.
struct Record {
  bool network = false;
  int64_t num_steps = 0;
  std::optional<double> guidance;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("network", self.network, "whether the file is one call of the network");
    visit("num_steps", self.num_steps, "sampling steps; 0: a network");
    visit("guidance", self.guidance, "the guidance weight in the file; null: an input");
  }
};

UNetPlan plan_of(const ModelSpec& spec) {
  if (const auto* unet = std::get_if<UNetOptions>(&spec.network)) return plan_of(*unet);
  if (const auto* unet2d = std::get_if<UNet2dOptions>(&spec.network))
    return plan_of(*unet2d, spec.schedule);
  throw ConfigError("onnx",
                    "network: expected a U-Net that halfstep makes, received code (such as "
                    "TorchScript), which no other format can hold; export it with torch.onnx in "
                    "Python");
}

// Throws ConfigError, or returns the options with which generate() does the same.
GenerateOptions generate_options(const OnnxOptions& options, const ModelSpec& spec) {
  if (options.network && options.num_steps) {
    throw ConfigError("onnx", "steps: expected none for a file of the network alone, received " +
                                  std::to_string(*options.num_steps));
  }
  if (options.num_steps && spec.sampling.is_distilled() &&
      *options.num_steps != spec.sampling.num_steps) {
    throw ConfigError("onnx", "steps: expected " + std::to_string(spec.sampling.num_steps) +
                                  ", which this model was distilled for, or none, received " +
                                  std::to_string(*options.num_steps));
  }
  GenerateOptions same{.num_steps = options.num_steps, .guidance = options.guidance};
  if (options.network) {
    same.num_steps = 1;  // of no effect
    same.force_steps = true;
  }
  validate(same, spec);
  const int64_t steps = same.num_steps.value_or(spec.sampling.num_steps);
  if (steps > kMostOnnxSteps) {
    throw ConfigError("onnx", "steps: expected 1 to " + std::to_string(kMostOnnxSteps) +
                                  ", because every step is written out, received " +
                                  std::to_string(steps));
  }
  const Sampler sampler = sample_options(same, spec).sampler;
  if (!options.network && sampler != Sampler::ddim && sampler != Sampler::ancestral) {
    throw ConfigError("onnx", "sampler: expected a model made for ddim or ancestral, received " +
                                  std::string(name_of(sampler)));
  }
  return same;
}

// Builds the graph of a model whose options are valid.
class Builder {
 public:
  Builder(const Model& model, const GenerateOptions& options)
      : spec_(model.spec()),
        options_(options),
        plan_(plan_of(spec_)),
        unet_(graph_, plan_, model.network()) {}

  OnnxGraph network() {
    const OnnxValue z = graph_.input("z", at::kFloat, image(plan_.in_channels));
    const OnnxValue logsnr = graph_.input("logsnr", at::kFloat, {kOnnxBatch});
    add_condition();
    OnnxValue time = onnx_time_embedding(graph_, spec_, logsnr);
    if (is_doubled_) time = graph_.concat({time, time}, 0);
    graph_.output("raw", raw(z, time, ""), image(plan_.out_channels));
    return std::move(graph_);
  }

  OnnxGraph sampler() {
    const OnnxValue noise = graph_.input("noise", at::kFloat, image(plan_.in_channels));
    add_condition();
    OnnxSampler sampler{
        .output = spec_.output,
        .grid = sampling_grid(Schedule(spec_.schedule), num_steps(), options_.spacing),
        .options = sample_options(options_, spec_),
        .raw =
            [this](const OnnxValue& z, double phi, const std::string& scope) {
              const Tensor angle = at::full({1}, phi, at::TensorOptions().dtype(at::kDouble));
              const Tensor time = plan_.time_embedding(angle, plan_.time_table);
              return raw(z, graph_.initializer(scope + "/time", time), scope);
            },
        .step_noise = {}};
    if (sampler.options.sampler == Sampler::ancestral && num_steps() > 1) {
      std::vector<int64_t> shape = image(plan_.in_channels);
      shape.insert(shape.begin(), num_steps() - 1);
      sampler.step_noise = graph_.input("step_noise", at::kFloat, shape);
    }
    graph_.output("images", with_known_pixels(onnx_sample(graph_, sampler, noise)),
                  image(plan_.in_channels));
    return std::move(graph_);
  }

  int64_t num_steps() const { return options_.num_steps.value_or(spec_.sampling.num_steps); }

 private:
  std::vector<int64_t> image(int64_t channels) const {
    return {kOnnxBatch, channels, plan_.image_size, plan_.image_size};
  }

  // Adds the inputs for the image that the model is conditioned on, class and guidance weight, and
  // what the last two add to the embedding.
  void add_condition() {
    const int64_t classes = plan_.num_classes;
    is_doubled_ = calls_per_prediction(options_, spec_) == 2;
    if (plan_.condition_ch > 0) {
      condition_ = graph_.input("condition", at::kFloat, image(plan_.condition_ch));
      graph_.set_scope("condition");
      per_call_ =
          is_doubled_ ? graph_.concat({condition_, graph_.scaled(condition_, 0.0)}, 0) : condition_;
    }
    if (plan_.guidance_ch > 0) {
      const OnnxValue w = graph_.input("guidance", at::kFloat, {kOnnxBatch});
      guidance_ = unet_.guidance_rows(onnx_guidance_embedding(graph_, w, plan_.guidance_ch));
    }
    if (classes < 2) return;
    const OnnxValue input = graph_.input("class", at::kLong, {kOnnxBatch});
    graph_.set_scope("class");
    // Without a null class, runtimes refuse a negative number, because it is out of range.
    const OnnxValue zero = graph_.integers({0});
    const OnnxValue null = graph_.integers({classes});
    OnnxValue index = graph_.node("Where", {graph_.node("Less", {input, zero}), null, input});
    if (is_doubled_) {
      index = graph_.concat({index, graph_.add(graph_.mul(index, zero), null)}, 0);
    }
    classes_ = unet_.class_rows(index, spec_.has_null_class);
  }

  // Returns the images with the known pixels of inpainting, as halfstep::with_known_pixels does.
  OnnxValue with_known_pixels(const OnnxValue& images) {
    if (spec_.condition.kind != ImageCondition::Kind::inpainting) return images;
    graph_.set_scope("known");
    const std::vector<OnnxValue> parts = graph_.nodes(
        "Split", {condition_, graph_.integers({plan_.in_channels, 1})}, {{"axis", int64_t{1}}}, 2);
    const OnnxValue is_known = graph_.node("Greater", {parts[1], graph_.scalar(0.5)});
    return graph_.node("Where", {is_known, parts[0], images});
  }

  // Returns the raw output. With guidance by two calls they are one call with 2 B examples: with
  // the condition and without.
  OnnxValue raw(const OnnxValue& z, const OnnxValue& time, const std::string& scope) {
    OnnxUNet::Inputs inputs{.z = z, .time = time, .classes = classes_, .guidance = guidance_};
    graph_.set_scope(scope);
    if (is_doubled_) inputs.z = graph_.concat({z, z}, 0);
    if (plan_.condition_ch > 0) inputs.z = graph_.concat({inputs.z, per_call_}, 1);
    if (!is_doubled_) return unet_.call(inputs, scope);
    const OnnxValue both = unet_.call(inputs, scope);
    graph_.set_scope(scope);
    const std::vector<OnnxValue> parts = graph_.nodes("Split", {both}, {{"axis", int64_t{0}}}, 2);
    const OnnxValue difference = graph_.node("Sub", {parts[0], parts[1]});
    return graph_.add(parts[1], graph_.scaled(difference, guidance_of(options_, spec_)));
  }

  OnnxGraph graph_;
  const ModelSpec& spec_;
  const GenerateOptions options_;
  const UNetPlan plan_;
  OnnxUNet unet_;
  OnnxValue condition_;
  OnnxValue per_call_;  // the condition of all examples of a call
  OnnxValue classes_;
  OnnxValue guidance_;
  bool is_doubled_ = false;
};

}  // namespace

void save_onnx(const Model& model, const OnnxOptions& options, const fs::path& path) {
  plan_of(model.spec());  // refuses other networks
  if (options.guidance && guidance_channels(model.spec().network) > 0) {
    return save_onnx(fold_guidance(model, *options.guidance), options, path);
  }
  const ModelSpec& spec = model.spec();
  const GenerateOptions same = generate_options(options, spec);
  Builder builder(model, same);
  Record record{.network = options.network,
                .num_steps = options.network ? 0 : builder.num_steps(),
                .guidance = std::nullopt};
  if (guidance_channels(spec.network) == 0) record.guidance = guidance_of(same, spec);
  const OnnxGraph graph = options.network ? builder.network() : builder.sampler();
  graph.write(path, options.network ? "network" : "sampler",
              {{kSpecKey, to_json(spec).dump()}, {kOptionsKey, io::fields_to_json(record).dump()}});
}

OnnxDescription describe_onnx(const fs::path& path) {
  const std::string where = path.string();
  const std::map<std::string, std::string> metadata = io::read_onnx_metadata(path);
  const auto json_of = [&](const char* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) {
      throw FormatError(where, std::string("expected metadata `") + key +
                                   "`, as halfstep convert writes it, received none");
    }
    return io::parse_json(found->second, where + ": " + key);
  };
  OnnxDescription description{.spec = spec_from_json(json_of(kSpecKey), where)};
  require_sound(description.spec, where);
  Record record;
  io::fields_from_json(json_of(kOptionsKey), record, where);
  description.network = record.network;
  description.num_steps = record.num_steps;
  description.guidance = record.guidance;
  return description;
}

}  // namespace halfstep
