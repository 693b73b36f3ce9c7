// Configurations: named settings of a model, its training and its distillation.
#ifndef HALFSTEP_TRAIN_CONFIG_H_
#define HALFSTEP_TRAIN_CONFIG_H_

#include <string>

#include "halfstep/model/model.h"
#include "halfstep/train/distill_options.h"
#include "halfstep/train/options.h"
#include "halfstep/train/update_options.h"

namespace halfstep {

struct Config {
  std::string name;
  ModelSpec model;           // the data set fills in image size, channels and classes
  bool conditional = false;  // use the labels that the data set has
  UpdateOptions train_update;
  TrainOptions train;
  UpdateOptions distill_update = {.lr = 1e-4, .anneal = true};
  DistillOptions distill;
};

// Loads a built-in configuration by its name ("cifar10"; the files of configs/) or a JSON file. Its
// keys: output, schedule, network, conditional, train, distill (docs/formats.md). Throws
// ConfigError that lists the names for one that is neither.
Config load_config(const std::string& name_or_path);

// Returns the model of a configuration whose image size, channels and classes no data set decides:
// they are what the configuration says. Throws ConfigError where it contradicts itself.
ModelSpec spec_of(const Config& config);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_CONFIG_H_
