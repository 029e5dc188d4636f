// Opening and closing a store: the lock, a new store, what is loaded when it is needed.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libstore/outline.h"
#include "libstore/snapshot_draft.h"
#include "libstore/usage_file.h"
#include "libutil/random.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace store {

util::Result<std::unique_ptr<Store>> Store::open(const std::string& directory, Options options,
                                                 util::Duration wait)
{
    auto lock = TRY(util::sys::open(directory, O_RDONLY | O_DIRECTORY));
    auto deadline = util::Deadline::in(wait);
    while (!TRY(util::sys::try_lock_exclusive(lock.get()))) {
        if (deadline.passed())
            return util::temporary(util::concat(directory, ": another process has the mail store open"));
        ::poll(nullptr, 0, std::clamp(deadline.poll_milliseconds(), 1, 10));
    }
    options.segment_size = std::clamp<std::uint64_t>(options.segment_size, 64U << 10, max_segment_size);
    options.large_message = std::min<std::uint64_t>(options.large_message, max_segment_size);
    auto store = std::make_unique<LogStore>(directory, std::move(options), std::move(lock));
    TRY(store->start());
    return std::unique_ptr<Store>(std::move(store));
}

LogStore::LogStore(std::string directory, Options options, util::UniqueFd lock)
    : directory_(std::move(directory)), options_(std::move(options)), lock_(std::move(lock))
{
    if (options_.quota_bytes)
        quota_.limits.bytes = options_.quota_bytes;
    if (options_.quota_messages)
        quota_.limits.messages = options_.quota_messages;
}

LogStore::~LogStore()
{
    if (!committer_ || segments_.empty() || failure_)
        return;
    if (state_.reservation_open && make_room(record_header_size, Room::Essential).ok())
        add(ClosedRecord{});
    bool synced = sync().ok();
    if (compaction_)
        end_compaction();
    if (synced && (tail_is_long(1) || options_.ignore_snapshot || moved_)) {
        draft_.reset();
        Steps all{.left = UINT64_MAX};
        (void)make_snapshot(all);
    }
    // The number that the next open will give: those that compaction took and left no file for do not count then.
    std::uint32_t next = 0;
    for (const auto& segment : segments_)
        next = std::max(next, segment.id + 1);
    if (sync().ok())
        write_usage(directory_, {.usage = usage(), .segment = segments_.back().id, .next_segment = next, .end = end_});
}

util::Result<void> LogStore::start()
{
    committer_ = TRY(Committer::start());
    auto names = TRY(util::sys::list_directory(lock_.get()));
    std::vector<std::uint32_t> ids;
    for (const auto& name : names) {
        if (auto id = segment_id(name); id && *id > 0 && *id < UINT32_MAX)
            ids.push_back(std::uint32_t(*id));
        else if (name.starts_with("compact-"))
            TRY(util::sys::unlink(util::concat(directory_, "/", name)));  // never finished
    }
    std::ranges::sort(ids);
    if (ids.empty() && !options_.create)
        return util::not_found(util::concat(directory_, ": no mail store here"));
    return ids.empty() ? create() : recover(ids);
}

util::Result<void> LogStore::create()
{
    do
        tag_ = util::random_u64();
    while (tag_ == 0);
    state_ = State(tag_);
    TRY(start_segment());
    TRY(make_defaults());
    if (options_.flag_sync_delay <= util::Duration::zero())
        return sync();
    // A message that comes at once shares its sync.
    made_ = state_.last;
    lazy();
    return {};
}

util::Result<void> LogStore::make_defaults()
{
    auto mailboxes = options_.default_mailboxes;
    mailboxes.insert(mailboxes.begin(), {"INBOX", SpecialUse::None});
    for (const auto& [name, use] : mailboxes) {
        if (state_.names.contains(name))
            continue;
        TRY(create_mailbox(name, use));
        TRY(subscribe(name, true));
    }
    return {};
}

// --- loading from the snapshot ----------------------------------------------------------------------

util::Result<Folder*> LogStore::loaded(MailboxId id)
{
    Folder* folder = state_.folder(id);
    if (!folder)
        return util::not_found("no such mailbox");
    if (!folder->loaded) {
        bool done = snapshot_ && snapshot_->load(*folder).ok();
        if (!done)
            TRY(reload());
        folder->changes_from = std::max(folder->changes_from, folder->highest_modseq);
    }
    return folder;
}

util::Result<Outline> LogStore::outline(MailboxId id)
{
    Folder* folder = state_.folder(id);
    if (folder && !folder->loaded && snapshot_) {
        // All of it may be shown: what a snapshot holds was on the disk when the store was opened.
        auto stored = snapshot_->read_outline(*folder);
        if (stored.ok())
            return stored;
        if (stored.error().kind != util::Kind::NotFound)
            TRY(reload());
    }
    folder = TRY(loaded(id));
    return outline_of(*folder, visible());
}

util::Result<void> LogStore::load_contents()
{
    if (state_.contents_loaded || (snapshot_ && snapshot_->load_contents(state_).ok()))
        return {};
    return reload();
}

util::Result<void> LogStore::load_kept()
{
    if (state_.kept_loaded || (snapshot_ && snapshot_->load_kept(state_).ok()))
        return {};
    return reload();
}

util::Result<void> LogStore::load_all()
{
    for (auto& [id, folder] : state_.folders)
        TRY(loaded(id));
    TRY(load_contents());
    return load_kept();
}

// The snapshot turned out to be damaged: what it should have held comes from the log.
util::Result<void> LogStore::reload()
{
    util::log::warning(directory_, ": the snapshot is damaged; reading the log instead");
    ++damage_;
    TRY(sync());
    State fresh(tag_);
    for (const auto& segment : segments_) {
        int fd = TRY(segment_fd(segment.id));
        std::string bytes = TRY(read_segment(fd, 0));
        Scan scan = scan_segment(bytes, tag_, false);
        TRY(replay(fresh, scan, segment, nullptr));
    }
    for (auto& [id, folder] : state_.folders) {
        Folder* source = fresh.folder(id);
        if (folder->loaded)
            continue;
        if (source) {
            folder->entries = std::move(source->entries);
            folder->gone = std::move(source->gone);
            folder->gone_from = source->gone_from;
        }
        State::adopt_entries(*folder);
        State::count(*folder);
    }
    if (!state_.contents_loaded)
        state_.contents = std::move(fresh.contents);
    if (!state_.kept_loaded) {
        state_.kept = std::move(fresh.kept);
        state_.kept_bytes = fresh.kept_bytes;
    }
    state_.contents_loaded = state_.kept_loaded = true;
    snapshot_.reset();
    return {};
}

}  // namespace store
