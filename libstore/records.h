// What the records of the log say.  Each is absolute: it names the result (these flags, this uid),
// never a difference, so that compaction can drop any record that a later one overrides.
//
// The bytes of `meta` are what encode() appends; decoders take a longer meta than they know (a later
// release may append fields) and answer nullopt for anything that is not well formed.
#pragma once

#include "libstore/format.h"
#include "libstore/store.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class Reader;

// The fixed form of an Entry, 80 bytes, also used by the snapshot.
constexpr std::size_t entry_size = 80;

// Uids that ascend, as ranges.
template <typename Items, typename Uid = std::identity>
UidRanges ranges_of(const Items& items, Uid uid = {})
{
    UidRanges ranges;
    for (const auto& item : items) {
        std::uint32_t next = std::invoke(uid, item);
        if (!ranges.empty() && ranges.back().last + 1 == next)
            ranges.back().last = next;
        else
            ranges.push_back({next, next});
    }
    return ranges;
}

// A new message: meta, then the rendered texts, then the content (unless `in_file`).
struct MessageRecord {
    static constexpr Type type = Type::Arrival;

    MailboxId mailbox = 0;
    Entry entry;                 // content and modseq are the record's own Lsn
    std::int64_t sent_seconds = 0;
    std::uint32_t header_size = 0;
    bool in_file = false;        // the content is the file bodies/GUID
    std::uint32_t rendered_lengths[5] = {};  // envelope, body_structure, body, header_cache, preview
    std::uint32_t rendered_checksum = 0;
    std::vector<std::uint32_t> block_checksums;
    std::string_view queue_id;
    std::string_view recipient;

    void encode(std::string& out) const;
    static std::optional<MessageRecord> decode(std::string_view meta);
    std::size_t rendered_size() const;
    // Are rendered texts and content (if it is inside) whole?
    bool verify(const Frame& frame) const;
};

std::vector<std::uint32_t> block_checksums(std::string_view content);

struct FlagsRecord {
    static constexpr Type type = Type::FlagSetting;
    struct Group {
        Flags flags = 0;
        Keywords keywords = 0;
        UidRanges uids;
    };

    MailboxId mailbox = 0;
    std::vector<Group> groups;

    void encode(std::string& out) const;
    static std::optional<FlagsRecord> decode(std::string_view meta);
};

// COPY, MOVE, undelete: references to content that is there.
struct CopyRecord {
    static constexpr Type type = Type::Copying;
    enum class Kind : std::uint8_t { Copy = 0, Move = 1, Restore = 2 };
    struct Item {
        std::uint32_t source = 0;
        Entry entry;              // as it arrives in the target; modseq is the record's Lsn
    };

    static constexpr std::size_t item_size = 4 + entry_size;
    static constexpr std::size_t size_of(std::size_t items) { return 32 + items * item_size; }

    Kind kind = Kind::Copy;
    MailboxId from = 0;
    MailboxId to = 0;
    std::vector<Item> items;

    std::size_t size_to_expect() const { return size_of(items.size()); }
    void encode(std::string& out) const;
    static std::optional<CopyRecord> decode(std::string_view meta);
};

struct ExpungeRecord {
    static constexpr Type type = Type::Expunging;

    MailboxId mailbox = 0;
    std::int64_t seconds = 0;
    UidRanges uids;

    void encode(std::string& out) const;
    static std::optional<ExpungeRecord> decode(std::string_view meta);
};

// A mailbox as it is: made, renamed, given a use; or, with a census, all that earlier records said
// about it but the messages themselves.
struct MailboxRecord {
    static constexpr Type type = Type::MailboxState;

    MailboxId id = 0;
    std::string name;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid_next = 1;
    std::uint32_t first_recent_uid = 1;
    SpecialUse special_use = SpecialUse::None;
    std::vector<std::string> keywords;
    bool census = false;
    UidRanges live;              // census: the uids that exist; others that came before do not
    Limits limits = {};
    bool limits_fixed = false;

    void encode(std::string& out) const;
    static std::optional<MailboxRecord> decode(std::string_view meta);
};

