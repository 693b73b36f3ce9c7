// Activation checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost").
#ifndef HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_
#define HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_

#include <functional>

#include "halfstep/core/tensor.h"

namespace halfstep {

// A part of a network: a function of its input h, of the skip connection that ends here (undefined
// if there is none) and of the embedding.
using Block = std::function<Tensor(const Tensor& h, const Tensor& skip, const Tensor& emb)>;

// Returns block(h, skip, emb). The graph keeps only these three inputs, and the backward pass
// computes the block again. All gradients, including those of parameters that the block uses, have
// the same bits as without checkpointing. The block must compute the same both times, and whatever
// it refers to must live until the backward pass.
Tensor checkpointed(const Block& block, const Tensor& h, const Tensor& skip, const Tensor& emb);

}  // namespace halfstep

#endif  // HALFSTEP_NN_ACTIVATION_CHECKPOINT_H_
