// The Store there is: state in memory, the log on disk, a helper thread between them.
//
//   open.cc       opening, creation, loading             operations.cc  messages
//   recover.cc    manifest, snapshot, replay             mailboxes.cc   mailboxes
//   journal.cc    records into segments, durability      restore.cc     deleted mail, check
//   reading.cc    bytes of messages                      housekeep.cc   snapshot
//   quota.cc       limits, and what they say of a growth
//   snapshot_draft.cc  the next snapshot                 compact.cc, compactor.h, release.cc
#pragma once

#include "libstore/committer.h"
#include "libstore/manifest.h"
#include "libstore/snapshot.h"
#include "libstore/state.h"
#include "libstore/steps.h"
#include "libutil/log.h"
#include "libutil/sys.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <set>

namespace store {

constexpr Lsn lsn_block = 4096;                    // Lsns reserved at a time
constexpr std::uint64_t room_reserve = 64U << 10;  // kept for expunge and flag records on a full disk
constexpr std::uint64_t room_for_moves = 32U << 10;  // of it, since clients delete by moving to Trash
constexpr std::uint64_t room_step = 256U << 10;    // room is allocated in steps of this
// Zeros are written ahead of appends of this size, once there were so many: see LogStore::zeros_ahead().
constexpr std::size_t max_small_append = 16U << 10;
constexpr unsigned first_small_appends = 4;
constexpr std::uint64_t max_segment_size = 64U << 20;
constexpr std::size_t max_pending = 1U << 20;      // handed over at the latest with this many bytes
constexpr std::size_t max_in_flight = 32U << 20;   // who adds faster than the disk waits for it
constexpr std::size_t max_open_segments = 32;
constexpr std::size_t read_window = 256U << 10;
constexpr std::size_t dense_enough = 32U << 10;    // messages further apart are read one by one
constexpr std::size_t max_rendered = 32U << 20;

constexpr std::uint64_t low_space = 64U << 20;     // with less free, deleted mail goes at once

struct Compaction;
class SnapshotDraft;
struct SnapshotPicture;

struct Segment {
    std::uint32_t id = 0;
    SegmentKind kind = SegmentKind::Log;
    Lsn base = 0;
    std::uint64_t size = 0;      // of the file, as far as records go
};

class LogStore final : public Store {
public:
    LogStore(std::string directory, Options options, util::UniqueFd lock);
    ~LogStore() override;

    // Recovers what is there or makes a new store; once, before anything else.
    util::Result<void> start();

    Lsn durable() const override { return durable_; }
    Lsn visible() const override;
    Lsn last() const override { return state_.last; }
    int event_fd() const override { return committer_->event_fd(); }
    util::Result<void> collect() override;
    const std::optional<util::Error>& failure() const override { return failure_; }
    void flush(bool flags_too) override;
    void write_here(bool here) override { committer_->write_here(here); }
    std::optional<util::Instant> next_flush() const override;
    util::Result<void> sync() override;
    void on_change(std::function<void(MailboxId)> listener) override;

    const std::map<std::string, MailboxId, std::less<>>& mailboxes() const override;
    util::Result<const Mailbox*> mailbox(std::string_view name) override;
    util::Result<const Mailbox*> mailbox(MailboxId id) override;
    util::Result<const MailboxFacts*> facts(std::string_view name) override;
    util::Result<const MailboxFacts*> facts(MailboxId id) override;
    util::Result<std::shared_ptr<const Mailbox>> share(MailboxId id) override;
    util::Result<Outline> outline(MailboxId id) override;
    util::Result<Lsn> create_mailbox(std::string_view name, SpecialUse use) override;
    util::Result<Lsn> rename_mailbox(std::string_view from, std::string_view to, TransferSpace* space) override;
    util::Result<Lsn> remove_mailbox(std::string_view name) override;
    util::Result<Lsn> set_special_use(std::string_view name, SpecialUse use) override;
    util::Result<Lsn> adopt_identity(MailboxId mailbox, std::uint32_t uid_validity,
                                     std::uint32_t uid_next) override;
    util::Result<Lsn> subscribe(std::string_view name, bool on) override;
    const std::vector<std::string>& subscriptions() const override { return state_.subscriptions; }

