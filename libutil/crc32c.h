// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of all records on disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace util {

// The checksum of `bytes`, continuing from `seed` (the checksum of what came before; 0 at first).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

// The same on a processor without the instruction; public for its test.
std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace util
