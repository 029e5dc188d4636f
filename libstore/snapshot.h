// The snapshot: a State folded up to an Lsn, so that opening needs no scan of the log.
//
// A header and a directory of the mailboxes come first and are read at open; the entries of each
// mailbox, the table of contents and the deleted messages are arrays of fixed-size records, read
// when they are needed.  Every part has its checksum; any damage costs a scan, never data.
#pragma once

#include "libstore/state.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <string>

namespace store {

constexpr std::size_t snapshot_header_size = 256;
constexpr std::size_t max_snapshot_directory = 64U << 20;

// Where the log goes on behind what a snapshot holds.
struct LogPosition {
    std::uint32_t segment = 0;
    std::uint64_t offset = 0;
};

struct SnapshotPart {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
    std::uint32_t checksum = 0;
};

class Snapshot {
public:
    // The bytes of a snapshot of `state`.  What is not loaded comes from the snapshot `before`.
    static util::Result<std::string> encode(const State& state, std::uint64_t tag,
                                            LogPosition position, const Snapshot* before);

    // Reads header and directory into `state` (fresh); the rest stays to be loaded.  Error when it is
    // not whole, or not of the store with this tag.
    static util::Result<Snapshot> open(const std::string& path, std::uint64_t tag, State& state);

    LogPosition position() const { return position_; }
    Lsn lsn() const { return lsn_; }
    util::Result<void> load(Folder& folder) const;
    util::Result<void> load_contents(State& state) const;
    util::Result<void> load_kept(State& state) const;

private:
    util::Result<std::string> read_part(std::uint64_t offset, std::uint64_t length,
                                        std::uint32_t checksum) const;

    util::UniqueFd fd_;
    LogPosition position_;
    Lsn lsn_ = 0;
    SnapshotPart contents_;
    SnapshotPart kept_;
};

}  // namespace store
