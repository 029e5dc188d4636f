// Ascending uids as bytes: for each run its distance from the one before and its length, in as few bytes as
// these take.
#pragma once

#include "libstore/codec.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace imapd::engine {

// So many uids are read at most: a few bytes can stand for very many.
constexpr std::size_t max_uids_in_runs = 5'000'000;

void append_runs(std::string& out, std::span<const std::uint32_t> uids);
// Fails the reader when what is there is malformed, has too many, or does not ascend.
std::vector<std::uint32_t> read_runs(store::Reader& reader);

}  // namespace imapd::engine
