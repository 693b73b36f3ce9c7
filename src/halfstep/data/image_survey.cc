#include "halfstep/data/image_survey.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/in_threads.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/image_header.h"

namespace halfstep::data {
namespace {

constexpr size_t kEnd = 4096;
// A JPEG may have a preview or a colour profile before its size.
constexpr size_t kLongEnd = size_t{1} << 17;
constexpr size_t kChunk = 64;  // files that a thread takes at a time

std::span<const std::byte> first_of(const std::vector<std::byte>& bytes, size_t count) {
  return std::span(bytes).first(std::min(count, bytes.size()));
}

std::span<const std::byte> last_of(const std::vector<std::byte>& bytes, size_t count) {
  return std::span(bytes).last(std::min(count, bytes.size()));
}

std::optional<io::ImageHeader> header_of(const ImageSource& source, size_t i, uint64_t size,
                                         const std::vector<std::byte>& ends) {
  const auto read = [&](const std::vector<std::byte>& bytes, size_t end) {
    return io::read_image_header(first_of(bytes, end), last_of(bytes, end), size);
  };
  if (size <= ends.size()) return read(ends, ends.size());
  std::optional<io::ImageHeader> header = read(ends, kEnd);
  const bool is_jpeg = ends[0] == std::byte{0xFF} && ends[1] == std::byte{0xD8};
  if (!header && is_jpeg) {
    const std::vector<std::byte> longer = source.read_ends(i, kLongEnd);
    header = read(longer, std::min(longer.size(), kLongEnd));
  }
  return header;
}

// The images of one chunk, added one after another.
class Chunk {
 public:
  Chunk(const ImageSource& source, const std::vector<int32_t>& labels, bool decode)
      : source_(source), labels_(labels), decode_(decode) {}

  void add(size_t i) {
    try {
      add_readable(i);
    } catch (const FormatError& error) {
      if (result_.broken.count++ == 0) result_.first_reason = error.text();
      if (result_.broken.named.size() < BrokenImages::kNamed)
        result_.broken.named.push_back(one_line(source_.name(i)));
    }
  }

  ImageSurvey finish() {
    result_.contents = hash_.hex();
    return std::move(result_);
  }

 private:
  void add_readable(size_t i) {
    const uint64_t size = source_.size(i);
    const std::vector<std::byte> ends = source_.read_ends(i, kEnd);
    const bool is_image = io::begins_as_image(ends);
    if (!is_image && source_.holds_other_entries()) {
      ++result_.not_images;
      return;
    }
    std::optional<io::ImageHeader> header;
    std::vector<std::byte> whole;
    if (!decode_) header = header_of(source_, i, size, ends);
    if (!header) {
      whole = source_.read(i);
      const io::Image image = io::decode_image(whole, source_.path(i));
      header = io::ImageHeader{image.width, image.height, image.channels};
    }
    add_whole(i, *header);
    add_to_hash(i, size, ends, whole);
  }

  void add_whole(size_t i, const io::ImageHeader& header) {
    result_.whole.push_back(i);
    result_.channels = std::max(result_.channels, header.channels);
    ImageSurvey::OfSize& of_size = result_.sizes[{header.width, header.height}];
    ++of_size.count;
    if (of_size.first.size() < BrokenImages::kNamed) of_size.first.push_back(i);
  }

  void add_to_hash(size_t i, uint64_t size, const std::vector<std::byte>& ends,
                   const std::vector<std::byte>& whole) {
    const int32_t label = labels_.empty() ? -1 : labels_[i];
    const std::optional<uint32_t> checksum = source_.checksum(i);
    const std::string text = source_.name(i) + '\0' + std::to_string(size) + ' ' +
                             std::to_string(label) + ' ' +
                             (checksum ? std::to_string(*checksum) : "") + '\n';
    hash_.update(std::as_bytes(std::span(text)));
    if (checksum) return;
    // Decoding may have read a file that need not be read whole, and the other way round.
    const bool by_ends = io::has_header(ends) || size <= ends.size();
    hash_.update(by_ends ? ends : whole);
  }

  const ImageSource& source_;
  const std::vector<int32_t>& labels_;
  const bool decode_;
  io::Sha256 hash_;
  ImageSurvey result_;
};

void append(const ImageSurvey& part, ImageSurvey& all) {
  all.whole.insert(all.whole.end(), part.whole.begin(), part.whole.end());
  all.not_images += part.not_images;
  if (all.broken.count == 0) all.first_reason = part.first_reason;
  all.broken.count += part.broken.count;
  for (const std::string& name : part.broken.named) {
    if (all.broken.named.size() < BrokenImages::kNamed) all.broken.named.push_back(name);
  }
  for (const auto& [size, of_size] : part.sizes) {
    ImageSurvey::OfSize& to = all.sizes[size];
    to.count += of_size.count;
    for (const size_t i : of_size.first) {
      if (to.first.size() < BrokenImages::kNamed) to.first.push_back(i);
    }
  }
  all.channels = std::max(all.channels, part.channels);
}

}  // namespace

ImageSurvey survey(const ImageSource& source, const std::vector<int32_t>& labels, bool decode) {
  std::vector<ImageSurvey> parts((source.count() + kChunk - 1) / kChunk);
  for_each_in_threads(parts.size(), [&](size_t k) {
    Chunk chunk(source, labels, decode);
    const size_t end = std::min(source.count(), (k + 1) * kChunk);
    for (size_t i = k * kChunk; i < end; ++i) chunk.add(i);
    parts[k] = chunk.finish();
  });
  ImageSurvey all;
  io::Sha256 hash;
  for (const ImageSurvey& part : parts) {
    append(part, all);
    hash.update(std::as_bytes(std::span(part.contents)));
  }
  all.contents = hash.hex();
  return all;
}

}  // namespace halfstep::data
