// What an exported folder contains besides the files of diffusers. Internal; see diffusers.h.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_EXPORTED_H_
#define HALFSTEP_CONVERT_DIFFUSERS_EXPORTED_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "halfstep/model/model.h"
#include "halfstep/nn/unet2d_options.h"

namespace halfstep {

extern const std::string_view kPipelinePy;  // the pipeline that samples as halfstep does
extern const std::string_view kSamplePy;    // a program around it

// Returns the three lines of Python that sample the folder.
std::string python_call(const ModelSpec& spec, const std::filesystem::path& folder);

// Returns README.md, the model card: how to sample the folder, with its pipeline and without, its
// classes and how the model was made.
std::string model_card(const ModelSpec& spec, const std::filesystem::path& folder);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_EXPORTED_H_