    util::Result<Stored> append(MailboxId mailbox, const NewMessage& message) override;
    util::Result<std::vector<Stored>> append_all(MailboxId mailbox,
                                                 std::span<const NewMessage> messages) override;
    util::Result<Copied> copy(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                              TransferSpace* space) override;
    util::Result<Copied> move(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                              TransferSpace* space) override;
    util::Result<FlagsChanged> change_flags(MailboxId mailbox, std::span<const std::uint32_t> uids,
                                            const FlagChange& change) override;
    const std::shared_ptr<TransferPlace>& transfer_place() const override { return transfer_place_; }
    bool prepare_expunge(std::size_t messages, std::size_t more) override { return state_.kept.prepare(messages, more); }
    util::Result<Lsn> expunge(MailboxId mailbox, std::span<const std::uint32_t> uids) override;
    void claim_recent(MailboxId mailbox) override;
    const Annotations& annotations() const override { return state_.annotations; }
    const Annotations& annotations(MailboxId mailbox) const override;
    util::Result<Lsn> annotate(MailboxId mailbox, std::span<const NewAnnotation> annotations) override;
    const std::deque<AnnotationChange>& annotation_changes() const override { return state_.annotation_changes; }
    util::Result<FlagsChanged> forget_reader(MailboxId mailbox, std::string_view reader) override;

    util::Result<void> append_content(const Entry& entry, std::uint64_t offset, std::uint64_t length,
                                      std::string& out) override;
    util::Result<RenderedView> read_rendered(const Entry& entry) override;
    void release_memory() override;

    QuotaUsage usage() const override;
    const Quota& quota() const override { return quota_; }
    void set_quota(const Quota& quota) override { quota_ = quota; }
    void on_growth(std::function<util::Result<void>(const QuotaUsage&, const QuotaUsage&)> permit) override
    {
        permit_growth_ = std::move(permit);
    }
    util::Result<Lsn> limit_mailbox(MailboxId mailbox, const Limits& limits, bool fixed) override;
    Chores housekeep(std::uint64_t steps) override;
    std::uint64_t housekeeping_steps() const override { return steps_made_; }
    std::optional<std::vector<std::uint32_t>> expunged_since(MailboxId mailbox, Lsn since) override;
    util::Result<std::vector<DeletedMessage>> deleted_messages() override;
    util::Result<Copied> restore(MailboxId from, std::span<const std::uint32_t> uids,
                                 MailboxId to) override;
    util::Result<Lsn> purge_deleted(std::int64_t before, bool now) override;
    util::Result<CheckReport> check() override;

private:
    // --- open.cc ---------------------------------------------------------------------------------
    util::Result<void> create();
    util::Result<void> make_defaults();
    util::Result<Folder*> loaded(MailboxId id);
    util::Result<void> load_contents();
    util::Result<void> load_kept();
    util::Result<void> load_all();
    util::Result<void> reload();

    // --- recover.cc ------------------------------------------------------------------------------
    std::string segment_path(std::uint32_t id) const;
    util::Result<void> recover(const std::vector<std::uint32_t>& ids);
    util::Result<std::vector<SegmentHeader>> read_headers(const std::vector<std::uint32_t>& ids);
    bool arrange_by_manifest(const Manifest& manifest, const std::vector<SegmentHeader>& headers);
    util::Result<void> arrange_by_headers(const std::vector<SegmentHeader>& headers);
    util::Result<void> remove_leftovers(const std::vector<SegmentHeader>& headers);
    util::Result<void> set_segment_aside(std::uint32_t id);
    util::Result<void> replay_from_snapshot(const Manifest& manifest);
    util::Result<void> replay_from(std::size_t first, std::uint64_t at);
    util::Result<bool> has_records(const Segment& segment);
    util::Result<void> replay_segment(Segment& segment, bool tail, std::uint64_t at);
    static void drop_open_group(Scan& scan);
    void count_lost(const Scan& scan, Lsn before);
    // Bytes of the log from `offset` on that are about to go from there.
    void set_bytes_aside(const Segment& segment, std::uint64_t offset, std::string_view bytes);
    // What does not count joins `scan.refused`.
    util::Result<void> replay(State& state, Scan& scan, const Segment& segment, const Snapshot* snapshot);
    util::Result<void> void_refused(const Segment& segment, int fd, std::span<const Frame> refused);
    util::Result<void> after_replay();
    void tidy_readers();
    void remove_orphan_bodies();

