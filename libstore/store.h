// A user's mail store: one append-only log, one writing process, everything else derived.
//
// A Store is opened by the one process that serves the user (flock on the store directory decides).
// Changes apply in memory at once and are appended to the log as one batch per commit; one helper
// thread syncs, so that whoever runs the event loop does not wait for the disk, but where nobody else is
// kept by that (write_here(), committer.h).  Each change answers with the Lsn at which it stands in the
// history ("stored at n"); when `durable()` has reached n it survives a power cut.  Who promises something
// to the outside (tagged OK, LMTP 250, "durable" to qmgr) waits for that.
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

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class TransferSpace;

// Who gets the memory for a copy of very many messages: one at a time (transfer_space.h).
struct TransferPlace {
    bool taken = false;
    std::uint64_t pieces = 0;   // of memory that those who had it got
};

struct Options {
    util::Duration flag_sync_delay{1'000'000};      // flag changes are synced this late; 0 = at once
    util::Duration undelete_time{std::int64_t(14 * 86400) * 1'000'000};  // mailbox_undelete_time
    std::uint64_t undelete_limit = 1U << 30;        // bytes of kept-deleted mail at most
    std::uint64_t segment_size = 16U << 20;         // a segment is sealed at about this size
    // Zeros are written ahead of small appends: where the file system writes in place, if nothing is said.
    std::optional<bool> zeros_ahead;
    std::uint64_t large_message = 256U << 10;       // larger bodies live in files of their own
    std::uint64_t quota_bytes = 0;                  // 0 = none
    std::uint64_t quota_messages = 0;               // 0 = none
    std::uint32_t max_mailboxes = 10'000;
    std::uint64_t max_message_size = 1U << 30;
    std::uint64_t reader_bytes = 16U << 20;         // what is kept of other readers' \Seen at most (types.h)
    bool ignore_snapshot = false;                   // read the whole log instead
    bool create = true;                             // make an empty store with INBOX and the defaults
    // The mailboxes of a fresh store besides INBOX.
    std::vector<std::pair<std::string, SpecialUse>> default_mailboxes = {
        {"Drafts", SpecialUse::Drafts}, {"Sent", SpecialUse::Sent}, {"Archive", SpecialUse::Archive},
        {"Junk", SpecialUse::Junk},     {"Trash", SpecialUse::Trash}};
};

// What is known of a mailbox before its messages are looked at.  Only Store changes it.
struct MailboxFacts {
    MailboxId id = 0;
    std::string name;                 // UTF-8, '/' between levels; INBOX in capitals
    std::uint32_t uid_validity = 0;   // never given twice in a store
    std::uint32_t uid_next = 1;
    std::uint32_t first_recent_uid = 1;  // uids from here on no session has been told of
    Lsn highest_modseq = 0;
    SpecialUse special_use = SpecialUse::None;
    bool subscribed = false;
    Limits limits;                    // of this mailbox alone
    bool limits_fixed = false;        // an administrator's: its user does not change them
    std::uint32_t unseen = 0;         // messages without \Seen
    std::uint32_t deleted = 0;        // messages with \Deleted
    std::uint64_t bytes = 0;          // sum of sizes
    std::vector<std::string> keywords;
    std::vector<Change> changes;      // recent history, oldest first, bounded: see changes_from
    Lsn changes_from = 0;             // `changes` is complete after this Lsn; before it, compare modseqs
    Annotations annotations;
    // What others than the owner have seen, by reader, of whom each has seen something; of uids that are gone it may
    // tell, too.
    std::map<std::string, UidRanges, std::less<>> readers;
    bool loaded = true;               // else the messages lie in the snapshot, unchanged since
    std::uint32_t stored_messages = 0;   // while not loaded: how many

    std::size_t message_count() const { return loaded ? entries.size() : stored_messages; }
    bool seen_by(std::string_view reader, std::uint32_t uid) const;

protected:
    std::vector<Entry> entries;       // by uid
};

// A mailbox with its messages.
struct Mailbox : MailboxFacts {
    using MailboxFacts::entries;

    const Entry* find(std::uint32_t uid) const;
    // Index of the first entry with this uid or a higher one.
    std::size_t lower_bound(std::uint32_t uid) const;
};

