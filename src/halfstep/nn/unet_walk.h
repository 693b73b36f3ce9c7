// The one place that knows in which order the layers of a U-Net run, and with which channels, sizes
// and skip connections. Building a network, counting its cost and exporting it are visitors.
#ifndef HALFSTEP_NN_UNET_WALK_H_
#define HALFSTEP_NN_UNET_WALK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/nn/kernels/resample.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {

// Sizes are heights (equal to widths) in pixels; `name` prefixes the names of the parameters.
struct ConvSite {
  std::string name;
  int64_t in = 0;   // channels
  int64_t out = 0;  // channels
  int64_t size_in = 0;
  int64_t size_out = 0;
  Resample resample = Resample::none;
};
using ResidualSite = ConvSite;
struct AttentionSite {
  std::string name;
  int64_t channels = 0;
  int64_t size = 0;
  std::optional<GroupNormOptions> norm;  // none: attention without a norm
};

// Calls the visitor for each layer between the image and the raw output, in the order in which they
// run. A visitor has
//
//   void conv_in(const ConvSite&);
//   void push();                          // the output so far is also put on the stack of skips
//   void pop(int64_t channels);           // the last skip, of so many channels, is taken off the
//                                         // stack and concatenated after the output so far
//   void residual(const ResidualSite&);   // may change the size
//   void attention(const AttentionSite&);
//   void resample(const ConvSite&);       // a bare convolution that halves or doubles the size
//   void conv_out(const ConvSite&);       // after norm and SiLU
//
// A pop is always followed by a residual block whose `in` includes the channels of the skip. Each
// attention follows a residual block. The layers of the embedding of time and class are not part of
// the walk: dense0, dense1 and, with classes, class_emb.
template <class Visitor>
class UNetWalk {
 public:
  UNetWalk(const UNetPlan& plan, Visitor& visitor)
      : plan_(plan), visitor_(visitor), size_(plan.image_size) {}

  void run() {
    visitor_.conv_in(site("conv_in", plan_.in_channels + plan_.condition_ch, plan_.ch));
    push();
    for (size_t level = 0; level < plan_.levels.size(); ++level) down(level);
    middle();
    for (size_t level = plan_.levels.size(); level-- > 0;) up(level);
    visitor_.conv_out(site("conv_out", channels_, plan_.out_channels));
  }

 private:
  // A layer that changes the output so far to `out` channels.
  ConvSite site(const std::string& name, int64_t in, int64_t out, Resample how = Resample::none) {
    ConvSite site{.name = name, .in = in, .out = out, .size_in = size_, .resample = how};
    if (how == Resample::down) size_ /= 2;
    if (how == Resample::up) size_ *= 2;
    site.size_out = size_;
    channels_ = out;
    return site;
  }

  void push() {
    skips_.push_back(channels_);
    visitor_.push();
  }

  void pop() {
    visitor_.pop(skips_.back());
    channels_ += skips_.back();
    skips_.pop_back();
  }

  void residual(const std::string& name, int64_t out, Resample how = Resample::none) {
    visitor_.residual(site(name, channels_, out, how));
  }

  void attention(const std::string& name, const std::optional<GroupNormOptions>& norm) {
    visitor_.attention(
        AttentionSite{.name = name, .channels = channels_, .size = size_, .norm = norm});
  }

  void resample(const std::string& name, UNetPlan::Resampler kind, Resample how) {
    if (kind == UNetPlan::Resampler::block) return residual(name, channels_, how);
    visitor_.resample(site(name, channels_, channels_, how));
  }

  void down(size_t level) {
    const UNetPlan::Level& plan = plan_.levels[level];
    const std::string name = "down_" + std::to_string(level);
    for (int64_t b = 0; b < plan_.blocks; ++b) {
      residual(name + ".block_" + std::to_string(b), plan.channels);
      if (plan.attend_down) attention(name + ".attn_" + std::to_string(b), plan_.norm);
      push();
    }
    if (level + 1 == plan_.levels.size()) return;
    resample(name + ".downsample", plan.down, Resample::down);
    push();
  }

  void middle() {
    residual("mid.block_1", channels_);
    if (plan_.attend_mid) attention("mid.attn_1", plan_.mid_norm);
    residual("mid.block_2", channels_);
  }

  void up(size_t level) {
    const UNetPlan::Level& plan = plan_.levels[level];
    const std::string name = "up_" + std::to_string(level);
    for (int64_t b = 0; b <= plan_.blocks; ++b) {
      pop();
      residual(name + ".block_" + std::to_string(b), plan.channels);
      if (plan.attend_up) attention(name + ".attn_" + std::to_string(b), plan_.norm);
    }
    if (level != 0) resample(name + ".upsample", plan.up, Resample::up);
  }

  const UNetPlan& plan_;
  Visitor& visitor_;
  int64_t channels_ = 0;        // of the output so far
  int64_t size_ = 0;            // of the output so far
  std::vector<int64_t> skips_;  // channels
};

template <class Visitor>
void walk_unet(const UNetPlan& plan, Visitor& visitor) {
  UNetWalk<Visitor>(plan, visitor).run();
}

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_WALK_H_
