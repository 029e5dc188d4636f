// A user's mail store: one append-only log, one writing process, everything else derived.
//
// A Store is opened by the one process that serves the user (flock on the store directory decides).
// Changes apply in memory at once and are appended to the log as one batch per commit; one helper
// thread syncs, so that whoever runs the event loop never waits for the disk.  Each change answers
// with the Lsn at which it stands in the history ("stored at n"); when `durable()` has reached n it
// survives a power cut.  Who promises something to the outside (tagged OK, LMTP 250, "durable" to
// qmgr) waits for that.
//
// What others may see: arrivals, copies, moves and expunges become part of what `Mailbox` shows at
// once, but a session must not tell its client of a change beyond visible(): a uid or modseq that
// a client has seen must never come to mean something else.  Sessions read
// the history in Mailbox::changes up to visible() and no further.
//
// On disk: tern-store(5).
#pragma once

#include "libstore/types.h"
#include "libutil/result.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct Options {
    util::Duration flag_sync_delay{1'000'000};      // flag changes are synced this late; 0 = at once
    util::Duration undelete_time{std::int64_t(14 * 86400) * 1'000'000};  // mailbox_undelete_time
    std::uint64_t undelete_limit = 1U << 30;        // bytes of kept-deleted mail at most
    std::uint64_t segment_size = 16U << 20;         // a segment is sealed at about this size
    std::uint64_t large_message = 256U << 10;       // larger bodies live in files of their own
    std::uint64_t quota_bytes = 0;                  // 0 = none
    std::uint64_t quota_messages = 0;               // 0 = none
    std::uint32_t max_mailboxes = 10'000;
    std::uint64_t max_message_size = 1U << 30;
    bool ignore_snapshot = false;                   // read the whole log instead
    bool create = true;                             // make an empty store with INBOX and the defaults
    // The mailboxes of a fresh store besides INBOX.
    std::vector<std::pair<std::string, SpecialUse>> default_mailboxes = {
        {"Drafts", SpecialUse::Drafts}, {"Sent", SpecialUse::Sent}, {"Archive", SpecialUse::Archive},
        {"Junk", SpecialUse::Junk},     {"Trash", SpecialUse::Trash}};
};

// A mailbox as it stands in memory.  Only Store changes it.
struct Mailbox {
    MailboxId id = 0;
    std::string name;                 // UTF-8, '/' between levels; INBOX in capitals
    std::uint32_t uid_validity = 0;   // never given twice in a store
    std::uint32_t uid_next = 1;
    std::uint32_t first_recent_uid = 1;  // uids from here on no session has been told of
    Lsn highest_modseq = 0;
    SpecialUse special_use = SpecialUse::None;
    bool subscribed = false;
    std::uint32_t unseen = 0;         // messages without \Seen
    std::uint32_t deleted = 0;        // messages with \Deleted
    std::uint64_t bytes = 0;          // sum of sizes
    std::vector<std::string> keywords;
    std::vector<Entry> entries;       // by uid
    std::vector<Change> changes;      // recent history, oldest first, bounded: see changes_from
    Lsn changes_from = 0;             // `changes` is complete after this Lsn; before it, compare modseqs

    const Entry* find(std::uint32_t uid) const;
    // Index of the first entry with this uid or a higher one.
    std::size_t lower_bound(std::uint32_t uid) const;
};

// A message to store.
struct NewMessage {
    std::string_view content;         // the whole message, CRLF line ends
    Flags flags = 0;
    std::vector<std::string> keywords;
    std::optional<Date> internal_date;   // now, if not given
    const Rendered* rendered = nullptr;  // required
    // Deliveries: a second one with the same queue id and recipient within duplicate memory is
    // answered with the first one's Lsn and stores nothing.
    std::string_view queue_id;
    std::string_view recipient;
    std::uint32_t uid = 0;            // adopting a mailbox: this uid, which is uid_next or higher
};

struct Stored {
    Lsn lsn = 0;              // durable() >= lsn: it survives
    std::uint32_t uid = 0;
    std::uint32_t uid_validity = 0;
    bool duplicate = false;
};

// Result of COPY and MOVE: the uids on both sides, pairwise (COPYUID, RFC 4315).
struct Copied {
    Lsn lsn = 0;
    std::uint32_t uid_validity = 0;
    std::vector<std::uint32_t> source;
    std::vector<std::uint32_t> target;
};

enum class FlagOperation : std::uint8_t { Replace, Add, Remove };

