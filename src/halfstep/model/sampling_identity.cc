#include "halfstep/model/sampling_identity.h"

#include <span>
#include <string>

#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {

nlohmann::json sampling_identity(const Model& model, const GenerateOptions& options) {
  const SampleOptions sampling = sample_options(options, model.spec());
  nlohmann::json identity = {{"model", sha256_of(model)},
                             {"precision", std::string(name_of(model.precision()))},
                             {"device", model.device().is_cpu() ? "cpu" : "cuda"},
                             {"steps", options.num_steps.value_or(model.spec().sampling.num_steps)},
                             {"sampler", std::string(name_of(sampling.sampler))},
                             {"variance", sampling.variance},
                             {"spacing", std::string(name_of(options.spacing))},
                             {"clip_x", sampling.clip_x},
                             {"guidance", guidance_of(options, model.spec())},
                             {"batch", options.batch}};
  if (options.class_label) identity["class"] = *options.class_label;
  if (!options.class_labels.empty()) identity["classes"] = options.class_labels;
  return identity;
}

nlohmann::json sampling_identity(const Model& model, const GenerateOptions& options,
                                 const std::vector<uint64_t>& seeds, const Tensor& noise) {
  nlohmann::json identity = sampling_identity(model, options);
  identity["seeds"] = {{"count", seeds.size()},
                       {"sha256", io::sha256_hex(std::as_bytes(std::span(seeds)))}};
  for (const Tensor& tensor : {options.known.pixels, options.known.mask}) {
    if (tensor.defined())
      identity["known"].push_back(io::sha256_hex(to_array(tensor.to(at::kByte)).view().bytes));
  }
  if (noise.defined()) identity["noise"] = io::sha256_hex(to_array(noise).view().bytes);
  return identity;
}

}  // namespace halfstep
