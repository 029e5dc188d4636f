// Random bytes from the kernel, for ids, tickets, salts and nonces.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace util {

// Never fails and never returns less: getrandom(2) waits for the pool once, at boot.
void random_bytes(std::span<char> out);
std::string random_string(std::size_t bytes);
std::uint64_t random_u64();

}  // namespace util
