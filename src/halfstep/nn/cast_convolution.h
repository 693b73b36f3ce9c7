// The convolution of cast parameters: it computes with their values, and its gradients go to their
// float32 masters. Include it only in .cc files: it pulls in autograd's headers.
#ifndef HALFSTEP_NN_CAST_CONVOLUTION_H_
#define HALFSTEP_NN_CAST_CONVOLUTION_H_

#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>
#include <utility>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/parameters.h"

namespace halfstep {

// How a kernel is applied to the image, and the parts of the operator, which build no graph. Images
// are channels-last.
struct CastConvolution {
  // `symmetric`: stride 2 pads on all sides; otherwise the caller pads the image.
  explicit CastConvolution(const CastParameter& weight, int64_t stride = 1, bool symmetric = true);
  // Restores what `save` saved.
  explicit CastConvolution(const torch::autograd::AutogradContext& ctx);
  void save(torch::autograd::AutogradContext& ctx) const;

  Tensor convolve(const Tensor& x, const CastParameter& weight, const CastParameter& bias) const;

  // Returns the kernel that the backward pass needs: the value, or for Winograd, whose value only
  // serves to convolve, the parameter itself.
  Tensor kernel(const CastParameter& weight) const;

  // Returns the gradient of x. Reads only the type and size of x.
  Tensor input_gradient(const Tensor& dy, const Tensor& x, const Tensor& kernel) const;

  // Returns the gradients of the float32 masters of kernel and bias, which autograd sees in place
  // of the values.
  std::pair<Tensor, Tensor> master_gradients(const Tensor& dy, const Tensor& x,
                                             const Tensor& kernel, const Tensor& master) const;

  bool transposed;
  bool winograd;
  int64_t stride;
  int64_t padding;
};

// Returns the convolution of x, with a graph if gradient mode is on.
Tensor convolve(const Tensor& x, const CastParameter& weight, const CastParameter& bias,
                const CastConvolution& convolution);

}  // namespace halfstep

#endif  // HALFSTEP_NN_CAST_CONVOLUTION_H_
