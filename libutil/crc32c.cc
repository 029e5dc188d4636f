// CRC-32C: the instruction of SSE 4.2 where the processor has it, else eight tables.
#include "libutil/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <sys/platform/x86.h>
#endif

namespace util {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

// tables[n][b]: the checksum of byte b followed by n zero bytes ("slicing by 8").
constexpr std::array<std::array<std::uint32_t, 256>, 8> tables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> all{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        all[0][byte] = crc;
    }
    for (std::size_t n = 1; n < 8; ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte)
            all[n][byte] = all[n - 1][byte] >> 8 ^ all[0][all[n - 1][byte] & 0xff];
    }
    return all;
}();

std::uint32_t by_tables(std::string_view bytes, std::uint32_t crc)
{
    while (bytes.size() >= 8) {
        auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
        crc ^= at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
        crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^
              tables[4][crc >> 24] ^ tables[3][at(4)] ^ tables[2][at(5)] ^ tables[1][at(6)] ^
              tables[0][at(7)];
        bytes.remove_prefix(8);
    }
    for (char byte : bytes)
        crc = crc >> 8 ^ tables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::string_view bytes, std::uint32_t seed)
{
    std::uint64_t crc = seed;
    while (bytes.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        crc = _mm_crc32_u64(crc, word);
        bytes.remove_prefix(8);
    }
    auto rest = static_cast<std::uint32_t>(crc);
    for (char byte : bytes)
        rest = _mm_crc32_u8(rest, static_cast<unsigned char>(byte));
    return rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t seed)
{
    return ~by_tables(bytes, ~seed);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed)
{
#if defined(__x86_64__)
    // What the C library has found out already.  The compiler's own question is CPUID again at each start of a
    // program, and each of those instructions is dear in a virtual machine.
    if (CPU_FEATURE_ACTIVE(SSE4_2))
        return ~by_instruction(bytes, ~seed);
#endif
    return crc32c_by_tables(bytes, seed);
}

}  // namespace util
