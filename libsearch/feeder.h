// Fills the index: a batch of messages becomes a segment, with which smaller neighbours are merged.
//
// It runs in a process of its own beside the mailbox, which may read the store and write to one descriptor.  Each
// message goes through a merge some log4(n) times in its life; what was expunged is left out there.
#pragma once

#include "libsearch/index.h"
#include "libstore/store.h"

#include <atomic>
#include <set>

namespace search {

constexpr std::size_t least_memory = 16U << 20;
constexpr std::uint32_t merged_chunks = 1U << 19;   // a segment that has so many is merged no more

struct FeedOptions {
    std::size_t memory = 64U << 20;          // about what a batch may take, besides the message being read
    util::Duration time{10'000'000};         // no message is begun later
    std::set<store::Lsn> opaque;             // contents not to be looked at: somebody died of them
    // Where the content that is being read is told, for whoever looks when this process is dead; 0 between two.
    std::atomic<store::Lsn>* reading = nullptr;
};

struct FeedReport {
    Index::Range range;              // of the segment that was written; 0: none was needed
    std::uint64_t added = 0;         // messages
    std::uint64_t merged = 0;
    bool complete = true;            // nothing is left to be added

    std::string encode() const;
    static std::optional<FeedReport> decode(std::string_view bytes);
};

// Looks which of the store's messages the index lacks, and writes the next segment to `fd`, an empty file.
util::Result<FeedReport> feed(store::Store& store, Index& index, int fd, const FeedOptions& options);

}  // namespace search
