// Any network in a TorchScript file as a feature network: somebody else's Inception, CLIP, your
// own.
#ifndef HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_
#define HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_

#include <filesystem>
#include <memory>

#include "halfstep/metrics/feature_network.h"

namespace halfstep::metrics {

// The file's `forward` takes uint8 images [B, C, H, W] and gives floating-point features [B, D]; it
// scales and resizes the images itself. Where `forward` has an argument `return_features`, as
// NVIDIA's inception-2015-12-05.pt has, that is true. Run as it is written, without the optimiser
// that profiles the first calls, so that every call computes the same way.
//
// The network is tried with two black images of 32 x 32 pixels, of three channels or else of one,
// which tells D and the number of channels. It is called what the file is called, and has no
// classifier.
//
// Such a file is code: only files that you trust. Throws IoError where there is no file, and
// FormatError, here and in operator(), where it is not such a network.
std::unique_ptr<FeatureNetwork> load_torchscript_features(const std::filesystem::path& path);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_TORCHSCRIPT_FEATURES_H_
