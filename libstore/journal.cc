// Records into segments: room, Lsns, hand-over to the helper thread, what is durable.
#include "libstore/journal.h"

#include "libutil/crc32c.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace store {

std::int64_t wall_seconds()
{
    return util::unix_seconds(util::wall_now());
}

// --- room -----------------------------------------------------------------------------------------

constexpr std::uint64_t no_allocation = UINT64_MAX - room_reserve;

bool is_full(const util::Error& error)
{
    return error.code == ENOSPC || error.code == EDQUOT;
}

util::Error writing_failed(util::Error error)
{
    if (is_full(error))
        return {util::Kind::Temporary, "no space left for the mail store", ENOSPC};
    return error;
}

util::Result<void> LogStore::allocate(std::uint64_t end, Room room)
{
    if (end + room_reserve <= allocated_)
        return {};
    for (std::uint64_t step : {room_step, std::uint64_t(0)}) {
        std::uint64_t wanted = end + room_reserve + step;
        auto result = util::sys::fallocate_keep_size(active_.get(), end_, wanted - end_);
        if (result.ok()) {
            allocated_ = wanted;
            return {};
        }
        if (!is_full(result.error())) {
            allocated_ = no_allocation;  // this file system does not say
            return {};
        }
    }
    // What was allocated in an earlier life is still there.
    std::uint64_t wanted = end + (room == Room::Moves ? room_reserve - room_for_moves : 0);
    if (room != Room::Growth &&
        (wanted <= allocated_ || util::sys::fallocate_keep_size(active_.get(), end_, wanted - end_).ok()))
        return {};
    return writing_failed({util::Kind::Temporary, {}, ENOSPC});
}

// A sync of what was written over is one write of the disk, where one of a file that grows, or of room that was only allocated,
// takes a transaction of the file system: three times as long on ext4 with its journal.  So a store to which little is appended
// often writes zeros ahead.
std::size_t LogStore::zeros_ahead(std::size_t appended)
{
    std::uint64_t limit = std::min(allocated_, options_.segment_size);
    if (end_ <= zeroed_ || end_ >= limit || appended > max_small_append || ++small_appends_ <= first_small_appends)
        return 0;
    if (!in_place_)
        in_place_ = options_.zeros_ahead ? *options_.zeros_ahead : util::sys::writes_in_place(active_.get());
    if (!*in_place_ || allocated_ == no_allocation)
        return 0;
    zeroed_ = std::min(limit, end_ + max_zeros);
    return std::size_t(zeroed_ - end_);
}

util::Result<void> LogStore::start_segment()
{
    SegmentHeader header{.kind = SegmentKind::Log,
                         .id = next_segment_,
                         .tag = tag_,
                         .base = state_.last,
                         .created = wall_seconds(),
                         .replaces = {}};
    std::string path = util::concat(directory_, "/", segment_name(next_segment_));
    auto opened = util::sys::open(path, O_RDWR | O_CREAT | O_EXCL);
    if (!opened.ok())
        return writing_failed(opened.take_error());
    util::UniqueFd fd = opened.take();
    auto wrote = util::sys::pwrite_all(fd.get(), encode_segment_header(header), 0);
    if (wrote.ok()) {
        auto room = util::sys::fallocate_keep_size(fd.get(), 0, room_reserve);
        if (!room.ok() && is_full(room.error()))
            wrote = room.take_error();
    }
    if (!wrote.ok()) {
        (void)util::sys::unlink(path);
        return writing_failed(wrote.take_error());
    }
    submit();
    if (!segments_.empty())
        segments_.back().size = end_;
    if (active_)
        open_segments_.push_back({segments_.back().id, ++use_, std::move(active_)});
    active_ = std::move(fd);
    segments_.push_back({.id = next_segment_, .base = state_.last, .size = segment_header_size});
    ++next_segment_;
    end_ = written_ = zeroed_ = segment_header_size;
    allocated_ = room_reserve;
    new_segment_ = true;
    return {};
}

