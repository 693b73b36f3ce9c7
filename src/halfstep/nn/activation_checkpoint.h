// Activation checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost").
#ifndef HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_
#define HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_

#include <functional>

#include "halfstep/core/tensor.h"

namespace halfstep {

// A part of a network: of its input h, what skips to it (or undefined), and the embedding.
using Block = std::function<Tensor(const Tensor& h, const Tensor& skip, const Tensor& emb)>;

// block(h, skip, emb), of which the graph keeps the three alone: the backward pass computes the
// block again. The gradients, those of parameters that the block uses too, have the same bits. The
// block must compute the same both times, and whatever it refers to must live until then.
Tensor checkpointed(const Block& block, const Tensor& h, const Tensor& skip, const Tensor& emb);

}  // namespace halfstep

#endif  // HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_