struct MailboxRemovedRecord {
    static constexpr Type type = Type::MailboxRemoval;

    MailboxId id = 0;
    std::int64_t seconds = 0;
    std::string name;

    void encode(std::string& out) const;
    static std::optional<MailboxRemovedRecord> decode(std::string_view meta);
};

struct SubscriptionRecord {
    static constexpr Type type = Type::Subscribing;

    bool on = false;
    std::string name;

    void encode(std::string& out) const;
    static std::optional<SubscriptionRecord> decode(std::string_view meta);
};

struct KeywordRecord {
    static constexpr Type type = Type::NewKeyword;

    MailboxId mailbox = 0;
    std::uint32_t index = 0;
    std::string name;

    void encode(std::string& out) const;
    static std::optional<KeywordRecord> decode(std::string_view meta);
};

struct RecentRecord {
    static constexpr Type type = Type::RecentClaim;

    MailboxId mailbox = 0;
    std::uint32_t first_recent_uid = 1;

    void encode(std::string& out) const;
    static std::optional<RecentRecord> decode(std::string_view meta);
};

// Lsns up to `ceiling` may be shown to clients before they are synced.  `recovered`: the reservation
// before was open, so every message's modseq becomes this record's Lsn and every uid_next grows by
// `uid_bump`.
struct ReserveRecord {
    static constexpr Type type = Type::Reservation;

    Lsn ceiling = 0;
    bool recovered = false;
    std::uint32_t uid_bump = 0;

    void encode(std::string& out) const;
    static std::optional<ReserveRecord> decode(std::string_view meta);
};

// The store was closed in order: the reservation ends here.
struct ClosedRecord {
    static constexpr Type type = Type::Closing;

    void encode(std::string& out) const;
    static std::optional<ClosedRecord> decode(std::string_view meta);
};

// What earlier records said about the store as a whole.
struct CensusRecord {
    static constexpr Type type = Type::Census;

    std::uint32_t last_uid_validity = 0;
    Lsn recovered = 0;            // Lsn of the last recovery
    Lsn purged = 0;               // deleted mail expunged up to here is gone
    std::vector<MailboxId> mailboxes;
    std::vector<std::string> subscriptions;

    void encode(std::string& out) const;
    static std::optional<CensusRecord> decode(std::string_view meta);
};

// Deleted mail that was expunged up to `limit` can no longer be restored.
struct PurgeRecord {
    static constexpr Type type = Type::Purge;

    Lsn limit = 0;

    void encode(std::string& out) const;
    static std::optional<PurgeRecord> decode(std::string_view meta);
};

// A mailbox's limits, 17 bytes, also used by the snapshot.
void encode_limits(const Limits& limits, bool fixed, std::string& out);
// False: these are not there, or none.
bool decode_limits(std::string_view bytes, Limits& limits, bool& fixed);
constexpr std::size_t limits_size = 17;

// An annotation of a mailbox, or (0) of the account: its value, or that there is none.
struct AnnotationRecord {
    static constexpr Type type = Type::Annotating;

    MailboxId holder = 0;
    std::string name;
    bool present = false;
    std::string value;

    void encode(std::string& out) const;
    static std::optional<AnnotationRecord> decode(std::string_view meta);
};

// Which annotations there are; others that came before do not exist.
struct AnnotationCensusRecord {
    static constexpr Type type = Type::AnnotationCensus;

    MailboxId holder = 0;
    std::vector<std::string> names;

    void encode(std::string& out) const;
    static std::optional<AnnotationCensusRecord> decode(std::string_view meta);
};

// What another reader of a mailbox than its owner has seen of these messages.
struct SeenRecord {
    static constexpr Type type = Type::SeenSetting;

    MailboxId mailbox = 0;
    std::string reader;
    UidRanges seen;
    UidRanges unseen;

    void encode(std::string& out) const;
    static std::optional<SeenRecord> decode(std::string_view meta);
};

// u32 count, then u32 first and last of each; the reader fails unless they ascend without overlap.
UidRanges decode_ranges(Reader& reader);

void encode_entry(const Entry& entry, std::string& out);

}  // namespace store
