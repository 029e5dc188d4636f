// The state that the log's records add up to.  No I/O: replay and live changes go through the same
// apply(), so that what a reopened store shows is what the running one showed.
//
// Entries of a mailbox and the table of contents may not be loaded yet (they lie in the snapshot);
// apply() requires what it touches to be loaded, see needs_loading().
#pragma once

#include "libstore/records.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace store {

// Where a message record lies.
// (Or an annotation, whose bytes are all head: so compaction counts both.)
struct Content {
    Lsn lsn = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t head = 0;      // bytes of header, meta and rendered texts; the content follows
    std::uint32_t in_file = 0;   // 1: the content is a file of its own
};

// A uid that is gone, for QRESYNC.
struct Gone {
    Lsn lsn = 0;
    std::uint32_t uid = 0;
};

// An expunged message that can still be restored.
struct Kept {
    MailboxId mailbox = 0;
    Lsn lsn = 0;              // of the expunge
    std::int64_t seconds = 0;
    Entry entry;
};

// Those of a store, by lsn.  They are not moved when they become more, since they may be very many.
class KeptMessages {
public:
    using Items = std::deque<Kept>;

    auto begin() const { return items_.begin(); }
    auto end() const { return items_.end() - std::ptrdiff_t(spare_); }
    std::size_t size() const { return items_.size() - spare_; }
    bool empty() const { return size() == 0; }
    const Kept& operator[](std::size_t index) const { return items_[index]; }
    // Are there any of this mailbox?
    bool has(MailboxId mailbox) const { return counts_.contains(mailbox); }

    // Gets memory for `more` of `wanted` messages that are about to come; true when there is enough.
    bool prepare(std::size_t wanted, std::size_t more);
    void drop_spare();
    void push_back(const Kept& item);
    void push_front(const Items& older);
    void drop_oldest(std::size_t count);
    template <typename Condition>
    void drop_if(const Condition& condition)
    {
        drop_spare();
        std::erase_if(items_, [&](const Kept& item) {
            bool goes = condition(item);
            if (goes)
                discount(item.mailbox);
            return goes;
        });
    }

private:
    void discount(MailboxId mailbox);

    Items items_;
    std::size_t spare_ = 0;      // at the end, that mean nothing yet
    std::unordered_map<MailboxId, std::size_t> counts_;
};

// Where a part of a snapshot lies: so many bytes or records.
struct SnapshotPart {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
    std::uint32_t checksum = 0;
};

struct Folder : Mailbox {
    bool named = false;       // false while only messages have told of it
    std::uint32_t stored_gone = 0;       // while not loaded
    std::uint64_t stored_at = 0;         // their place in the snapshot
    std::uint32_t stored_checksum = 0;
    SnapshotPart outline;                // of them; of 0 bytes: there is none
    Lsn modseq_floor = 0;     // of the last recovery: no modseq is lower
    std::vector<Gone> gone;   // by lsn, bounded
    Lsn gone_from = 0;        // `gone` is complete after this Lsn
};

// The mailbox as a record says it, without a census.
MailboxRecord record_of(const Folder& folder);

// Answers the second delivery of a message to the same recipient: the last max_remembered
// deliveries, in memory and through restarts.
class DuplicateMemory {
public:
    static constexpr std::size_t max_remembered = 4096;
    struct Item {
        std::uint64_t key = 0;
        Lsn lsn = 0;
        MailboxId mailbox = 0;
        std::uint32_t uid = 0;
    };

    explicit DuplicateMemory(std::uint64_t seed) : seed_(seed) {}
    void set_seed(std::uint64_t seed) { seed_ = seed; }
    std::uint64_t key(std::string_view queue_id, std::string_view recipient) const;
    const Item* find(std::uint64_t key) const;
    void add(const Item& item);
    const std::deque<Item>& items() const { return items_; }

private:
    std::uint64_t seed_;
    std::deque<Item> items_;
    std::unordered_map<std::uint64_t, Item> by_key_;
};

// How much of a snapshot other readers' \Seen flags take: of all, and of each.
class ReaderBytes {
public:
    static std::uint64_t needed(std::string_view reader, std::size_t ranges);
    void replace(std::string_view reader, std::size_t ranges_before, std::size_t ranges_now);
    std::uint64_t all() const { return all_; }
    std::uint64_t of(std::string_view reader) const;
    // Does that go beyond `most`, or beyond one reader's share of it?
    bool exceeds(std::string_view reader, std::uint64_t more, std::uint64_t most) const;

private:
    std::uint64_t all_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> by_reader_;
};

constexpr std::size_t max_changes = 4096;   // per mailbox in memory; up to twice that for a moment
constexpr std::size_t max_gone = 16'384;    // per mailbox
constexpr std::size_t max_annotation_changes = 256;   // of the store

