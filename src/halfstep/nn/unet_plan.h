// What a U-Net is built of. The kinds of options there are, the official ones (unet_options.h) and
// those of diffusers (unet2d_options.h), all come down to this.
#ifndef HALFSTEP_NN_UNET_PLAN_H_
#define HALFSTEP_NN_UNET_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/blocks.h"

namespace halfstep {

// Beyond any network there is, and small enough that no product of sizes leaves int64: options are
// read from files.
inline constexpr int64_t kMaxSize = int64_t{1} << 16;
inline constexpr int64_t kMaxClasses = int64_t{1} << 24;
inline constexpr size_t kMaxLevels = 16;
inline constexpr int64_t kMaxBlocks = 256;  // a level

struct UNetPlan {
  // How the size changes between two levels: inside a residual block, or by a bare convolution.
  enum class Resampler { block, conv };

  struct Level {
    int64_t channels = 0;
    bool attend_down = false;           // attention after each residual block on the way down
    bool attend_up = false;             // on the way up
    Resampler down = Resampler::block;  // to the level below
    Resampler up = Resampler::block;    // to the level above
  };

  int64_t image_size = 0;  // height and width, pixels
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t ch = 0;             // that conv_in makes; numbers of the time embedding
  std::vector<Level> levels;  // full size first; each halves it
  int64_t blocks = 0;         // residual blocks a level on the way down; one more on the way up
  bool attend_mid = true;
  std::optional<int64_t> head_dim;  // channels of an attention head; none: num_heads heads
  int64_t num_heads = 1;
  double dropout = 0.0;
  TimeScaleShift time = TimeScaleShift::scale_shift;
  GroupNormOptions norm;                                          // of all
  std::optional<GroupNormOptions> mid_norm = GroupNormOptions{};  // of the middle's attention
  bool symmetric = false;  // bare convolutions that halve pad 1 on all sides

  int64_t emb_ch = 0;  // width of the embedding of time and class
  std::function<Tensor(const Tensor& phi)> time_embedding;  // [B] -> float32 [B, ch]
  int64_t num_classes = 0;                                  // 0 or 1: no class embedding
  bool class_bias = true;  // the class embedding has a bias, which the null label keeps

  int64_t heads(int64_t channels) const { return head_dim ? channels / *head_dim : num_heads; }
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_PLAN_H_
