#ifndef HALFSTEP_METRICS_CLASS_AGREEMENT_H_
#define HALFSTEP_METRICS_CLASS_AGREEMENT_H_

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

// Returns the fraction of images that a classifier assigns to their own class: the mean over images
// of [argmax_k logits_ik = labels_i], for logits [N, classes] and labels int64 [N]. Throws
// ConfigError for a label that is not from 0 to classes - 1.
double class_agreement(const Tensor& logits, const Tensor& labels);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_CLASS_AGREEMENT_H_
