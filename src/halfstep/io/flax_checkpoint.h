// Checkpoints of the official code: a tree of maps as flax.serialization.to_bytes writes it, in
// MessagePack. Its leaves are whole numbers, nil, and arrays: extension type 1 (or 3, a scalar)
// around [shape, name of the element type, C-order bytes].
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

// Leaves by their keys, joined: "ema_params/down_0.block_0/conv1/kernel". No nil is among them.
struct FlaxCheckpoint {
  std::map<std::string, Array> arrays;
  std::map<std::string, std::int64_t> integers;
};

// FormatError, naming `where`, for what is no such checkpoint. Takes no more memory than a few
// times the size of `bytes`, whatever they claim.
FlaxCheckpoint parse_flax_checkpoint(std::span<const std::byte> bytes, std::string_view where);

// IoError if the file cannot be read.
FlaxCheckpoint read_flax_checkpoint(const std::filesystem::path& path);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FLAX_CHECKPOINT_H_
