// Uses any network in a TorchScript file as a feature network: another Inception, CLIP, your own.
#ifndef HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_
#define HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_

#include <filesystem>
#include <memory>

#include "halfstep/metrics/feature_network.h"

namespace halfstep::metrics {

// Loads a file whose `forward` takes uint8 images [B, C, H, W] and returns floating-point features
// [B, D]. `forward` must scale and resize the images itself. If it has an argument
// `return_features`, as NVIDIA's inception-2015-12-05.pt does, true is passed. A network with a
// classifier has a method `logits` that takes the features as forward returned them and returns
// floating-point logits [B, classes]. The profiling optimizer is off, so that every call computes
// in the same way.
//
// To find D and the number of channels, the network is called with two black images of 32 x 32
// pixels, with three channels or, if that fails, with one. Its name is the stem of the file's name.
//
// TorchScript files contain code; load only files that you trust. Throws IoError if there is no
// file. The function and operator() throw FormatError if it is not such a network.
std::unique_ptr<FeatureNetwork> load_torchscript_features(const std::filesystem::path& path);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_
