#include "cli/input_flags.h"

#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/metrics/known_images.h"

namespace halfstep::cli {

void InputFlags::add_to(CLI::App& command) {
  add_value(command, "--input", input_,
            "Images to restore, for a model that does: a folder, an image file, an .npz or a data "
            "set (default --seeds: one per image)")
      ->type_name("PATH");
  add_value(command, "--mask", mask_,
            "For inpainting: an image whose white pixels are filled in, or a folder of such, one "
            "per image")
      ->type_name("PATH");
  command.add_flag("--degrade", degrade_,
                   "The images of --input are whole: reduce, mask or grey them as in training");
}

KnownImages InputFlags::read(const ModelSpec& spec, std::vector<uint64_t>& seeds) const {
  if (input_) {
    return metrics::read_known(spec, {.input = *input_, .mask = mask_, .degrade = degrade_}, seeds);
  }
  if (spec.condition.is_on()) {
    throw ConfigError("--input", "expected images to restore, because the model is for " +
                                     spec.condition.text() + ", received none");
  }
  if (mask_ || degrade_)
    throw ConfigError("--input", "expected images for --mask or --degrade, received none");
  return {};
}

}  // namespace halfstep::cli
