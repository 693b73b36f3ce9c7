// NumPy files: .npy holds one array and .npz is a zip of .npy files. The names of the arrays in an
// .npz are those of the entries without ".npy".
//
// Reading supports format versions 1, 2 and 3 and the types f8, f4, f2, i8, i4, i2 (little-endian),
// i1, u1 and bool. Fortran-order arrays are transposed to C order. Big-endian, structured and
// object arrays and trailing bytes throw FormatError; nothing is ever unpickled. Zip entries may be
// stored or deflated; entries not called *.npy are ignored. A file that cannot be read or written
// throws IoError. All functions are thread-safe.
//
// Writing is atomic (the old file is replaced once the new one is complete) and produces version 1
// and C order. The entries of an .npz are stored uncompressed and dated 1980-01-01, so the same
// arrays give the same bytes. Writing bf16, which NumPy does not have, or an .npz without arrays
// throws ConfigError.
#ifndef HALFSTEP_IO_NPY_H_
#define HALFSTEP_IO_NPY_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/io/array.h"

namespace halfstep::io {

// The largest total size of the unpacked arrays of an .npz. More throws FormatError, because a
// small zip file can claim any size.
inline constexpr std::size_t kMaxNpzBytes = std::size_t{1} << 35;  // 32 GiB

// The contents of a .npy file's header.
struct NpyHeader {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  std::size_t size = 0;  // offset of the data in the file, in bytes
};

inline constexpr std::size_t kMaxNpyHeader =
    12 + (std::size_t{1} << 16);  // the largest header, in bytes

// Decodes a header. `beginning` is the first kMaxNpyHeader bytes of a file of `file_size` bytes, or
// all of a smaller file; `name` is used in messages.
NpyHeader decode_npy_header(std::string_view beginning, std::uint64_t file_size,
                            std::string_view name);

// Reads a .npy file.
Array read_npy(const std::filesystem::path& path);
// Decodes a .npy file in memory; `name` is used in messages.
Array decode_npy(std::vector<std::byte> contents, std::string_view name);

void write_npy(const std::filesystem::path& path, const ArrayView& array);
// Returns the header that write_npy writes: magic, version and dictionary, padded to a multiple of
// 64 bytes.
std::string npy_header(const ArrayView& array);

// Read all arrays of an .npz, by name.
std::map<std::string, Array> read_npz(const std::filesystem::path& path);
std::map<std::string, Array> decode_npz(std::span<const std::byte> contents, std::string_view name);

void write_npz(const std::filesystem::path& path, const std::map<std::string, ArrayView>& arrays);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_NPY_H_
