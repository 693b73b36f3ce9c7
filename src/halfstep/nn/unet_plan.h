// The structure of a U-Net. Both kinds of options, those of the official code (unet_options.h) and
// those of diffusers (unet2d_options.h), are translated to it.
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

// Larger than any real network, and small enough that products of sizes fit int64. Options come
// from files, so they need limits.
inline constexpr int64_t kMaxSize = int64_t{1} << 16;
inline constexpr int64_t kMaxClasses = int64_t{1} << 24;
inline constexpr size_t kMaxLevels = 16;
inline constexpr int64_t kMaxBlocks = 256;  // per level

// The parameter of the projection of the guidance weight; dense0 reads its sum with the time
// embedding.
inline constexpr const char* kGuidanceProjection = "guidance_proj";

struct UNetPlan {
  // How the size changes between two levels: inside a residual block, or by a bare convolution.
  enum class Resampler { block, conv };

  struct Level {
    int64_t channels = 0;
    bool attend_down = false;           // attention after each residual block on the way down
    bool attend_up = false;             // on the way up
    Resampler down = Resampler::block;  // to the next lower resolution
    Resampler up = Resampler::block;    // to the next higher resolution
  };

  int64_t image_size = 0;    // height and width, pixels
  int64_t in_channels = 0;   // of z
  int64_t condition_ch = 0;  // of the image that is concatenated to z; 0: none
  int64_t out_channels = 0;
  int64_t ch = 0;             // output channels of conv_in, and width of the time embedding
  std::vector<Level> levels;  // the first at full size, each next at half the size
  int64_t blocks = 0;         // residual blocks per level on the way down; one more on the way up
  bool attend_mid = true;
  std::optional<int64_t> head_dim;  // channels per attention head; none: num_heads heads
  int64_t num_heads = 1;
  double dropout = 0.0;
  TimeScaleShift time = TimeScaleShift::scale_shift;
  GroupNormOptions norm;                                          // of all other norms
  std::optional<GroupNormOptions> mid_norm = GroupNormOptions{};  // of the attention in the middle
  bool symmetric = false;  // bare convolutions that halve the size pad 1 on all sides

  int64_t emb_ch = 0;  // width of the embedding of time and class
  // [B] -> float32 [B, ch]. `table` is time_table on the device of phi.
  std::function<Tensor(const Tensor& phi, const Tensor& table)> time_embedding;
  Tensor time_table;        // float64; undefined if the embedding needs none
  int64_t guidance_ch = 0;  // width of the embedding of the guidance weight; 0: no such input
  int64_t num_classes = 0;  // 0 or 1: no class embedding
  bool class_bias = true;   // the class embedding has a bias, added for the null label too

  int64_t heads(int64_t channels) const { return head_dim ? channels / *head_dim : num_heads; }
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_PLAN_H_
