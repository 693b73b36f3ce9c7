// Configurations: named settings of a model, its training and its distillation.
#ifndef HALFSTEP_TRAIN_CONFIG_H_
#define HALFSTEP_TRAIN_CONFIG_H_

#include <cstdint>
#include <string>

#include "halfstep/model/model.h"
#include "halfstep/train/distill_options.h"
#include "halfstep/train/options.h"
#include "halfstep/train/update_options.h"

namespace halfstep {

struct Config {
  std::string name;
  ModelSpec model;           // the data set fills in image size, channels and classes
  bool conditional = false;  // the network takes the labels of the data set
  bool fit_levels = false;   // network.ch_mult is cut to levels_for(image size)
  UpdateOptions train_update;
  TrainOptions train;
  UpdateOptions distill_update = {.lr = 1e-4, .anneal = true};
  DistillOptions distill;
};

// Loads a built-in configuration by name (the files of configs/, for example "cifar10") or a JSON
// file with the keys output, schedule, network, conditional, train and distill (docs/formats.md).
// Throws ConfigError, which lists the built-in names, if there is neither; FormatError if the file
// is malformed.
Config load_config(const std::string& name_or_path);

// Returns how many levels a U-Net has that halves images of `size` pixels while they are even and
// larger than 8: 64, 32, 16 and 8 pixels are 4 levels.
int64_t levels_for(int64_t size);

// Returns the network of a configuration for images of `size` pixels. Throws ConfigError if the
// levels of a network other than a U-Net are to be fitted.
NetworkOptions network_for(const Config& config, int64_t size);

// Returns the model of a configuration without a data set: image size, channels and classes are
// those of the configuration. Throws ConfigError if it contradicts itself.
ModelSpec spec_of(const Config& config);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_CONFIG_H_
