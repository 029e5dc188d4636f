// The snapshot: a State folded up to an Lsn, so that opening needs no scan of the log.
//
// A header and a directory of the mailboxes come first and are read at open; the entries of each
// mailbox, the table of contents and the deleted messages are arrays of fixed-size records, read
// when they are needed.  Beside a mailbox's entries stands their outline: what SELECT asks, in a few
// bytes where the entries take megabytes.  Every part has its checksum; any damage costs a scan, never data.
#pragma once

#include "libstore/state.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <cstddef>
#include <string>

namespace store {

constexpr std::size_t snapshot_header_size = 256;
constexpr std::size_t date_padding = offsetof(Entry, internal_date) + 10;  // bytes of no meaning
constexpr std::size_t date_padding_size = 6;
constexpr std::uint32_t snapshot_section_limits = 1;
constexpr std::uint32_t snapshot_section_annotations = 2;
constexpr std::uint32_t snapshot_section_readers = 3;
constexpr std::uint32_t snapshot_section_outlines = 4;
constexpr std::size_t max_snapshot_directory = 64U << 20;

// Where the log goes on behind what a snapshot holds.
struct LogPosition {
    std::uint32_t segment = 0;
    std::uint64_t offset = 0;
};

class Snapshot {
public:
    // Reads header and directory into `state` (fresh); the rest stays to be loaded.  Error when it is
    // not whole, or not of the store with this tag.
    static util::Result<Snapshot> open(const std::string& path, std::uint64_t tag, State& state);

    LogPosition position() const { return position_; }
    Lsn lsn() const { return lsn_; }
    util::Result<void> load(Folder& folder) const;
    // Of a folder that is not loaded.  NotFound: a release that made none has written the snapshot.
    util::Result<Outline> read_outline(const Folder& folder) const;
    util::Result<void> load_contents(State& state) const;
    util::Result<void> load_kept(State& state) const;

    // For the next snapshot (snapshot_draft.h), also by another thread: bytes as they are in the file.
    util::Result<std::string> read_part(std::uint64_t offset, std::uint64_t length,
                                        std::uint32_t checksum) const;
    util::Result<std::string> read_contents() const;
    util::Result<std::string> read_kept() const;
    // The header without the places of the parts; those and its checksum.
    static std::string encode_header(const State& state, std::uint64_t tag, LogPosition position);
    static void encode_part(const SnapshotPart& part, std::string& out);
    static std::string complete_header(std::string header, const SnapshotPart& contents, const SnapshotPart& kept,
                                       const SnapshotPart& index);

private:
    util::UniqueFd fd_;
    LogPosition position_;
    Lsn lsn_ = 0;
    SnapshotPart contents_;
    SnapshotPart kept_;
};

}  // namespace store
