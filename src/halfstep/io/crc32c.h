// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TensorBoard's event files.
#ifndef HALFSTEP_IO_CRC32C_H_
#define HALFSTEP_IO_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace halfstep::io {

std::uint32_t crc32c(std::string_view bytes);

// Returns the checksum in the form that event files store: rotated right by 15 bits, plus a
// constant. The mask avoids computing the CRC of data that contain CRCs.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_CRC32C_H_
