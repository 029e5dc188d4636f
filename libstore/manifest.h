// The manifest: which segments live, in the order of their records, and which snapshot belongs to
// them.  A small text file, replaced as a whole; tern-store(5) shows one.
#pragma once

#include "libstore/format.h"
#include "libutil/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct Manifest {
    struct Item {
        std::uint64_t id = 0;
        SegmentKind kind = SegmentKind::Log;
        Lsn base = 0;
    };
    std::uint64_t tag = 0;
    std::uint64_t generation = 0;
    Lsn durable = 0;              // records up to here were synced
    std::vector<Item> segments;   // the last one was being written to
    std::uint64_t snapshot = 0;   // its number; 0 = none
};

constexpr std::size_t max_manifest_size = 4U << 20;

std::string encode_manifest(const Manifest& manifest);
// nullopt unless the checksum and every line are right.
std::optional<Manifest> decode_manifest(std::string_view text);
std::string snapshot_name(std::uint64_t number);

// Replaces the manifest in `directory`: written to room that was allocated before, so that it works
// on a full disk, synced, renamed, directory synced.
util::Result<void> write_manifest(const std::string& directory, const Manifest& manifest);

}  // namespace store