struct FlagChange {
    FlagOperation operation = FlagOperation::Add;
    Flags flags = 0;
    std::vector<std::string> keywords;
    std::optional<Lsn> unchanged_since;   // RFC 7162: messages with a higher modseq are left alone
};

struct FlagsChanged {
    Lsn lsn = 0;                              // 0 if nothing changed
    std::vector<std::uint32_t> modified;      // uids left alone by unchanged_since
};

struct QuotaUsage {
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
};

// An expunged message that can still be put back.
struct DeletedMessage {
    MailboxId mailbox = 0;
    std::string mailbox_name;       // as it is called now, or was when it was removed
    std::int64_t seconds = 0;       // when it was expunged
    Entry entry;                    // read_content() and read_rendered() take it
};

// What is left to do after a slice of idle-time work.
enum class Chores : std::uint8_t {
    Done,      // nothing for now
    More,      // another slice
    Waiting,   // the helper thread is at it: call again when collect() has taken in something
};
constexpr std::uint64_t step_bytes = 256;

struct CheckReport {
    std::uint64_t segments = 0;
    std::uint64_t records = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;        // of the log and the files of large messages
    std::vector<std::string> problems;
};

// What a problem is called in replies: full disk, over quota, ... by Error::kind and text; over
// quota is Permanent with Error::code == EDQUOT, no space is Temporary with ENOSPC, a name that is
// taken is Invalid with EEXIST, a missing mailbox is NotFound.
class Store {
public:
    // Opens and locks the store in `directory` (which exists and belongs to the caller), creating
    // it if Options say so.  Waits for another process's lock until `wait` has passed: Temporary.
    static util::Result<std::unique_ptr<Store>> open(const std::string& directory, Options options,
                                                     util::Duration wait = util::Duration::zero());
    virtual ~Store() = default;

    // --- history ---------------------------------------------------------------------------------

    // The highest Lsn that is on disk for certain, and the highest given to anything.
    virtual Lsn durable() const = 0;
    virtual Lsn last() const = 0;
    // Up to here sessions may tell their clients: what is durable, and behind it flag changes alone,
    // whose Lsns are reserved on disk so that they never come to mean something else (the flags
    // themselves are synced within flag_sync_delay).  An answer that shows uid_next or
    // highest_modseq waits until visible() has reached last() as it was then.
    virtual Lsn visible() const = 0;
    // A descriptor that becomes readable when durable() may have grown or a sync failed; the owner
    // of the event loop then calls collect().  Never blocks.
    virtual int event_fd() const = 0;
    // Takes in what the helper thread has finished.  An error means that the disk failed: nothing
    // since durable() may be promised, and the process must end (its successor recovers).
    virtual util::Result<void> collect() = 0;
    // Hands all changes so far to the helper thread now.  Changes that must be synced before an
    // answer are handed over at the end of each event loop turn by this call; flag changes alone
    // wait up to flag_sync_delay (the store says when: next_flush()).
    virtual void flush(bool flags_too) = 0;
    virtual std::optional<util::Instant> next_flush() const = 0;
    // Blocks until all is durable (orderly end, tools).
    virtual util::Result<void> sync() = 0;
    // Called after each change of a mailbox in memory, from within the call that made it, so that
    // sessions wake; and with id 0 when the list of mailboxes changed.
    virtual void on_change(std::function<void(MailboxId)> listener) = 0;

    // --- mailboxes -------------------------------------------------------------------------------

    // All mailboxes by name; INBOX is always among them.  Loading of entries is lazy: use open().
    virtual const std::map<std::string, MailboxId, std::less<>>& mailboxes() const = 0;
    // The mailbox with its entries; the pointer holds until the mailbox is removed (on_change(0)).
    // NotFound.  INBOX in any case is found.
    virtual util::Result<const Mailbox*> mailbox(std::string_view name) = 0;
    virtual util::Result<const Mailbox*> mailbox(MailboxId id) = 0;

