#include "halfstep/nn/code_shape.h"

#include <c10/util/ArrayRef.h>
#include <c10/util/StringUtil.h>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

// Larger than any real example, and small enough that products of sizes fit int64.
constexpr size_t kMaxRank = 8;
constexpr int64_t kMaxSize = int64_t{1} << 24;
constexpr int64_t kMaxElements = int64_t{1} << 32;
constexpr int64_t kMaxClasses = int64_t{1} << 24;

}  // namespace

void validate(const std::string& where, const CodeShape& code) {
  const auto fail = [&](const std::string& field, const std::string& expected,
                        const std::string& received) {
    throw ConfigError(where, field + ": expected " + expected + ", received " + received);
  };
  const std::string shape = c10::str(c10::ArrayRef<int64_t>(code.shape));
  if (code.shape.empty() || code.shape.size() > kMaxRank)
    fail("shape", "1 to " + std::to_string(kMaxRank) + " sizes", shape);
  int64_t elements = 1;
  for (const int64_t size : code.shape) {
    if (size < 1 || size > kMaxSize)
      fail("shape", "sizes from 1 to " + std::to_string(kMaxSize), shape);
    elements *= size;
    if (elements > kMaxElements)
      fail("shape", "at most " + std::to_string(kMaxElements) + " numbers", shape);
  }
  if (code.images && (code.shape.size() != 3 || (code.shape[0] != 1 && code.shape[0] != 3)))
    fail("shape", "[1, H, W] or [3, H, W] for images", shape);
  if (code.out_channels < 1 || code.out_channels > 2 * kMaxSize)
    fail("out_channels", "1 or more", std::to_string(code.out_channels));
  if (code.num_classes < 0 || code.num_classes > kMaxClasses) {
    fail("num_classes", "0 to " + std::to_string(kMaxClasses), std::to_string(code.num_classes));
  }
  if (code.condition_ch < 0 || code.condition_ch > kMaxSize)
    fail("condition_ch", "0 to " + std::to_string(kMaxSize), std::to_string(code.condition_ch));
  if (code.condition_ch > 0 && !code.images)
    fail("condition_ch", "0 for a network of non-image data", std::to_string(code.condition_ch));
}

}  // namespace halfstep
