// The values of a user's store: ids, flags, dates, what a mailbox and a message are.
#pragma once

#include "libutil/time.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

// Position of a record in the history of one store.  It only grows, compaction keeps it, and it
// serves as modseq (RFC 7162 §3.1), so it stays below 2^63.
using Lsn = std::uint64_t;

// Identifies a mailbox for ever; a name can move from one id to another (also MAILBOXID, RFC 8474).
using MailboxId = std::uint64_t;

// Identifies a message and its copies for ever (EMAILID, RFC 8474).
struct Guid {
    std::array<unsigned char, 16> bytes{};
    auto operator<=>(const Guid&) const = default;
};

// RFC 6154.  Declared before the flags below: -Wshadow would mind the other order.
enum class SpecialUse : std::uint8_t { None, All, Archive, Drafts, Flagged, Junk, Sent, Trash };

// System flags (RFC 3501 §2.3.2) as bits.  \Recent is not among them: it follows from
// Mailbox::first_recent_uid.
using Flags = std::uint32_t;
constexpr Flags Seen = 1;
constexpr Flags Answered = 2;
constexpr Flags Flagged = 4;
constexpr Flags Deleted = 8;
constexpr Flags Draft = 16;

// Keywords of a message: bit i is the i-th name of Mailbox::keywords.  A mailbox has at most
// max_keywords of them; names compare without regard to ASCII case and keep their first spelling.
using Keywords = std::uint64_t;
constexpr std::size_t max_keywords = 64;
constexpr std::size_t max_keyword_length = 128;

// What is kept beside a mailbox, or beside the account: values under names.  Names that begin with '/'
// are the annotations of RFC 5464, in lower case; others are for the programs' own use.
constexpr std::size_t max_annotation_name = 1024;           // bytes
constexpr std::size_t max_annotation_value = 64U << 10;     // bytes
constexpr std::size_t max_annotations = 1000;               // of one mailbox, or of the account
constexpr std::size_t max_annotation_bytes = 4U << 20;      // names and values of a whole store
// Other readers of one mailbox whose \Seen flags are kept apart from the owner's.
constexpr std::size_t max_readers = 1000;
constexpr std::size_t max_reader_name = 320;
// What the snapshot says of them takes reader_bytes_fixed for each reader of a mailbox, his name, and
// reader_range_bytes for each range of uids.  One reader has at most this part of Options::reader_bytes.
constexpr std::uint64_t reader_bytes_fixed = 16;
constexpr std::uint64_t reader_range_bytes = 8;
constexpr std::uint64_t reader_share = 4;

constexpr std::size_t max_mailbox_name_length = 1000;  // bytes of UTF-8
constexpr std::size_t max_mailbox_depth = 50;
constexpr char hierarchy_separator = '/';

// What a mailbox, or all of a store's together, may hold (RFC 9208 §5.1, §5.2).  Without a number there
// is no limit; 0 forbids everything.
struct Limits {
    std::optional<std::uint64_t> bytes = {};
    std::optional<std::uint64_t> messages = {};

    bool any() const { return bytes || messages; }
    bool operator==(const Limits&) const = default;
};

// Date with the zone it was given in; INTERNALDATE keeps the zone.
struct Date {
    std::int64_t seconds = 0;         // since 1970, UTC
    std::int16_t zone_minutes = 0;    // east of UTC
};

// What clients ask for of a message, rendered once when it is stored (libmail makes it).
struct Rendered {
    std::string envelope;        // IMAP ENVELOPE, with the parentheses
    std::string body_structure;  // IMAP BODYSTRUCTURE, with the parentheses
    std::string body;            // IMAP BODY (no extension data)
    std::string header_cache;    // the cached header fields, CRLF between, as in the message
    std::string preview;         // UTF-8, RFC 8970
    std::int64_t sent_seconds = 0;   // Date: field, 0 if missing or wrong
    std::uint32_t header_size = 0;   // bytes up to and with the empty line
};

// The same, as it lies in the store's memory.
struct RenderedView {
    std::string_view envelope;
    std::string_view body_structure;
    std::string_view body;
    std::string_view header_cache;
    std::string_view preview;
    std::int64_t sent_seconds = 0;
    std::uint32_t header_size = 0;
};

// One message of a mailbox, as held in memory.  Entries are sorted by uid.
struct Entry {
    std::uint32_t uid = 0;
    Flags flags = 0;
    Keywords keywords = 0;
    Lsn modseq = 0;              // of the last change of flags, or of the arrival
    Lsn content = 0;             // the message record that holds the bytes
    std::uint64_t size = 0;      // RFC822.SIZE: bytes of the message with CRLF
    Date internal_date;
    std::int64_t save_seconds = 0;  // when it came into this mailbox (RFC 8514)
    Guid guid;
};

// Uids from first to last.
struct UidRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool operator==(const UidRange&) const = default;
};

using UidRanges = std::vector<UidRange>;   // ascending, without overlap

struct Annotation {
    Lsn lsn = 0;                // of the record that says it
    std::uint32_t size = 0;     // of that record
    std::string value;
};

using Annotations = std::map<std::string, Annotation, std::less<>>;

// That an annotation was set or removed.
struct AnnotationChange {
    Lsn lsn = 0;
    MailboxId mailbox = 0;      // 0: of the account
    std::string name;
};

// A change in a mailbox, in the order of history.
struct Change {
    enum class Kind : std::uint8_t { Arrived, FlagsChanged, Expunged, KeywordsAdded };
    Lsn lsn = 0;
    std::uint32_t uid = 0;
    Kind kind = Kind::Arrived;
};

}  // namespace store
