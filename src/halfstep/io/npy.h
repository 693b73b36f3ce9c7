// NumPy's files: .npy (one array) and .npz (a zip of .npy files; names without ".npy" here).
//
// Read: format versions 1, 2 and 3; little-endian f8 f4 f2 i8 i4 i2, i1, u1 and bool. Fortran-order
// arrays are transposed into C order. Big-endian, structured and object arrays are refused
// (FormatError), and so is anything after the array; nothing is ever unpickled. Zip entries may be
// stored or deflated; those not called *.npy are passed over.
//
// Written: version 1, C order, atomically (see io/file.h); npz entries are stored, not compressed,
// and dated 1980-01-01, so the same arrays give the same bytes. bf16 does not exist in NumPy:
// ConfigError, as is an .npz of no arrays.
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

// What an .npz may unpack to in all; more is FormatError (a small zip can claim any size).
inline constexpr std::size_t kMaxNpzBytes = std::size_t{1} << 35;  // 32 GiB

// What stands before the data.
struct NpyHeader {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  std::size_t size = 0;  // bytes of the file before the data
};

inline constexpr std::size_t kMaxNpyHeader = 12 + (std::size_t{1} << 16);  // bytes; more is refused

// Of the first bytes of a file of `file_size`, kMaxNpyHeader of them where it has as many.
NpyHeader decode_npy_header(std::string_view beginning, std::uint64_t file_size,
                            std::string_view name);

Array read_npy(const std::filesystem::path& path);
// The same from memory; `name` stands for the path in messages.
Array decode_npy(std::vector<std::byte> contents, std::string_view name);

void write_npy(const std::filesystem::path& path, const ArrayView& array);
// The magic, version and dictionary that stand before the data, padded to a multiple of 64 bytes.
std::string npy_header(const ArrayView& array);

std::map<std::string, Array> read_npz(const std::filesystem::path& path);
std::map<std::string, Array> decode_npz(std::span<const std::byte> contents, std::string_view name);

void write_npz(const std::filesystem::path& path, const std::map<std::string, ArrayView>& arrays);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_NPY_H_
