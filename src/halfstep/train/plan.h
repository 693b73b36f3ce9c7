// Turns settings, a data set and models into the complete options of a run.
#ifndef HALFSTEP_TRAIN_PLAN_H_
#define HALFSTEP_TRAIN_PLAN_H_

#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/train/config.h"
#include "halfstep/train/options.h"

namespace halfstep {

// Plans the training of a configuration's model on a data set, which decides image size, channels
// and classes. Throws ConfigError if they do not fit together.
RunOptions plan_training(const Config& config, const data::Dataset& dataset);

// Plans the distillation of `teacher`, whose file has the hash `teacher_sha256`. The method should
// have been chosen (recipe.h); without one, the steps are halved. Throws ConfigError if teacher,
// data and settings do not fit together.
RunOptions plan_distillation(const DistillOptions& distill, const UpdateOptions& update,
                             const ModelSpec& teacher, const std::string& teacher_sha256,
                             const data::Dataset& dataset);

// Makes a training, or the student of a direct distillation, start from the weights of a model
// whose file has the hash `sha256`. Throws ConfigError if the model has another network or predicts
// another output.
void start_from(RunOptions& options, const ModelSpec& init, const std::string& sha256);

// Throws ConfigError unless the data set has examples of the shape and the classes that the run
// needs. A resumed run may be given another data set than it began with.
void require_data(const RunOptions& options, const data::Dataset& dataset);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_PLAN_H_
