// Checkpoints of the official JAX code: a tree of maps in MessagePack, as written by
// flax.serialization.to_bytes. Leaves are integers, nil, or arrays. An array is an extension of
// type 1 (or 3, for a scalar) that contains [shape, name of the element type, C-order bytes].
#ifndef HALFSTEP_IO_FLAX_CHECKPOINT_H_
#define HALFSTEP_IO_FLAX_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "halfstep/io/array.h"

namespace halfstep::io {

// The leaves by their keys, joined by '/', such as "ema_params/down_0.block_0/conv1/kernel". Nil
// leaves are omitted.
struct FlaxCheckpoint {
  std::map<std::string, Array> arrays;
  std::map<std::string, std::int64_t> integers;
};

// Parses a checkpoint. Throws FormatError, naming `where`, if `bytes` are not one. Uses at most a
// few times the memory of `bytes`, whatever sizes they claim.
FlaxCheckpoint parse_flax_checkpoint(std::span<const std::byte> bytes, std::string_view where);

// Reads and parses a file. Throws as parse_flax_checkpoint, and IoError if it cannot be read.
FlaxCheckpoint read_flax_checkpoint(const std::filesystem::path& path);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FLAX_CHECKPOINT_H_
