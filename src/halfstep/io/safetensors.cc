#include "halfstep/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "the data are used without byte swapping");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr const char* kMetadata = "__metadata__";

constexpr std::array<std::pair<std::string_view, DType>, 10> kTypes = {{{"F64", DType::f64},
                                                                        {"F32", DType::f32},
                                                                        {"F16", DType::f16},
                                                                        {"BF16", DType::bf16},
                                                                        {"I64", DType::i64},
                                                                        {"I32", DType::i32},
                                                                        {"I16", DType::i16},
                                                                        {"I8", DType::i8},
                                                                        {"U8", DType::u8},
                                                                        {"BOOL", DType::boolean}}};

struct Entry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Reads the header of a file. Every error names the file.
class HeaderReader {
 public:
  HeaderReader(std::string_view file, std::size_t data_size) : file_(file), data_size_(data_size) {}

  [[noreturn]] void fail(const std::string& what) const { throw FormatError(file_, what); }

  std::map<std::string, std::string> metadata(const json& header) const {
    std::map<std::string, std::string> result;
    const auto found = header.find(kMetadata);
    if (found == header.end()) return result;
    if (!found->is_object()) fail("__metadata__: expected an object, received another type");
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string()) {
        fail("__metadata__ " + quote(key) + ": expected a string, received " + value.type_name());
      }
      result.emplace(key, value.get<std::string>());
    }
    return result;
  }

  Entry entry(const std::string& name, const json& value) const {
    const std::string where = "tensor " + quote(name) + " ";
    if (!value.is_object()) fail(where + ": expected an object, received " + value.type_name());
    Entry result;
    result.name = name;
    result.dtype = dtype(where, field(where, value, "dtype"));
    for (const std::uint64_t size : numbers(where + "shape", field(where, value, "shape"))) {
      if (size > static_cast<std::uint64_t>(INT64_MAX)) {
        fail(where + "shape: expected sizes below 2^63, received " + std::to_string(size));
      }
      result.shape.push_back(static_cast<std::int64_t>(size));
    }
    const auto offsets = numbers(where + "data_offsets", field(where, value, "data_offsets"));
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size_) {
      fail(where + "data_offsets: expected two ascending offsets within the file's " +
           std::to_string(data_size_) + " bytes of data, received " +
           quote(value["data_offsets"].dump()) + "; the file may be cut short");
    }
    result.begin = offsets[0];
    result.end = offsets[1];
    require_size(where, result);
    return result;
  }

  // Rejects overlapping tensors and bytes that belong to no tensor. Sorts `entries` by offset.
  void require_gapless(std::vector<Entry>& entries) const {
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    std::size_t position = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != position) {
        fail("tensor " + quote(entry.name) + " data_offsets: expected to begin at " +
             std::to_string(position) + " where the previous tensor ends, received " +
             std::to_string(entry.begin));
      }
      position = entry.end;
    }
    if (position != data_size_) {
      fail("size: expected " + std::to_string(position) + " bytes of data, received " +
           std::to_string(data_size_));
    }
  }

 private:
  const json& field(const std::string& where, const json& value, const char* name) const {
    const auto found = value.find(name);
    if (found == value.end()) fail(where + name + ": expected this key, received none");
    return *found;
  }

  DType dtype(const std::string& where, const json& value) const {
    const std::string text = value.is_string() ? value.get<std::string>() : value.type_name();
    for (const auto& [name, dtype] : kTypes) {
      if (name == text) return dtype;
    }
    fail(where + "dtype: expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL, received " +
         quote(text));
  }

  std::vector<std::uint64_t> numbers(const std::string& where, const json& value) const {
    std::vector<std::uint64_t> result;
    if (!value.is_array()) fail(where + ": expected a list, received " + value.type_name());
    for (const json& number : value) {
      if (!number.is_number_unsigned()) {
        fail(where + ": expected integers >= 0, received " + quote(number.dump()));
      }
      result.push_back(number.get<std::uint64_t>());
    }
    return result;
  }

  void require_size(const std::string& where, const Entry& entry) const {
    std::int64_t size = 0;
    const std::int64_t count = element_count(entry.shape, file_);
    const auto element = static_cast<std::int64_t>(size_of(entry.dtype));
    if (__builtin_mul_overflow(count, element, &size) ||
        static_cast<std::uint64_t>(size) != entry.end - entry.begin) {
      fail(where + "data_offsets: expected " + std::to_string(count) + " elements of " +
           std::to_string(element) + " bytes for shape " + to_string(entry.shape) + ", received " +
           std::to_string(entry.end - entry.begin) + " bytes");
    }
  }

  std::string file_;
  std::size_t data_size_;
};