class State {
public:
    explicit State(std::uint64_t tag) : duplicates(tag) {}

    // --- what there is ---------------------------------------------------------------------------
    // Shared with who goes on reading one that was removed (Store::share()); nothing but what is in here is changed.
    std::unordered_map<MailboxId, std::shared_ptr<Folder>> folders;
    std::map<std::string, MailboxId, std::less<>> names;
    std::vector<std::string> subscriptions;                    // sorted
    std::unordered_map<MailboxId, std::string> removed_names;  // mailboxes that deleted mail was in
    KeptMessages kept;
    std::vector<Content> contents;                             // by lsn
    bool contents_loaded = true;                               // else `contents` lacks the snapshot's
    bool kept_loaded = true;         // else `kept` lacks the snapshot's
    DuplicateMemory duplicates;
    Annotations annotations;         // of the account
    ReaderBytes reader_bytes;
    bool annotations_missing = false;   // the snapshot was made by a release without them
    std::deque<AnnotationChange> annotation_changes;   // the last max_annotation_changes
    Lsn last = 0;                    // highest Lsn given
    Lsn ceiling = 0;                 // reserved up to here
    bool reservation_open = false;
    Lsn recovered = 0;
    Lsn purged = 0;
    std::uint32_t last_uid_validity = 0;
    std::uint64_t kept_bytes = 0;
    std::uint64_t garbage_bytes = 0; // about how much compaction would give back
    std::uint64_t kept_removals = 0; // grows when `kept` loses items, and positions in it change

    // While compaction asks, over many turns, what is alive: which of the contents there were when
    // it began to ask are known to be.  What comes to be referred to meanwhile is marked as it does.
    std::optional<std::vector<bool>> marks;
    void mark(Lsn content);
    bool is_live(Lsn content) const;   // also what is not known to be dead

    Folder* folder(MailboxId id);
    const Folder* folder(MailboxId id) const;
    Folder* folder(std::string_view name);
    const Content* content(Lsn lsn) const;
    Content* content(Lsn lsn);
    bool is_subscribed(std::string_view name) const;

    // --- changes ---------------------------------------------------------------------------------
    void apply(Lsn lsn, const MessageRecord& record, const Content& location);
    void apply(Lsn lsn, const FlagsRecord& record);
    void apply(Lsn lsn, const CopyRecord& record);
    void apply(Lsn lsn, const ExpungeRecord& record);
    void apply(Lsn lsn, const MailboxRecord& record);
    void apply(Lsn lsn, const MailboxRemovedRecord& record);
    void apply(Lsn lsn, const SubscriptionRecord& record);
    void apply(Lsn lsn, const KeywordRecord& record);
    void apply(Lsn lsn, const RecentRecord& record);
    void apply(Lsn lsn, const ReserveRecord& record);
    void apply(Lsn lsn, const ClosedRecord& record);
    void apply(Lsn lsn, const CensusRecord& record);
    void apply(Lsn lsn, const PurgeRecord& record);
    void apply(Lsn lsn, const AnnotationRecord& record, const Content& location);
    void apply(Lsn lsn, const AnnotationCensusRecord& record);
    void apply(Lsn lsn, const SeenRecord& record);

    // Of a mailbox, or (0) of the account; nullptr if there is no such mailbox.
    Annotations* annotations_of(MailboxId holder);
    // The annotation that a record with this Lsn would have said, if it still does.
    bool says_annotation(Lsn lsn, const AnnotationRecord& record);
    // What this reader has seen; ranges that none of the folder's messages needs may be among them.
    void set_seen(Folder& folder, std::string_view reader, UidRanges ranges);
    // With as few ranges as the messages that are there permit.
    void tidy_seen(Folder& folder, std::string_view reader);
    // Names and values of the whole store.
    std::uint64_t annotation_bytes() const;

    // After a replay: mailboxes that only their messages have told of get a name; INBOX exists in
    // `names` unless nothing told of it.  Returns the names given.
    std::vector<std::string> name_orphans();
    // The entries of a folder read from a snapshot take effect.
    static void adopt_entries(Folder& folder);
    // Counts a folder's unseen and deleted messages and bytes anew.
    static void count(Folder& folder);

private:
    Folder& folder_or_new(MailboxId id);
    void insert(Folder& folder, const Entry& entry, Lsn lsn, Change::Kind kind);
    void erase(Folder& folder, const UidRanges& uids, Lsn lsn, bool keep, std::int64_t seconds);
    void touch(Folder& folder, Lsn lsn, std::uint32_t uid, Change::Kind kind);
    void note_gone(Folder& folder, Lsn lsn, std::uint32_t uid);
    void drop_kept(std::size_t count);
    bool add_content(const Content& content);
    void discard(const Annotations& gone);
    void discard_readers(Folder& folder);
};

}  // namespace store
