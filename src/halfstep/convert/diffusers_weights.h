// What diffusers calls the parameters of a UNet2DModel, and how its tensors differ from ours.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_
#define HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// The tensors, by name, of a network of so many levels: qkv in three, the class embedding turned
// from [emb_ch, classes] into [classes, emb_ch], the rest as they are.
std::map<std::string, Tensor> to_diffusers(const std::vector<NamedTensor>& parameters,
                                           int64_t levels);

// Back: our parameter `name` from its tensors, and their names taken out of `tensors`. Those that
// old versions of diffusers wrote are known too. Throws FormatError, naming `where`, where one is
// missing or does not fit with its like.
Tensor take_from_diffusers(const std::string& name, int64_t levels,
                           std::map<std::string, Tensor>& tensors, const std::string& where);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_WEIGHTS_H_
