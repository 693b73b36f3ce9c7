// Draws the images of `halfstep sample` with ONNX Runtime, from a file of `halfstep convert`:
//
//     halfstep convert --from models/fashion-4-steps --to student.onnx
//     sample student.onnx 0-15 grid.png 8
//
// It uses neither halfstep nor LibTorch.
#include <onnxruntime_cxx_api.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Words = std::array<uint32_t, 4>;

// What a number is drawn for, in halfstep's random numbers.
enum Purpose : uint32_t { kSampleNoise = 7, kSampleLabel = 8, kStepNoise = 10 };

// Returns Philox 4x32-10 (Salmon et al. 2011).
Words philox(Words counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

// Returns the random words of a seed from number 4 `block` on. `site` is 0, or the number of the
// step, from N down to 2.
Words random_words(uint64_t seed, Purpose purpose, uint32_t block, uint32_t site = 0) {
  const Words key = philox({purpose, site, 0, 0},
                           {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return philox({block, 0, key[2], key[3]}, {key[0], key[1]});
}

// Appends `size` normal numbers of a seed to `out`, by the Box-Muller transform.
void append_noise(uint64_t seed, int64_t size, Purpose purpose, uint32_t site,
                  std::vector<float>& out) {
  for (int64_t i = 0; i < size; i += 2) {
    const Words words = random_words(seed, purpose, static_cast<uint32_t>(i / 4), site);
    const double radius = std::sqrt(-2.0 * std::log((words[i % 4] + 0.5) * 0x1p-32));
    const double turn = 2.0 * std::numbers::pi * words[i % 4 + 1] * 0x1p-32;
    out.push_back(static_cast<float>(radius * std::cos(turn)));
    if (i + 1 < size) out.push_back(static_cast<float>(radius * std::sin(turn)));
  }
}

// Returns a class, uniformly distributed.
int64_t label_of_seed(uint64_t seed, uint64_t num_classes) {
  const Words words = random_words(seed, kSampleLabel, 0);
  const uint64_t low = (words[0] * num_classes) >> 32;
  return static_cast<int64_t>((words[1] * num_classes + low) >> 32);
}

// Parses "0-15" or "7".
std::vector<uint64_t> parse_seeds(const std::string& text) {
  size_t end = 0;
  const uint64_t first = std::stoull(text, &end);
  const uint64_t last = end < text.size() ? std::stoull(text.substr(end + 1)) : first;
  if (last < first || last - first >= 10'000)
    throw std::invalid_argument("expected seeds such as 0-15, received " + text);
  std::vector<uint64_t> seeds;
  for (uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

// An ONNX file of `halfstep convert`, without --network.
class Sampler {
 public:
  explicit Sampler(const char* file) : session_(environment_, file, Ort::SessionOptions()) {
    Ort::AllocatorWithDefaultOptions allocator;
    const auto entry =
        session_.GetModelMetadata().LookupCustomMetadataMapAllocated("halfstep", allocator);
    if (session_.GetOutputNameAllocated(0, allocator).get() != std::string("images") || !entry)
      throw std::invalid_argument(std::string("expected a sampler of halfstep, received ") + file);
    num_classes_ = nlohmann::json::parse(entry.get())["network"].value("num_classes", uint64_t{0});
    for (size_t i = 0; i < session_.GetInputCount(); ++i) {
      shapes_[session_.GetInputNameAllocated(i, allocator).get()] =
          session_.GetInputTypeInfo(i).GetTensorTypeAndShapeInfo().GetShape();
    }
  }

  // Returns the shape of an image, [C, H, W].
  std::vector<int64_t> image_shape() const {
    const std::vector<int64_t>& noise = shapes_.at("noise");
    return {noise.begin() + 1, noise.end()};
  }

  // Draws one image per seed: x in [-1, 1], [N, C, H, W]. Without a label, each seed has its own.
  std::vector<float> draw(const std::vector<uint64_t>& seeds, std::optional<int64_t> label,
                          float guidance) {
    const auto batch = static_cast<int64_t>(seeds.size());
    const std::vector<int64_t> image = image_shape();
    const int64_t size = image[0] * image[1] * image[2];
    std::vector<float> noise, step_noise;
    std::vector<int64_t> labels;
    const std::vector<float> weights(seeds.size(), guidance);
    for (const uint64_t seed : seeds) {
      append_noise(seed, size, kSampleNoise, 0, noise);
      labels.push_back(label ? *label : label_of_seed(seed, num_classes_));
    }

    std::vector<const char*> names;
    std::vector<Ort::Value> values;
    const auto add = [&]<typename T>(const char* name, const std::vector<T>& data,
                                     const std::vector<int64_t>& shape) {
      names.push_back(name);  // ONNX Runtime reads the data and does not change them
      values.push_back(Ort::Value::CreateTensor<T>(memory_, const_cast<T*>(data.data()),
                                                   data.size(), shape.data(), shape.size()));
    };
    add("noise", noise, {batch, image[0], image[1], image[2]});
    if (shapes_.contains("step_noise")) {
      const int64_t steps = shapes_["step_noise"][0];
      for (int64_t step = steps + 1; step > 1; --step) {
        for (const uint64_t seed : seeds)
          append_noise(seed, size, kStepNoise, static_cast<uint32_t>(step), step_noise);
      }
      add("step_noise", step_noise, {steps, batch, image[0], image[1], image[2]});
    }
    if (shapes_.contains("class")) add("class", labels, {batch});
    if (shapes_.contains("guidance")) add("guidance", weights, {batch});

    const char* output = "images";
    const std::vector<Ort::Value> images =
        session_.Run(Ort::RunOptions(), names.data(), values.data(), values.size(), &output, 1);
    const float* first = images[0].GetTensorData<float>();
    return {first, first + batch * size};
  }

 private:
  Ort::Env environment_{ORT_LOGGING_LEVEL_WARNING};
  Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::Session session_;
  uint64_t num_classes_ = 0;
  std::map<std::string, std::vector<int64_t>> shapes_;
};

// Writes images of `shape` in rows, separated by white lines.
void write_grid(const char* file, const std::vector<float>& images,
                const std::vector<int64_t>& shape) {
  const int64_t channels = shape[0], height = shape[1], width = shape[2];
  const auto count = static_cast<int64_t>(images.size()) / (channels * height * width);
  const auto columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t page_width = columns * (width + 1) - 1, page_height = rows * (height + 1) - 1;
  std::vector<uint8_t> page(static_cast<size_t>(page_width * page_height * channels), 255);
  for (size_t i = 0; i < images.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t x = at % width, y = at / width % height;
    const int64_t channel = at / (width * height) % channels;
    const int64_t image = at / (width * height * channels);
    const int64_t row = image / columns * (height + 1) + y;
    const int64_t column = image % columns * (width + 1) + x;
    page[static_cast<size_t>((row * page_width + column) * channels + channel)] =
        static_cast<uint8_t>(std::clamp(std::floor(images[i] * 127.5f + 128.0f), 0.0f, 255.0f));
  }
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(page_width);
  png.height = static_cast<png_uint_32>(page_height);
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  if (!png_image_write_to_file(&png, file, 0, page.data(), 0, nullptr))
    throw std::runtime_error(std::string(file) + ": " + png.message);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 6) {
    std::fputs("usage: sample MODEL.onnx SEEDS GRID.png [CLASS [GUIDANCE]]\n", stderr);
    return 2;
  }
  try {
    Sampler sampler(argv[1]);
    std::optional<int64_t> label;
    if (argc > 4) label = std::stoll(argv[4]);
    const std::vector<float> images =
        sampler.draw(parse_seeds(argv[2]), label, argc > 5 ? std::stof(argv[5]) : 1.0f);
    write_grid(argv[3], images, sampler.image_shape());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample: %s\n", error.what());
    return 1;
  }
}