    // --- housekeep.cc, compact.cc, release.cc, restore.cc --------------------------------------------
    bool tail_is_long(std::uint64_t times) const;
    Manifest manifest() const;
    util::Result<void> make_snapshot(Steps& steps);
    void write_snapshot(SnapshotPicture picture);
    void adopt_snapshot();
    util::Result<void> forget_deleted();
    util::Result<void> purge_upto(Lsn limit);
    bool space_is_low() const;
    bool waits_for_helper() const;
    bool is_much(std::uint64_t garbage) const;
    util::Result<void> compact(Steps& steps);
    util::Result<void> load_some(Steps& steps);
    void mark_some(Steps& steps);
    util::Result<void> survey_some(Steps& steps);
    util::Result<void> choose_victims();
    std::uint64_t room_for_segments() const;
    void begin_release(bool holes);
    util::Result<void> release_some(Steps& steps);
    util::Result<void> release();
    util::Result<void> judge_some(Steps& steps);
    util::Result<void> take_census(Folder& folder);
    util::Result<void> take_censuses(Steps& steps);
    util::Result<void> check_room(Folder& folder, const SeenRecord& record);
    // What this changes of what its reader has seen.
    static SeenRecord seen_change(const Folder& folder, std::span<const std::uint32_t> uids, const FlagChange& change);
    util::Result<void> take_annotation_census(MailboxId holder);
    util::Result<void> take_annotation_censuses(Steps& steps);
    void hand_over(std::string piece);
    void switch_segments();
    void finish_round(const Segment& fresh);
    void take_moved(std::uint32_t segment);
    void survey_again();
    void drop_unfinished();
    void end_compaction();
    // `annotations`: the Lsns of those that were found.
    util::Result<void> check_segments(CheckReport& report, std::set<Lsn>& annotations);
    void check_messages(CheckReport& report);
    void check_annotations(const std::set<Lsn>& found, CheckReport& report);

    // --- journal.cc ------------------------------------------------------------------------------
    // What a full disk still has room for: removing and flags, the reserve; moves, a part of it.
    enum class Room : std::uint8_t { Growth, Moves, Essential };
    util::Result<void> make_room(std::uint64_t bytes, Room room);
    util::Result<void> start_segment();
    util::Result<void> allocate(std::uint64_t end, Room room);
    std::size_t zeros_ahead(std::size_t appended);
    // Makes room for records of about `bytes` and Lsns for `lsns` changes.
    util::Result<void> prepare(std::uint64_t bytes, Lsn lsns, Room room);
    // Encodes a record behind the pending ones; body: what follows the meta.
    template <typename Record>
    Lsn write(const Record& record, Lsn span = 1, std::uint16_t index = 0, std::uint16_t count = 1,
              std::string_view body = {}, std::string_view more_body = {});
    // The same, and applies it.
    template <typename Record>
    Lsn add(const Record& record, Lsn span = 1, std::uint16_t index = 0, std::uint16_t count = 1);
    // What was added, of a group the first of it, is synced before an answer; or later.
    void strict() { strict(state_.last); }
    void strict(Lsn first) { strict_.push_back(first); }
    void lazy() { lazy(state_.last); }
    void lazy(Lsn first);
    void submit(bool waits = false);
    void changed(MailboxId mailbox);

    // --- operations.cc, mailboxes.cc ---------------------------------------------------------------------------
    util::Result<MailboxId> id_of(std::string_view name) const;
    util::Result<Folder*> target(MailboxId id);
    util::Result<void> add_mailbox(std::string name, SpecialUse use, std::uint16_t index,
                                   std::uint16_t count);
    util::Result<void> check_message(const NewMessage& message) const;
    util::Result<void> open_bodies();
    util::Result<std::vector<Guid>> write_bodies(std::span<const NewMessage> messages);
    Lsn append_one(Folder& folder, const NewMessage& message, const Guid& guid, std::uint16_t index,
                   std::uint16_t count);
    static Keywords known_keywords(const Folder& folder, const std::vector<std::string>& names);
    util::Result<Keywords> keyword_bits(Folder& folder, const std::vector<std::string>& names);
    util::Result<Copied> transfer(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                                  CopyRecord::Kind kind, TransferSpace* space);
    void use_space(TransferSpace& space, Folder& target, std::size_t messages);
    // quota.cc: may `target` grow by that?  EDQUOT.
    enum class Growth : std::uint8_t { Client, Delivery, Copy, Move };
    util::Result<void> check_quota(const Folder& target, const QuotaUsage& more, Growth growth) const;
    util::Result<void> check_mailbox_count(std::size_t more) const;

    // --- reading.cc ------------------------------------------------------------------------------
    std::string body_path(const Guid& guid) const;
    util::Result<int> segment_fd(std::uint32_t id);
    std::optional<std::string_view> in_memory(std::uint32_t segment, std::uint64_t offset) const;
    util::Result<std::string_view> bytes_at(const Content& content, std::uint64_t length);
    util::Result<void> append_file(const Entry& entry, const MessageRecord& record, std::uint64_t offset,
                                   std::uint64_t length, std::string& out) const;
    util::Result<const Content*> locate(const Entry& entry);
    std::uint64_t readable_size(std::uint32_t segment) const;

