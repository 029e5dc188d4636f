// The frame of the log: segment headers, record headers, and how a segment's bytes become records
// again.  What is inside a record: libstore/records.h.  tern-store(5) documents all of it.
//
// Each store has a random tag that every header repeats.  Who sends mail does not know it, so no
// message can hold bytes that a search for the next valid record would take for one.
#pragma once

#include "libstore/types.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

enum class Type : std::uint8_t {
    Arrival = 1,
    FlagSetting = 2,
    Copying = 3,
    Expunging = 4,
    MailboxState = 5,
    MailboxRemoval = 6,
    Subscribing = 7,
    NewKeyword = 8,
    RecentClaim = 9,
    Reservation = 10,
    Closing = 11,
    Census = 12,
    Purge = 13,
    Annotating = 14,
    AnnotationCensus = 15,
    SeenSetting = 16,
    Voided = 17,
};

// A release passes over records of types below this one that it does not know, as if they were not
// there: so they say nothing of messages and mailboxes that other records say, and give out no uids.  (It
// keeps them in compaction, and makes snapshots that lack what they say, by which a later release sees
// that it has to read the log.)  Of those from here on it cannot know what was given out, and takes them for
// damage.
constexpr std::uint8_t vital_type = 128;

constexpr std::uint8_t record_version = 1;
constexpr std::size_t record_header_size = 48;
constexpr std::size_t record_alignment = 8;
constexpr std::size_t segment_header_size = 128;
constexpr std::uint32_t segment_version = 1;
constexpr std::size_t content_block = 64U << 10;  // content has one checksum per block of this size
constexpr std::uint32_t max_record_size = 256U << 20;
constexpr std::size_t max_replaced = 8;  // segments that one compacted segment can replace

struct RecordHeader {
    Lsn lsn = 0;
    Lsn durable = 0;            // all up to here was synced when this record was made
    std::uint32_t length = 0;   // whole record without padding
    std::uint32_t meta_length = 0;
    Type type = Type::Closing;
    std::uint8_t version = record_version;
    std::uint16_t group_index = 0;  // position in a group that counts only as a whole
    std::uint16_t group_size = 1;
    std::uint32_t meta_checksum = 0;
};

constexpr std::size_t padded(std::size_t length)
{
    return (length + record_alignment - 1) & ~(record_alignment - 1);
}

constexpr std::uint64_t padded_to_block(std::uint64_t size)
{
    return (size + content_block - 1) / content_block * content_block;
}

void encode_header(const RecordHeader& header, std::uint64_t tag, std::string& out);
// What takes the place of this header when recovery refuses the record: it says nothing any more, also to older releases,
// but is as long as it was, so that the records behind it are found, and its mark still holds.
RecordHeader voided(RecordHeader header);
// nullopt unless tag, checksum and lengths are right.
std::optional<RecordHeader> decode_header(std::string_view bytes, std::uint64_t tag);

// A record as it lies in a segment.
struct Frame {
    RecordHeader header;
    std::uint64_t offset = 0;
    std::string_view bytes;  // the whole record, in the caller's buffer

    std::string_view meta() const { return bytes.substr(record_header_size, header.meta_length); }
};

enum class SegmentKind : std::uint32_t { Log = 1, Compacted = 2 };

struct SegmentHeader {
    SegmentKind kind = SegmentKind::Log;
    std::uint64_t id = 0;
    std::uint64_t tag = 0;
    Lsn base = 0;             // all records have a higher Lsn
    std::int64_t created = 0;
    std::vector<std::uint64_t> replaces;  // Compacted: the segments whose place it takes
};

std::string encode_segment_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);
std::string segment_name(std::uint64_t id);
// The id in a name that segment_name() made.
std::optional<std::uint64_t> segment_id(std::string_view name);

// The record at `offset` of these bytes, if it is a valid one, is whole, and has an Lsn after this.
std::optional<Frame> frame_at(std::string_view bytes, std::uint64_t offset, std::uint64_t tag, Lsn after);

// The records of a segment.
struct Scan {
    struct Gap {
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
    };
    std::vector<Frame> frames;
    std::vector<Gap> gaps;    // bad bytes with valid records after them
    std::vector<Frame> refused;   // of them, whole records that do not count; in `frames` are none
    std::uint64_t end = 0;    // behind the last valid record
    std::uint64_t tail = 0;   // bytes after `end` that are not all zero, up to the last that is not
    Lsn durable = 0;          // all up to here was once synced: the highest durable mark that was seen
};

// `bytes` is the segment from offset `at` on (0, or behind a record).  With `verify`, a message beyond the durable marks
// whose rendered data or content is damaged counts as bad, and so does a voided record there: who voided it did not come
// to write the mark.  Otherwise all was once synced (sealed segments, and what recovery has been through): only header and
// metadata are verified, and content is left to whoever reads it.
Scan scan_segment(std::string_view bytes, std::uint64_t tag, bool verify, std::uint64_t at = 0);

}  // namespace store