util::Result<void> LogStore::make_room(std::uint64_t bytes, Room room)
{
    if (failure_)
        return *failure_;
    if (end_ > segment_header_size && end_ + bytes > options_.segment_size) {
        auto started = start_segment();
        // On a full disk the segment before has room for more than growth.
        if (!started.ok() && room == Room::Growth)
            return started.take_error();
    }
    if (in_flight_bytes_ > max_in_flight)
        TRY(sync());
    return allocate(end_ + bytes, room);
}

util::Result<void> LogStore::prepare(std::uint64_t bytes, Lsn lsns, Room room)
{
    TRY(make_room(bytes + 4 * record_header_size, room));
    if (state_.reservation_open && state_.last + lsns + lsn_block / 4 <= state_.ceiling)
        return {};
    ReserveRecord reserve;
    reserve.ceiling = state_.last + lsns + lsn_block;
    add(reserve);
    strict();
    return {};
}

// --- durability -----------------------------------------------------------------------------------

void LogStore::lazy(Lsn first)
{
    if (options_.flag_sync_delay <= util::Duration::zero())
        strict(first);
    else if (!lazy_since_)
        lazy_since_ = util::now();
}

void LogStore::submit(bool waits)
{
    if (pending_.empty())
        return;
    auto job = std::make_unique<Job>();
    job->fd = active_.get();
    job->segment = segments_.back().id;
    job->offset = end_ - pending_.size();
    job->lsn = state_.last;
    job->ceiling = state_.reservation_open ? state_.ceiling : 0;
    job->bytes = std::exchange(pending_, {});
    job->zeros = zeros_ahead(job->bytes.size());
    if (!pending_files_.empty())
        job->sync_directories.push_back(bodies_.get());
    job->sync_first = std::exchange(pending_files_, {});
    bool new_body_directory = !job->sync_first.empty() && std::exchange(new_bodies_, false);
    if (std::exchange(new_segment_, false) || new_body_directory)
        job->sync_directories.push_back(lock_.get());
    in_flight_.push_back(job.get());
    in_flight_bytes_ += job->bytes.size();
    lazy_since_.reset();
    if (committer_->submit(std::move(job), waits))
        (void)collect();   // what it would say is what is known here already
}

void LogStore::flush(bool flags_too)
{
    bool must = !strict_.empty() && strict_.back() > std::max(durable_, made_);
    // What was handed over already covers strict changes up to there.
    if (must && !in_flight_.empty() && in_flight_.back()->lsn >= strict_.back())
        must = false;
    bool late = lazy_since_ && util::now() >= *lazy_since_ + options_.flag_sync_delay;
    if (must || flags_too || late)
        submit();
}

std::optional<util::Instant> LogStore::next_flush() const
{
    if (!lazy_since_)
        return std::nullopt;
    return *lazy_since_ + options_.flag_sync_delay;
}

util::Result<void> LogStore::collect()
{
    for (auto& job : committer_->collect()) {
        if (job->task) {
            if (job->done)
                job->done(std::move(job->result));
            continue;
        }
        CHECK(!in_flight_.empty() && in_flight_.front() == job.get());
        in_flight_.pop_front();
        in_flight_bytes_ -= job->bytes.size();
        if (!job->result.ok()) {
            if (!failure_)
                failure_ = std::move(job->result.take_error()).in(directory_);
            continue;
        }
        if (failure_)
            continue;
        if (job->segment == segments_.back().id)
            written_ = job->offset + job->bytes.size();
        durable_ = job->lsn;
        durable_ceiling_ = std::max(durable_ceiling_, job->ceiling);
    }
    while (!strict_.empty() && strict_.front() <= durable_)
        strict_.pop_front();
    if (failure_)
        return *failure_;
    return {};
}

util::Result<void> LogStore::sync()
{
    submit(true);
    committer_->wait();
    return collect();
}

Lsn LogStore::visible() const
{
    Lsn limit = strict_.empty() ? state_.last : strict_.front() - 1;
    return std::max(durable_, std::min(limit, durable_ceiling_));
}

void LogStore::on_change(std::function<void(MailboxId)> listener)
{
    listener_ = std::move(listener);
}

void LogStore::changed(MailboxId mailbox)
{
    if (listener_)
        listener_(mailbox);
}

}  // namespace store
