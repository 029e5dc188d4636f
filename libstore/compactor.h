// What compaction keeps: record by record, by the state as it is when the record is judged.
//
// Records are absolute, so each can be judged alone: it stays if it still says something that no
// later record says.  What must be known of the records that go (uid_next, which uids exist,
// subscriptions) is written into the log behind them, as a census.  The state may change between
// two judgements: what changes it is a later record in the log, outside of what is compacted.
#pragma once

#include "libstore/log_store.h"

#include <map>
#include <set>

namespace store {

class Compactor {
public:
    explicit Compactor(State& state) : state_(state) {}

    // Learns of deleted messages that can be restored, before the records that tell of them are
    // judged, and marks their contents.  False: there are more.
    bool catch_up(Steps& steps);

    // Appends what stays of the record to `out`; `base` is where `out` begins in its segment.
    void take(const Frame& frame, std::uint64_t tag, std::uint64_t base, std::string& out, Steps& steps);

    // Forgets what the records told that were taken: another segment begins.
    void reset();

    std::set<MailboxId> censuses;       // mailboxes of which something was dropped
    std::set<MailboxId> annotation_censuses;
    bool store_census = false;
    std::vector<Content> moved;         // where messages are now (segment to be filled in), by lsn
    std::vector<Lsn> dropped;           // messages that are gone, by lsn
    std::vector<std::string> bodies;    // files that go with them

private:
    struct Key {
        MailboxId mailbox;
        std::uint32_t uid;
        auto operator<=>(const Key&) const = default;
    };

    void message(const Frame& frame, std::uint64_t base, std::string& out);
    std::optional<FlagsRecord> remaining(const FlagsRecord& record, Lsn lsn, Steps& steps) const;
    std::optional<CopyRecord> remaining(const CopyRecord& record, Lsn lsn, Steps& steps);
    std::optional<ExpungeRecord> remaining(const ExpungeRecord& record, Lsn lsn, Steps& steps);
    std::optional<SeenRecord> remaining(const SeenRecord& record, Lsn lsn, Steps& steps) const;
    void annotation(const Frame& frame, std::uint64_t base, std::string& out);
    void annotation_census(MailboxId holder);
    template <typename Record>
    void rewrite(const Frame& frame, std::uint64_t tag, std::string& out, Steps& steps);
    void census(MailboxId mailbox);
    // A mailbox that is gone, with mail that can be restored: no census can tell of it.
    bool is_removed(MailboxId mailbox) const;
    const Entry* entry(MailboxId mailbox, std::uint32_t uid) const;

    State& state_;
    std::map<Key, Entry> kept_;         // also what is no longer restorable, as later records say
    std::size_t kept_seen_ = 0;
    std::uint64_t kept_removals_ = 0;
};

// One run of compaction.  It lives in the log store's memory only: an end at any moment leaves the
// old segments as they are, and a file that the next open removes.
struct Compaction {
    enum class Phase { Load, Mark, Survey, Release, Judge, Census, Switch };

    explicit Compaction(State& state) : compactor(state) {}

    Phase phase = Phase::Load;
    Compactor compactor;

    // Load and Mark: the mailboxes there were, and how far they are through.
    std::vector<MailboxId> mailboxes;
    std::size_t mailbox = 0;
    std::uint32_t uid = 0;

    // Survey: bytes of dead messages by segment, and how far segments and contents are through.
    std::map<std::uint32_t, std::uint64_t> dead;
    std::map<std::uint32_t, std::uint64_t> sizes;
    std::size_t segment = 0;
    std::size_t content = 0;
    bool dead_files = false;      // some of them have files of their own

    // Release (release.cc): which was done in this run, and the holes to be made.
    struct Hole {
        std::string path;
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
    };
    bool files_released = false;
    bool holes_made = false;
    std::vector<Hole> holes;

    // Judge: the segments whose place the new one takes, and where in them we are.
    std::vector<std::uint32_t> victims;
    SegmentHeader header;
    std::size_t victim = 0;
    std::uint64_t offset = 0;
    Lsn lsn = 0;
    std::uint64_t written = 0;    // bytes of the new segment that the helper thread has

    std::optional<util::Error> failure;
};

}  // namespace store
