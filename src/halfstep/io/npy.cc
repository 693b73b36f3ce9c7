#include "halfstep/io/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = kMaxNpyHeader - 12;
constexpr std::size_t kMaxDimensions = 64;  // as in NumPy 2

constexpr std::array<std::pair<std::string_view, DType>, 9> kTypes = {{{"<f8", DType::f64},
                                                                       {"<f4", DType::f32},
                                                                       {"<f2", DType::f16},
                                                                       {"<i8", DType::i64},
                                                                       {"<i4", DType::i32},
                                                                       {"<i2", DType::i16},
                                                                       {"|i1", DType::i8},
                                                                       {"|u1", DType::u8},
                                                                       {"|b1", DType::boolean}}};

struct ParsedHeader {
  std::optional<DType> dtype;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Parses the header, a Python dictionary such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. Only the literals that NumPy writes
// for plain arrays are supported.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  ParsedHeader parse() {
    ParsedHeader header;
    expect("{");
    while (!accept("}")) {
      const std::string_view key = string();
      expect(":");
      if (key == "descr" && !header.dtype) {
        header.dtype = dtype();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = shape();
      } else {
        fail("descr, fortran_order and shape once each", key);
      }
      if (!accept(",")) {
        expect("}");
        break;
      }
    }
    skip_space();
    if (!text_.empty()) fail("nothing after the dictionary", text_);
    if (!header.dtype || !header.fortran_order || !header.shape) {
      fail("descr, fortran_order and shape", "fewer");
    }
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view expected, std::string_view received) const {
    throw FormatError(
        file_, "npy header: expected " + std::string(expected) + ", received " + quote(received));
  }

  void skip_space() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size()));
  }

  bool accept(std::string_view token) {
    skip_space();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail(quote(token), text_);
  }

  std::string_view string() {
    const bool twice = accept("\"");
    if (!twice) expect("'");
    const std::size_t end = text_.find(twice ? '"' : '\'');
    if (end == std::string_view::npos) fail("a closing quote", text_);
    const std::string_view result = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return result;
  }

  bool boolean() {
    if (accept("True")) return true;
    expect("False");
    return false;
  }

  DType dtype() {
    constexpr std::string_view kExpected = "one of <f8 <f4 <f2 <i8 <i4 <i2 |i1 |u1 |b1";
    skip_space();
    if (text_.starts_with("[")) fail(kExpected, "a structured array");
    const std::string_view text = string();
    for (const auto& [name, dtype] : kTypes) {
      // Byte order does not matter for one-byte types: '<u1' is the same as '|u1'.
      const bool same_tail = name.substr(1) == text.substr(std::min<std::size_t>(1, text.size()));
      if (text == name || (same_tail && size_of(dtype) == 1 && !text.starts_with('>'))) {
        return dtype;
      }
    }
    if (text.starts_with('>')) fail("little-endian data (save it with .astype('<f4'))", text);
    if (text.ends_with('O')) fail("numbers (objects are never loaded)", text);
    fail(kExpected, text);
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> result;
    expect("(");
    while (!accept(")")) {
      skip_space();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc()) fail("a size in the shape", text_);
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      (void)accept("L");  // Python 2
      result.push_back(size);
      if (result.size() > kMaxDimensions) fail("at most 64 dimensions", "more");
      if (!accept(",")) {
        expect(")");
        break;
      }
    }
    return result;
  }

  std::string_view text_;
  std::string file_;
};

// Returns the data of a Fortran-order array (first index fastest) in C order (last index fastest).
std::vector<std::byte> transposed(const ArrayView& fortran) {
  const std::size_t size = size_of(fortran.dtype);
  const std::size_t rank = fortran.shape.size();
  std::vector<std::size_t> stride(rank, size);  // bytes, in the source
  for (std::size_t d = 1; d < rank; ++d) {
    stride[d] = stride[d - 1] * static_cast<std::size_t>(fortran.shape[d - 1]);
  }
  std::vector<std::int64_t> index(rank, 0);
  std::vector<std::byte> result(fortran.bytes.size());
  std::size_t source = 0;
  for (std::size_t target = 0; target < result.size(); target += size) {
    std::memcpy(result.data() + target, fortran.bytes.data() + source, size);
    for (std::size_t d = rank; d-- > 0;) {
      source += stride[d];
      if (++index[d] < fortran.shape[d]) break;
      source -= stride[d] * static_cast<std::size_t>(index[d]);
      index[d] = 0;
    }
  }
  return result;
}

}  // namespace

NpyHeader decode_npy_header(std::string_view beginning, std::uint64_t file_size,
                            std::string_view name) {
  if (!beginning.starts_with(kMagic)) {
    throw FormatError(name, "npy: expected a file that begins with \\x93NUMPY, received " +
                                quote(beginning.substr(0, kMagic.size())));
  }
  if (beginning.size() < 12)
    throw FormatError(name, "npy: expected a whole header, received only its beginning");
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(beginning[i]));
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) {
    throw FormatError(name, "npy version: expected 1, 2 or 3, received " + std::to_string(version));
  }
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kMaxHeader || length > beginning.size() - start) {
    throw FormatError(name, "npy header: expected at most " +
                                std::to_string(std::min(kMaxHeader, beginning.size() - start)) +
                                " bytes, received a length of " + std::to_string(length) +
                                "; the file is cut short or damaged");
  }
  ParsedHeader parsed = HeaderParser(beginning.substr(start, length), name).parse();
  NpyHeader header{*parsed.dtype, std::move(*parsed.shape), *parsed.fortran_order, start + length};
  require_size(header.dtype, header.shape, file_size - header.size, name);
  return header;
}

Array decode_npy(std::vector<std::byte> contents, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  NpyHeader header = decode_npy_header(text, contents.size(), name);
  Array array{header.dtype, std::move(header.shape), {}};
  if (header.fortran_order && array.shape.size() > 1) {
    const std::span data = std::span<const std::byte>(contents).subspan(header.size);
    array.bytes = transposed({array.dtype, array.shape, data});
    return array;
  }
  contents.erase(contents.begin(), contents.begin() + static_cast<std::ptrdiff_t>(header.size));
  array.bytes = std::move(contents);
  return array;
}

Array read_npy(const std::filesystem::path& path) {
  return decode_npy(read_bytes(path), path.string());
}

std::string npy_header(const ArrayView& array) {
  require_consistent(array, "write_npy");
  if (array.shape.size() > kMaxDimensions) {
    throw ConfigError("write_npy", "shape: expected at most 64 dimensions, received " +
                                       std::to_string(array.shape.size()));
  }
  const auto type = std::ranges::find(kTypes, array.dtype, &decltype(kTypes)::value_type::second);
  if (type == kTypes.end()) {
    throw ConfigError("write_npy", "element type: expected one that NumPy has, received " +
                                       std::string(name_of(array.dtype)) + "; convert it to f32");
  }
  std::string dictionary =
      "{'descr': '" + std::string(type->first) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    dictionary += (d == 0 ? "" : ", ") + std::to_string(array.shape[d]);
  }
  dictionary += array.shape.size() == 1 ? ",), }" : "), }";
  // Magic, version, length, dictionary, spaces, newline: a multiple of 64 bytes in all.
  const std::size_t total = (10 + dictionary.size() + 1 + 63) / 64 * 64;
  dictionary.resize(total - 10 - 1, ' ');
  dictionary += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
             static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}

void write_npy(const std::filesystem::path& path, const ArrayView& array) {
  const std::string header = npy_header(array);
  AtomicFile file(path);
  file.write(header);
  file.write(array.bytes);
  file.commit();
}

}  // namespace halfstep::io