// What a session is told of a mailbox's messages as it opens it: of those that may be shown (Store::visible()).
struct Outline {
    std::vector<std::uint32_t> uids;     // ascending
    std::uint32_t uid_next = 1;
    std::uint32_t first_unseen = 0;      // the first without \Seen; 0: there is none
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
    bool beyond_quota = false;        // the system's own word to its user: no quota holds it up
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
    Flags changeable = ~Flags(0);         // others stay as they are, whatever the operation is
    bool changes_keywords = true;         // or these do
    std::string reader;                   // not the owner: \Seen is what this one has seen, and the owner's stays
};

struct FlagsChanged {
    Lsn lsn = 0;                              // 0 if nothing changed
    std::vector<std::uint32_t> modified;      // uids left alone by unchanged_since
};

struct NewAnnotation {
    std::string name;
    std::optional<std::string> value;     // nothing: it is removed
};

struct QuotaUsage {
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
    std::uint64_t mailboxes = 0;
    bool operator==(const QuotaUsage&) const = default;
};

// What a store may hold.  Beside it, each mailbox may have limits of its own (Mailbox::limits); a growth
// must be within both.  Moving does not make a store grow: only the target's own limits count.
struct Quota {
    Limits limits = {};
    std::optional<std::uint32_t> mailboxes = {};  // how many there may be; else Options::max_mailboxes
    unsigned grace_percent = 0;       // deliveries may go so far beyond `limits`
    unsigned trash_percent = 0;       // and so far copies into the mailbox with the use Trash: who is over
                                      // quota must be able to delete with clients that do not know MOVE
    unsigned soft_percent = 100;      // what clients are warned at
    bool operator==(const Quota&) const = default;
};
constexpr unsigned max_quota_percent = 1000;

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
    // That error, by whichever call it was found: also by one that waited for the disk by itself.
    virtual const std::optional<util::Error>& failure() const = 0;
    // Hands all changes so far to the helper thread now.  Changes that must be synced before an
    // answer are handed over at the end of each event loop turn by this call; flag changes alone
    // wait up to flag_sync_delay (the store says when: next_flush()), and so do the mailboxes that a new
    // store begins with, for a message that comes at once: durable() is 0 so long, and who shows them to a
    // session calls sync() before.
    virtual void flush(bool flags_too) = 0;
    // While nobody but those who wait for the disk is served, flush() may as well wait for it, too.
    virtual void write_here(bool here) = 0;
    virtual std::optional<util::Instant> next_flush() const = 0;
    // Blocks until all is durable (orderly end, tools).
    virtual util::Result<void> sync() = 0;
    // Called after each change of a mailbox in memory, from within the call that made it, so that
    // sessions wake; and with id 0 when the list of mailboxes changed.
    virtual void on_change(std::function<void(MailboxId)> listener) = 0;

    // --- mailboxes -------------------------------------------------------------------------------

    // All mailboxes by name; INBOX is always among them.  Loading of entries is lazy: use open().
    virtual const std::map<std::string, MailboxId, std::less<>>& mailboxes() const = 0;
    // The mailbox with its entries; the pointer holds until the mailbox is removed, which on_change(0) may tell only later: who
    // keeps one from turn to turn takes a share.  NotFound.  INBOX in any case is found.
    virtual util::Result<const Mailbox*> mailbox(std::string_view name) = 0;
    virtual util::Result<const Mailbox*> mailbox(MailboxId id) = 0;
    // The same without its entries, which stay where they are.
    virtual util::Result<const MailboxFacts*> facts(std::string_view name) = 0;
    virtual util::Result<const MailboxFacts*> facts(MailboxId id) = 0;
    // The same, to be kept.  When the mailbox is removed, its messages go from this one, too, and nothing changes it any more.
    // There are entries while it is `loaded`; mailbox() sees to that.
    virtual util::Result<std::shared_ptr<const Mailbox>> share(MailboxId id) = 0;
    // Reads less of the disk than mailbox(), if its entries are not loaded.
    virtual util::Result<Outline> outline(MailboxId id) = 0;

    // Parents are made as needed.  Names: valid UTF-8, NFC not checked here, no control characters,
    // no empty level, limits in types.h.
    virtual util::Result<Lsn> create_mailbox(std::string_view name, SpecialUse use) = 0;
    // Children move along.  INBOX: its messages move to the new mailbox, INBOX and its children
    // stay (RFC 3501 §6.3.5); `space` as for move().
    virtual util::Result<Lsn> rename_mailbox(std::string_view from, std::string_view to, TransferSpace* space = nullptr) = 0;
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

    // --- annotations -----------------------------------------------------------------------------

    // Those of the account; a mailbox has its own.  They follow it when it is renamed and end with it; when
    // INBOX is renamed, the new mailbox gets copies of those whose names begin with '/'.
    virtual const Annotations& annotations() const = 0;
    // Those of a mailbox, without loading its entries; none if there is no such mailbox.
    virtual const Annotations& annotations(MailboxId mailbox) const = 0;
    // Sets or removes them, all or none; `mailbox` 0 is the account.  What is as it was already costs nothing.
    // Permanent: with Error::code EFBIG a value is larger than max_annotation_value, with E2BIG
    // there are too many, or too much of them.  To remove, a full disk has room.
    virtual util::Result<Lsn> annotate(MailboxId mailbox, std::span<const NewAnnotation> annotations) = 0;
    // The last changes, oldest first; after a start only those since the last snapshot.
    virtual const std::deque<AnnotationChange>& annotation_changes() const = 0;

    // --- messages --------------------------------------------------------------------------------

    virtual util::Result<Stored> append(MailboxId mailbox, const NewMessage& message) = 0;
    // All or none (MULTIAPPEND).
    virtual util::Result<std::vector<Stored>> append_all(MailboxId mailbox,
                                                         std::span<const NewMessage> messages) = 0;
    virtual const std::shared_ptr<TransferPlace>& transfer_place() const = 0;
    // All or none, of those that are there.  `space`: for very many, memory that was got before (transfer_space.h).
    virtual util::Result<Copied> copy(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                                      TransferSpace* space = nullptr) = 0;
    virtual util::Result<Copied> move(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                                      TransferSpace* space = nullptr) = 0;
    // All of it or nothing, also across a crash.  What a reader who is not the owner has seen is a change of the messages
    // for all who look.  Permanent with Error::code E2BIG: the mailbox has max_readers, or it would be kept in more ranges
    // than Options::reader_bytes leaves room for; what makes them no more is always possible.
    virtual util::Result<FlagsChanged> change_flags(MailboxId mailbox,
                                                    std::span<const std::uint32_t> uids,
                                                    const FlagChange& change) = 0;
    // The same, of what a reader has seen alone.
    util::Result<FlagsChanged> mark_seen(MailboxId mailbox, std::string_view reader, std::span<const std::uint32_t> uids,
                                         bool seen);
    // As if he had never seen anything here.
    virtual util::Result<FlagsChanged> forget_reader(MailboxId mailbox, std::string_view reader) = 0;
    // Before very many messages are expunged, or a mailbox with so many is removed: gets memory for `more` of them, which
    // takes longer than the change itself.  True when there is enough for so many; of no use to one who has to wait anyway.
    virtual bool prepare_expunge(std::size_t messages, std::size_t more) = 0;
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
    // At first what Options say.  New limits count from the next growth on; what is there stays.
    virtual const Quota& quota() const = 0;
    virtual void set_quota(const Quota& quota) = 0;
    // Asked before each growth that the limits permit, with what the store holds and what comes: of whom
    // several stores share a limit.  Its error is the growth's.
    virtual void on_growth(std::function<util::Result<void>(const QuotaUsage& used, const QuotaUsage& more)> permit) = 0;
    virtual util::Result<Lsn> limit_mailbox(MailboxId mailbox, const Limits& limits, bool fixed) = 0;
    // Does idle-time work (compaction, snapshot), a slice of at most about `steps` at a time: a step
    // is a record, a message, or step_bytes bytes looked at.  Whatever else is called between two
    // slices is as it would be without them.  Longer than `steps` are only: one record that is
    // larger (a change of very many messages), and, once for each time that compaction runs, the
    // entries of a mailbox as they are read (as long as its SELECT), the tables of all messages and of
    // deleted ones, and the list of a mailbox's uids; and, once for each snapshot, what it says of each
    // mailbox besides its messages, and what has changed since it was begun.
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
