// The files in which diffusers keeps the weights of a UNet2DModel, the names that it gives to the
// parameters, and how its tensors differ from ours. Internal; see diffusers.h.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_
#define HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// Reads the weights in the folder of a network: a file, its shards or its only variant, such as
// fp16. Names lose what torch.compile and DataParallel add. `notes` receives a sentence about a
// variant. Throws IoError if there are none, FormatError if a file is damaged or names others
// outside the folder.
std::map<std::string, Tensor> read_diffusers_weights(const std::filesystem::path& unet,
                                                     std::vector<std::string>& notes);

// Returns the tensors of a network with this number of levels under diffusers' names: qkv is split
// in three, and the class embedding is transposed from [emb_ch, classes] to [classes, emb_ch].
std::map<std::string, Tensor> to_diffusers(const std::vector<NamedTensor>& parameters,
                                           int64_t levels);

// Does the reverse for our parameter `name`, and removes what it used from `tensors`. Knows the
// names that old versions of diffusers wrote, too. Throws FormatError that names `where` if a
// tensor is missing, or if the parts of a qkv differ in shape or type.
Tensor take_from_diffusers(const std::string& name, int64_t levels,
                           std::map<std::string, Tensor>& tensors, const std::string& where);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_
