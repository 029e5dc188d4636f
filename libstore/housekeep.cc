// Idle-time work: what may be forgotten is forgotten, space comes back, the snapshot follows.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libstore/snapshot_draft.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace store {

namespace {

// What is not in the picture comes from the old snapshot.
util::Result<void> write_picture(SnapshotPicture& picture, const std::string& path, const std::string& old_path,
                                 std::uint64_t tag)
{
    std::optional<Snapshot> before;
    if (!old_path.empty()) {
        State unused(tag);
        auto opened = Snapshot::open(old_path, tag, unused);
        if (opened.ok())
            before = opened.take();
        else if (picture.needs_old())
            return opened.take_error();
    }
    auto fd = TRY(util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC));
    if (auto written = picture.write(fd.get(), before ? &*before : nullptr); !written.ok())
        return written;
    TRY(util::sys::fsync(fd.get()));
    // As the next open will: a snapshot that it would refuse does not take the place of one that it would not.
    State shown(tag);
    TRY(Snapshot::open(path, tag, shown));
    return shown.folders.size() == picture.folders.size() ? util::Result<void>() : util::permanent("it is not whole");
}

}  // namespace

// Is the log behind the snapshot so long that reading it would be felt at the next open?
bool LogStore::tail_is_long(std::uint64_t times) const
{
    std::uint64_t messages = 0;
    for (const auto& [id, folder] : state_.folders)
        messages += folder->message_count();
    if (damage_ > 0 && tail_records_ > 0)
        return true;  // so that the damage need not be read again
    return tail_bytes_ > times * (256U << 10) ||
           tail_records_ > times * std::max<std::uint64_t>(256, messages / 64);
}

Manifest LogStore::manifest() const
{
    Manifest manifest{.tag = tag_, .generation = generation_, .durable = state_.last, .segments = {}};
    for (const auto& segment : segments_)
        manifest.segments.push_back({segment.id, segment.kind, segment.base});
    return manifest;
}

// Goes on with a snapshot of the state; when all of it is copied the helper thread gets it.
util::Result<void> LogStore::make_snapshot(Steps& steps)
{
    if (maintenance_ || snapshot_too_large_)
        return {};
    if (std::exchange(snapshot_damaged_, false)) {
        draft_.reset();
        TRY(load_all());
    }
    if (!draft_)
        draft_ = std::make_unique<SnapshotDraft>();
    if (!draft_->advance(state_, steps))
        return {};
    submit();
    auto picture = draft_->finish(state_, tag_, {segments_.back().id, end_});
    if (!picture)
        return {};
    draft_.reset();
    write_snapshot(std::move(*picture));
    return {};
}

// The snapshot, and then the manifest that names it.
void LogStore::write_snapshot(SnapshotPicture picture)
{
    ++generation_;
    Manifest next = manifest();
    next.snapshot = generation_;
    std::uint64_t old = snapshot_number_;
    auto job = std::make_unique<Job>();
    // A job is copied with its task; the picture is not.
    job->task = [directory = directory_, tag = tag_, next, old,
                 shared = std::make_shared<SnapshotPicture>(std::move(picture))]() -> util::Result<void> {
        std::string path = util::concat(directory, "/", snapshot_name(next.snapshot));
        std::string old_path = util::concat(directory, "/", snapshot_name(old));
        auto written = write_picture(*shared, path, old ? old_path : std::string(), tag);
        if (written.ok())
            written = write_manifest(directory, next);
        if (!written.ok()) {
            (void)util::sys::unlink(path);
            return written;
        }
        if (old)
            (void)util::sys::unlink(old_path);
        return {};
    };
    job->done = [this, number = next.snapshot, records = tail_records_, tail = tail_bytes_](auto result) {
        maintenance_ = false;
        snapshot_failed_ = !result.ok();
        if (!result.ok()) {
            snapshot_too_large_ = result.error().code == EFBIG;
            snapshot_damaged_ = result.error().kind != util::Kind::Temporary && !snapshot_too_large_;
            if (!std::exchange(snapshot_told_, true))
                util::log::warning(directory_, ": snapshot: ", result.error().text);
            return;
        }
        snapshot_told_ = false;
        tail_records_ -= std::min(records, tail_records_);
        tail_bytes_ -= std::min(tail, tail_bytes_);
        snapshot_number_ = number;
        moved_ = false;
        adopt_snapshot();
    };
    maintenance_ = true;
    committer_->submit(std::move(job));
}