// Returns the length of the header. `file_size` is nullopt while only the first bytes have been
// read.
std::size_t header_length(std::span<const std::byte> contents, const std::string& name,
                          std::optional<std::size_t> file_size) {
  if (contents.size() < kLengthBytes) {
    throw FormatError(name, "safetensors: expected at least 8 bytes, received " +
                                std::to_string(contents.size()) +
                                "; the file is empty or cut short");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, contents.data(), kLengthBytes);
  if (length > kMaxHeader) {
    throw FormatError(name,
                      "safetensors: expected a file that begins with the length of its header, "
                      "received another format");
  }
  if (file_size && length > *file_size - kLengthBytes) {
    throw FormatError(name, "safetensors: expected a header of " + std::to_string(length) +
                                " bytes, received " + std::to_string(*file_size - kLengthBytes) +
                                "; the file is cut short or of another format");
  }
  return length;
}

// Reads a file, but rejects other formats by their first bytes before reading a large file.
std::vector<std::byte> read_checked(const std::filesystem::path& path) {
  (void)header_length(read_bytes(path, kLengthBytes), path.string(), std::nullopt);
  return read_bytes(path);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : SafetensorsFile(read_checked(path), path.string()) {}

SafetensorsFile::SafetensorsFile(std::vector<std::byte> contents, std::string name)
    : name_(std::move(name)), contents_(std::move(contents)) {
  parse();
}

void SafetensorsFile::parse() {
  const std::size_t length = header_length(contents_, name_, contents_.size());
  const std::string_view text(reinterpret_cast<const char*>(contents_.data()) + kLengthBytes,
                              length);
  const std::span data = std::span<const std::byte>(contents_).subspan(kLengthBytes + length);
  const json header = parse_json(text, name_ + " header");
  const HeaderReader reader(name_, data.size());
  if (!header.is_object()) {
    reader.fail(std::string("header: expected an object, received ") + header.type_name());
  }
  metadata_ = reader.metadata(header);

  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) entries.push_back(reader.entry(name, value));
  }
  reader.require_gapless(entries);
  for (Entry& entry : entries) {
    std::span bytes = data.subspan(entry.begin, entry.end - entry.begin);
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(entry.dtype) != 0) {
      bytes = realigned_.emplace_back(bytes.begin(), bytes.end());
    }
    tensors_.emplace(entry.name, ArrayView{entry.dtype, std::move(entry.shape), bytes});
  }
}

const ArrayView& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::string present;
  std::size_t shown = 0;
  for (const auto& [other, view] : tensors_) {
    if (++shown > 8) break;
    present += (shown > 1 ? ", " : "") + quote(other);
  }
  if (tensors_.size() > 8) present += ", ...";
  throw FormatError(name_, "tensor: expected " + quote(name) + ", received " +
                               std::to_string(tensors_.size()) + " others: " + present);
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, ArrayView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const std::pair<const std::string, ArrayView>*> order;
  for (const auto& item : tensors) {
    if (item.first == kMetadata) {
      throw ConfigError("write_safetensors", "tensor name: \"__metadata__\" is reserved");
    }
    require_consistent(item.second, "write_safetensors, tensor " + quote(item.first));
    order.push_back(&item);
  }
  std::ranges::stable_sort(order, std::greater<>(),
                           [](const auto* item) { return size_of(item->second.dtype); });

  json header = json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  std::size_t position = 0;
  for (const auto* item : order) {
    const ArrayView& view = item->second;
    const auto type = std::ranges::find(kTypes, view.dtype, &decltype(kTypes)::value_type::second);
    header[item->first] = {{"dtype", type->first},
                           {"shape", view.shape},
                           {"data_offsets", {position, position + view.bytes.size()}}};
    position += view.bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::type_error& error) {
    throw ConfigError("write_safetensors",
                      path.string() + ": expected UTF-8 names, received " + quote(error.what()));
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');

  const std::uint64_t length = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const auto* item : order) file.write(item->second.bytes);
  file.commit();
}

}  // namespace halfstep::io