    struct OpenSegment {
        std::uint32_t id = 0;
        std::uint64_t used = 0;
        util::UniqueFd fd;
    };

    const std::string directory_;
    const Options options_;
    Quota quota_;
    std::function<util::Result<void>(const QuotaUsage&, const QuotaUsage&)> permit_growth_;
    util::UniqueFd lock_;                 // the directory
    util::UniqueFd bodies_;               // and the one in it of large messages, once there was one
    bool new_bodies_ = false;             // whose name may not be synced
    std::uint64_t tag_ = 0;
    State state_{0};
    std::vector<Segment> segments_;       // in the order of their records; the last is written to
    std::uint32_t next_segment_ = 1;
    std::unique_ptr<Committer> committer_;
    std::function<void(MailboxId)> listener_;

    util::UniqueFd active_;               // the last segment
    std::uint64_t end_ = 0;               // where the next record goes (pending ones counted)
    std::uint64_t allocated_ = 0;         // room is certain up to here
    std::uint64_t zeroed_ = 0;            // behind end_ there are zeros up to here
    unsigned small_appends_ = 0;
    std::optional<bool> in_place_;        // Options::zeros_ahead, or what is so
    std::uint64_t written_ = 0;           // of the last segment, by finished jobs
    bool new_segment_ = false;            // its name is not synced yet
    std::string pending_;                 // records not yet handed over; they end at end_
    std::vector<util::UniqueFd> pending_files_;
    std::deque<const Job*> in_flight_;    // appends in the committer's hands
    std::size_t in_flight_bytes_ = 0;

    Lsn durable_ = 0;
    Lsn made_ = 0;                        // of a store that is new in this process: up to here its own mailboxes
    Lsn durable_ceiling_ = 0;
    std::deque<Lsn> strict_;              // changes that may not be shown before they are durable
    std::optional<util::Instant> lazy_since_;
    std::optional<util::Error> failure_;
    std::shared_ptr<TransferPlace> transfer_place_ = std::make_shared<TransferPlace>();
    std::uint64_t damage_ = 0;            // bad things met since open
    Lsn lost_ = 0;                        // Lsns that stood in bad records, at most
    bool lost_end_ = false;               // at the end of the segment replayed last

    std::optional<Snapshot> snapshot_;    // what is not loaded is read from it
    std::uint64_t snapshot_number_ = 0;   // that the manifest names
    std::uint64_t generation_ = 0;
    std::uint64_t tail_records_ = 0;      // behind the snapshot
    std::uint64_t tail_bytes_ = 0;
    bool maintenance_ = false;            // a snapshot or compaction is in the helper's hands
    bool compact_now_ = false;
    std::unique_ptr<SnapshotDraft> draft_;   // of the snapshot that is being made
    bool snapshot_damaged_ = false;          // the old one: the next needs all from the log
    bool snapshot_failed_ = false;        // and is not tried again in the same turn
    bool snapshot_too_large_ = false;     // nor in this process: a reader would refuse it
    bool snapshot_told_ = false;          // that it failed is said once
    std::vector<std::uint32_t> damaged_;  // segments that compaction leaves alone
    bool moved_ = false;                  // messages, since the last snapshot
    std::unique_ptr<Compaction> compaction_;
    std::uint64_t steps_made_ = 0;

    std::vector<OpenSegment> open_segments_;
    std::uint64_t use_ = 0;
    std::string window_;                  // read-ahead: bytes of one segment
    std::uint32_t window_segment_ = 0;
    std::uint64_t window_offset_ = 0;
    std::uint64_t last_read_ = 0;
    std::uint32_t last_segment_ = 0;
    std::string read_buffer_;
    std::string scratch_;
    std::size_t meta_length_ = 0;         // of the record that was written last
};

std::int64_t wall_seconds();
// A disk, or what a Unix account may have of it, is used up.
bool is_full(const util::Error& error);
// What the store's callers hear of an error in writing: of every full disk the same (store.h).
util::Error writing_failed(util::Error error);
// `out` becomes up to `length` bytes of the file, fewer at its end.
util::Result<void> read_at(int fd, std::uint64_t offset, std::uint64_t length, std::string& out);
// The bytes of a segment from `at` on.
util::Result<std::string> read_segment(int fd, std::uint64_t at);
// Written and synced; its directory is not.
util::Result<void> write_new_file(const std::string& path, std::string_view bytes);
std::string body_name(const Guid& guid);

}  // namespace store