util::Result<void> write_new_file(const std::string& path, std::string_view bytes)
{
    auto fd = TRY(util::sys::open(path, O_WRONLY | O_CREAT | O_TRUNC));
    if (auto written = util::sys::write_all(fd.get(), bytes); !written.ok())
        return std::move(written.take_error()).in(path);
    return util::sys::fsync(fd.get());
}

// What is not loaded yet is from now on read from the new snapshot.
void LogStore::adopt_snapshot()
{
    State fresh(tag_);
    auto opened = Snapshot::open(util::concat(directory_, "/", snapshot_name(snapshot_number_)), tag_, fresh);
    if (!opened.ok())
        return;  // the old one is still open
    Lsn upto = opened->lsn();
    for (auto& [id, folder] : state_.folders) {
        const Folder* stored = fresh.folder(id);
        if (folder->loaded || !stored)
            continue;
        folder->stored_at = stored->stored_at;
        folder->stored_checksum = stored->stored_checksum;
        folder->outline = stored->outline;
    }
    if (!state_.contents_loaded)
        std::erase_if(state_.contents, [upto](const Content& content) { return content.lsn <= upto; });
    if (!state_.kept_loaded)
        state_.kept.drop_if([upto](const Kept& item) { return item.lsn <= upto; });
    snapshot_ = opened.take();
}

// How much deleted mail must go: by age, by size, or because the disk is nearly full.
util::Result<void> LogStore::forget_deleted()
{
    if (state_.kept_bytes == 0 && state_.kept.empty() && state_.kept_loaded)
        return {};
    TRY(load_kept());
    std::int64_t oldest = wall_seconds() -
                          std::chrono::floor<std::chrono::seconds>(options_.undelete_time).count();
    std::uint64_t limit = options_.undelete_limit;
    if (space_is_low())
        limit = 0;
    std::uint64_t bytes = state_.kept_bytes;
    Lsn upto = 0;
    for (const auto& item : state_.kept) {
        if (item.seconds >= oldest && bytes <= limit)
            break;
        bytes -= item.entry.size;
        upto = item.lsn;
    }
    if (upto == 0)
        return {};
    return purge_upto(upto);
}

util::Result<void> LogStore::purge_upto(Lsn limit)
{
    TRY(load_kept());
    TRY(prepare(64, 1, Room::Essential));
    add(PurgeRecord{.limit = limit});
    strict();
    return {};
}

Chores LogStore::housekeep(std::uint64_t count)
{
    if (failure_)
        return Chores::Done;
    if (waits_for_helper())
        return Chores::Waiting;
    Steps steps{.left = count};
    if (!compaction_ && !draft_) {
        auto forgot = forget_deleted();
        if (forgot.ok() && (compact_now_ || is_much(state_.garbage_bytes)))
            compaction_ = std::make_unique<Compaction>(state_);
    }
    Chores left = Chores::Done;
    if (compaction_) {
        auto compacted = compact(steps);
        if (!compacted.ok()) {
            util::log::warning(directory_, ": compaction: ", compacted.error().text);
            end_compaction();
            compact_now_ = false;
        } else {
            left = waits_for_helper() ? Chores::Waiting : Chores::More;
        }
    } else if (draft_ || ((tail_is_long(4) || moved_) && !snapshot_too_large_ && !std::exchange(snapshot_failed_, false))) {
        auto made = make_snapshot(steps);
        if (made.ok())
            left = maintenance_ ? Chores::Waiting : Chores::More;
        else
            util::log::warning(directory_, ": snapshot: ", made.error().text);
    }
    steps_made_ += steps.made;
    return left;
}

}  // namespace store