    // Parents are made as needed.  Names: valid UTF-8, NFC not checked here, no control characters,
    // no empty level, limits in types.h.
    virtual util::Result<Lsn> create_mailbox(std::string_view name, SpecialUse use) = 0;
    // Children move along.  INBOX: its messages move to the new mailbox, INBOX and its children
    // stay (RFC 3501 §6.3.5).
    virtual util::Result<Lsn> rename_mailbox(std::string_view from, std::string_view to) = 0;
    // Not INBOX.  One with children is refused (Permanent).  Mail in it stays restorable for
    // undelete_time.
    virtual util::Result<Lsn> remove_mailbox(std::string_view name) = 0;
    virtual util::Result<Lsn> set_special_use(std::string_view name, SpecialUse use) = 0;
    // Gives a mailbox that never held a message the identity it had elsewhere, so that clients need
    // not fetch again; with that identity, raises uid_next.  Invalid: it has another one and held
    // messages, or the values are 0.
    virtual util::Result<Lsn> adopt_identity(MailboxId mailbox, std::uint32_t uid_validity,
                                             std::uint32_t uid_next) = 0;
    // Subscriptions are names and survive the mailbox (RFC 3501 §6.3.6).
    virtual util::Result<Lsn> subscribe(std::string_view name, bool on) = 0;
    virtual const std::vector<std::string>& subscriptions() const = 0;

    // --- messages --------------------------------------------------------------------------------

    virtual util::Result<Stored> append(MailboxId mailbox, const NewMessage& message) = 0;
    // All or none (MULTIAPPEND).
    virtual util::Result<std::vector<Stored>> append_all(MailboxId mailbox,
                                                         std::span<const NewMessage> messages) = 0;
    virtual util::Result<Copied> copy(MailboxId from, std::span<const std::uint32_t> uids,
                                      MailboxId to) = 0;
    virtual util::Result<Copied> move(MailboxId from, std::span<const std::uint32_t> uids,
                                      MailboxId to) = 0;
    virtual util::Result<FlagsChanged> change_flags(MailboxId mailbox,
                                                    std::span<const std::uint32_t> uids,
                                                    const FlagChange& change) = 0;
    // Uids that are gone already are passed over.
    virtual util::Result<Lsn> expunge(MailboxId mailbox, std::span<const std::uint32_t> uids) = 0;
    // Says that a session has been told of all messages up to now as \Recent (first_recent_uid).
    // Need not be synced.
    virtual void claim_recent(MailboxId mailbox) = 0;

    // Appends the bytes of a message, or a part of them, to `out`, which is as before after an
    // error.  A record whose checksum is wrong is an error (Permanent), never wrong bytes.
    virtual util::Result<void> append_content(const Entry& entry, std::uint64_t offset,
                                              std::uint64_t length, std::string& out) = 0;
    util::Result<std::string> read_content(const Entry& entry, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX);
    // The views hold until the store is called again.
    virtual util::Result<RenderedView> read_rendered(const Entry& entry) = 0;
    // Gives back what is kept to make the next reads cheap.
    virtual void release_memory() = 0;

    // --- the rest --------------------------------------------------------------------------------

    virtual QuotaUsage usage() const = 0;
    // Does idle-time work (compaction, snapshot), a slice of at most about `steps` at a time: a step
    // is a record, a message, or step_bytes bytes looked at.  Whatever else is called between two
    // slices is as it would be without them.  Longer than `steps` are only: one record that is
    // larger (a change of very many messages), and, once for each time that compaction runs, the
    // entries of a mailbox as they are read (as long as its SELECT), the tables of all messages and of
    // deleted ones, the list of a mailbox's uids, and the snapshot.
    virtual Chores housekeep(std::uint64_t steps) = 0;
    // The steps that housekeep() has made so far.
    virtual std::uint64_t housekeeping_steps() const = 0;
    // The uids expunged after `since`, ascending; nullopt when history does not reach back that far
    // (QRESYNC, RFC 7162 §3.2: then all uids not present count as gone).
    virtual std::optional<std::vector<std::uint32_t>> expunged_since(MailboxId mailbox, Lsn since) = 0;

    // Deleted mail, in the order in which it was expunged.
    virtual util::Result<std::vector<DeletedMessage>> deleted_messages() = 0;
    // Puts deleted messages (uids of the mailbox that they were expunged from) into a mailbox, with
    // new uids.  Uids that are not to be had are passed over.
    virtual util::Result<Copied> restore(MailboxId from, std::span<const std::uint32_t> uids,
                                         MailboxId to) = 0;
    // Forgets mail that was expunged before this time (seconds since 1970) for good.  With `now`,
    // housekeep() gives all its space back, however little it is.
    virtual util::Result<Lsn> purge_deleted(std::int64_t before, bool now) = 0;
    // Reads and verifies everything.  Blocks for as long as that takes: for tools.
    virtual util::Result<CheckReport> check() = 0;
};

}  // namespace store
