#include "halfstep/nn/keyed_draws.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <array>
#include <span>
#include <vector>

#include "halfstep/core/random_stream.h"

namespace halfstep {
namespace {

// Fills each example of a batch on the CPU by `fill(key, values)`.
template <class Fill>
Tensor filled(const RandomKey& first, at::IntArrayRef shape, const Fill& fill) {
  Tensor draws = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
  float* values = draws.data_ptr<float>();
  const int64_t elements = draws.numel() / draws.size(0);
  at::parallel_for(0, draws.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      RandomKey key = first;
      key.example += static_cast<uint32_t>(e);
      fill(key, std::span<float>(values + e * elements, static_cast<size_t>(elements)));
    }
  });
  return draws;
}

// Words of 32 bits are int64 here: unsigned types lack most operators.
constexpr int64_t kWord = 0xFFFFFFFF;
constexpr int64_t kRounds = 10;  // of Philox

Tensor low(const Tensor& product) { return product.bitwise_and(kWord); }
Tensor high(const Tensor& product) { return product.bitwise_right_shift(32).bitwise_and(kWord); }

// Returns at least `elements` random words of each example: int64 [B, words], a multiple of 4.
Tensor random_words(const Tensor& key, int64_t batch, int64_t elements) {
  const int64_t blocks = (elements + 3) / 4;
  Tensor c0 = at::arange(blocks, key.options()).unsqueeze(0);
  Tensor c1 = low(at::arange(batch, key.options()) + key[0]).unsqueeze(1);
  Tensor c2 = key[1];
  Tensor c3 = key[2];
  for (int64_t round = 0; round < kRounds; ++round) {
    const Tensor p0 = c0 * int64_t{0xD2511F53};
    const Tensor p1 = c2 * int64_t{0xCD9E8D57};
    c0 = high(p1).bitwise_xor(c1).bitwise_xor(key[3 + 2 * round]);
    c1 = low(p1);
    c2 = high(p0).bitwise_xor(c3).bitwise_xor(key[4 + 2 * round]);
    c3 = low(p0);
  }
  return at::stack(at::broadcast_tensors({c0, c1, c2, c3}), -1).reshape({batch, 4 * blocks});
}

// Returns the words of a key on a device.
Tensor words_on(const BatchKey& key, const at::Device& device) {
  return key.words.defined() ? key.words : key_words(key.first).to(device);
}

// Returns c0 + x (c1 + x (c2 + ...)), each operation rounded to float32.
Tensor polynomial(const Tensor& x, std::span<const float> c) {
  Tensor sum = x * c.back() + c[c.size() - 2];
  for (size_t i = c.size() - 2; i-- > 0;) sum = x * sum + c[i];
  return sum;
}

// The three functions below are those of core/random.cc, operation by operation.

Tensor log_unit(const Tensor& word) {
  const Tensor x = word.bitwise_right_shift(16).to(at::kFloat) * 65536.0 +
                   (word.bitwise_and(0xFFFF).to(at::kFloat) + 0.5);
  const Tensor bits = x.view(at::kInt);
  const Tensor exponent = (bits - 0x3F3504F3).bitwise_right_shift(23);
  const Tensor m = (bits - exponent * (1 << 23)).view(at::kFloat);
  const Tensor s = (m - 1.0) / (m + 1.0);
  const Tensor s2 = s * s;
  constexpr std::array kSeries = {1.0f / 3, 1.0f / 5, 1.0f / 7, 1.0f / 9};
  const Tensor log_m = s * 2.0 + s * 2.0 * (s2 * polynomial(s2, kSeries));
  const Tensor e = (exponent - 32).to(at::kFloat);
  return e * 0x1.62e4p-1f + (e * 0x1.7f7d1cp-20f + log_m);
}

std::array<Tensor, 2> cos_sin_turn(const Tensor& word) {
  const Tensor quarter = low(word + (1 << 29)).bitwise_right_shift(30);
  const Tensor turned = low(word - quarter.bitwise_left_shift(30));
  const Tensor rest = at::where(turned.ge(int64_t{1} << 31), turned - (int64_t{1} << 32), turned);
  const Tensor y = rest.to(at::kFloat) * static_cast<float>(0x1.921fb54442d18p-30);
  const Tensor y2 = y * y;
  constexpr std::array kSine = {-1.0f / 6, 1.0f / 120, -1.0f / 5040, 1.0f / 362880};
  constexpr std::array kCosine = {1.0f,        -0.5f,        1.0f / 24,
                                  -1.0f / 720, 1.0f / 40320, -1.0f / 3628800};
  const Tensor s = y + y * (y2 * polynomial(y2, kSine));
  const Tensor c = polynomial(y2, kCosine);
  const Tensor swap = quarter.bitwise_and(1).to(at::kBool);
  const auto negate_if = [](const Tensor& value, const Tensor& bits) {
    return at::where(bits.bitwise_and(2).to(at::kBool), -value, value);
  };
  return {negate_if(at::where(swap, s, c), quarter + 1), negate_if(at::where(swap, c, s), quarter)};
}

}  // namespace

Tensor key_words(const RandomKey& first) {
  const RandomStream stream = stream_of(first);
  std::vector<int64_t> words(stream.counter.begin(), stream.counter.end());
  std::array<uint32_t, 2> key = stream.key;
  for (int64_t round = 0; round < kRounds; ++round) {
    words.insert(words.end(), key.begin(), key.end());
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return at::tensor(words, at::kLong);
}

Tensor keyed_normal(const BatchKey& key, at::IntArrayRef shape, const at::Device& device) {
  if (!device.is_cpu()) return keyed_normal_plain(words_on(key, device), shape);
  return filled(key.first, shape, [](const RandomKey& of_example, std::span<float> values) {
    fill_normal(of_example, values);
  });
}

Tensor keyed_uniform(const BatchKey& key, at::IntArrayRef shape, const at::Device& device) {
  if (!device.is_cpu()) return keyed_uniform_plain(words_on(key, device), shape);
  return filled(key.first, shape, [](const RandomKey& of_example, std::span<float> values) {
    fill_uniform(of_example, values);
  });
}

Tensor keyed_normal_plain(const Tensor& key, at::IntArrayRef shape) {
  const int64_t elements = c10::multiply_integers(shape.slice(1));
  const Tensor words = random_words(key, shape[0], elements).reshape({shape[0], -1, 2});
  // MKL's square root in float32 is not correctly rounded. That in float64 is, after rounding: the
  // root of a float32 number is never that close to the middle between two others.
  const Tensor radius =
      (log_unit(words.select(2, 0)) * -2.0).to(at::kDouble).sqrt_().to(at::kFloat);
  const auto [cosine, sine] = cos_sin_turn(words.select(2, 1));
  return at::stack({radius * cosine, radius * sine}, -1)
      .reshape({shape[0], -1})
      .narrow(1, 0, elements)
      .reshape(shape);
}

Tensor keyed_uniform_plain(const Tensor& key, at::IntArrayRef shape) {
  const int64_t elements = c10::multiply_integers(shape.slice(1));
  const Tensor words = random_words(key, shape[0], elements).narrow(1, 0, elements);
  return (words.bitwise_right_shift(8).to(at::kFloat) * 0x1p-24f).reshape(shape);
}

}  // namespace halfstep
