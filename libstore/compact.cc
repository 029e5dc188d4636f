// Compaction: sealed segments in which much is dead are written anew without it.
//
// It goes on in slices, and what comes in between goes on as always.  First it marks which contents
// are alive; what comes to be referred to meanwhile is marked as it does (State::mark), and what is
// dead stays dead.  Then it goes through the segments that pay, record by record (compactor.h); each
// slice's part of the new segment is written and synced by the helper thread by itself, so that a
// delivery waits for no more than that.  The new segment takes the place of the old ones in the
// manifest in one step: before that step it does not count, after it the old ones do not.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>

namespace store {

namespace {

constexpr std::size_t max_window = 1U << 20;
constexpr double worth_it = 0.2;   // of a segment must be dead

std::string unfinished_path(const std::string& directory, std::uint64_t id)
{
    return util::concat(directory, "/compact-", segment_name(id));
}

}  // namespace

bool LogStore::space_is_low() const
{
    auto space = util::sys::free_space(lock_.get());
    return space.ok() && space->bytes < low_space;
}

bool LogStore::is_much(std::uint64_t garbage) const
{
    if (compact_now_)
        return garbage > 0;
    std::uint64_t live = 0;
    for (const auto& [id, folder] : state_.folders)
        live += folder->bytes;
    if (garbage > std::max<std::uint64_t>(options_.segment_size / 4, live / 4))
        return true;
    return garbage > room_reserve && space_is_low();
}

// Is there nothing to do before the helper thread has done its part?  What segments hold can be
// judged when the last of it is on disk.
bool LogStore::waits_for_helper() const
{
    return maintenance_ || (compaction_ && compaction_->phase == Compaction::Phase::Survey &&
                            std::ranges::any_of(in_flight_, [this](const Job* job) {
                                return job->segment != segments_.back().id;
                            }));
}

// One slice.  An error ends this compaction; what it has finished stays.
util::Result<void> LogStore::compact(Steps& steps)
{
    while (steps.left > 0 && compaction_ && !waits_for_helper()) {
        if (compaction_->failure)
            return std::move(*compaction_->failure);
        switch (compaction_->phase) {
        case Compaction::Phase::Load:
            TRY(load_some(steps));
            break;
        case Compaction::Phase::Mark:
            mark_some(steps);
            break;
        case Compaction::Phase::Survey:
            TRY(survey_some(steps));
            break;
        case Compaction::Phase::Release:
            TRY(release_some(steps));
            break;
        case Compaction::Phase::Judge:
            TRY(judge_some(steps));
            break;
        case Compaction::Phase::Census:
            TRY(take_censuses(steps));
            break;
        case Compaction::Phase::Switch:
            switch_segments();
            break;
        }
    }
    return {};
}

void LogStore::drop_unfinished()
{
    if (std::exchange(compaction_->written, 0) > 0)
        (void)util::sys::unlink(unfinished_path(directory_, compaction_->header.id));
}

void LogStore::end_compaction()
{
    drop_unfinished();
    state_.marks.reset();
    compaction_.reset();
}

util::Result<void> LogStore::load_some(Steps& steps)
{
    Compaction& now = *compaction_;
    if (now.mailboxes.empty())
        for (const auto& [id, folder] : state_.folders)
            now.mailboxes.push_back(id);
    for (; now.mailbox < now.mailboxes.size(); ++now.mailbox) {
        if (steps.left == 0)
            return {};
        const Folder* folder = state_.folder(now.mailboxes[now.mailbox]);
        if (!folder || folder->loaded)
            continue;
        steps.spend(1 + folder->message_count());
        TRY(loaded(folder->id));
    }
    TRY(load_contents());
    TRY(load_kept());
    state_.marks.emplace(state_.contents.size());
    auto mark = [this](const Annotations& annotations) {
        for (const auto& [name, annotation] : annotations)
            state_.mark(annotation.lsn);
    };
    mark(state_.annotations);
    for (const auto& [id, folder] : state_.folders)
        mark(folder->annotations);
    now.mailbox = 0;
    now.phase = Compaction::Phase::Mark;
    return {};
}

// Mailboxes that come meanwhile need no visit: what gets into them is marked.
void LogStore::mark_some(Steps& steps)
{
    Compaction& now = *compaction_;
    for (; now.mailbox < now.mailboxes.size(); ++now.mailbox, now.uid = 0) {
        const Folder* folder = state_.folder(now.mailboxes[now.mailbox]);
        if (!folder)
            continue;
        for (std::size_t i = folder->lower_bound(now.uid); i < folder->entries.size(); ++i) {
            if (steps.left == 0)
                return;
            state_.mark(folder->entries[i].content);
            now.uid = folder->entries[i].uid + 1;
            steps.spend(1);
        }
    }
    if (now.compactor.catch_up(steps))
        now.phase = Compaction::Phase::Survey;
}

// What each segment holds of dead messages.  One reaches about to the next message: good enough to
// choose by.
util::Result<void> LogStore::survey_some(Steps& steps)
{
    Compaction& now = *compaction_;
    for (; now.segment < segments_.size(); ++now.segment) {
        if (steps.left == 0)
            return {};
        Segment& segment = segments_[now.segment];
        if (now.segment + 1 == segments_.size())
            break;        // it still grows
        steps.spend(8);   // about what a call costs
        if (std::ranges::find(damaged_, segment.id) != damaged_.end())
            continue;
        segment.size = std::uint64_t(TRY(util::sys::stat(segment_path(segment.id))).st_size);
        now.sizes[segment.id] = segment.size;
    }
    const std::vector<Content>& contents = state_.contents;
    for (; now.content < state_.marks->size(); ++now.content) {
        if (steps.left == 0)
            return {};
        steps.spend(1);
        if ((*state_.marks)[now.content])
            continue;
        std::size_t i = now.content;
        now.dead_files |= contents[i].in_file;
        bool next = i + 1 < contents.size() && contents[i + 1].segment == contents[i].segment;
        std::uint64_t end = contents[i].offset;
        if (next)
            end = contents[i + 1].offset;
        else if (auto size = now.sizes.find(contents[i].segment); size != now.sizes.end())
            end = size->second;
        now.dead[contents[i].segment] += end - std::min<std::uint64_t>(end, contents[i].offset);
    }
    return choose_victims();
}

// The run of neighbouring segments whose compaction gives most back, among those whose rest the disk
// has room for.  If none does, that is all; but when the segment that is written to holds much that is
// dead, it is sealed.
util::Result<void> LogStore::choose_victims()
{
    Compaction& now = *compaction_;
    if (now.dead_files && !now.files_released) {
        begin_release(false);
        return {};
    }
    auto share = [&](std::size_t i) {
        if (segments_[i].size <= segment_header_size)
            return 1.0;
        return double(now.dead[segments_[i].id]) / double(segments_[i].size);
    };
    auto rest = [&](std::size_t i) { return segments_[i].size - now.dead[segments_[i].id]; };
    // Those that came meanwhile are behind them.
    auto sealed = [&](std::size_t i) { return now.sizes.contains(segments_[i].id); };
    state_.garbage_bytes = 0;
    for (const auto& [id, bytes] : now.dead)
        state_.garbage_bytes += bytes;
    const std::uint64_t room = room_for_segments();
    bool too_tight = false;
    std::size_t best = segments_.size();
    for (std::size_t i = 0; sealed(i); ++i) {
        if (share(i) <= (compact_now_ ? 0.0 : worth_it) || (best != segments_.size() && share(i) <= share(best)))
            continue;
        if (rest(i) <= room)
            best = i;
        else
            too_tight = true;
    }
    if (best == segments_.size()) {
        std::uint64_t last = now.dead[segments_.back().id];
        bool much = (compact_now_ || share(segments_.size() - 1) > worth_it) && is_much(last);
        bool again = much && start_segment().ok();
        too_tight |= much && !again;
        if (!again && too_tight && !now.holes_made) {
            begin_release(true);
            return {};
        }
        if (!again)
            compact_now_ = false;
        state_.garbage_bytes = again ? last : 0;
        end_compaction();
        return {};
    }
    now.compactor.reset();
    now.victims = {segments_[best].id};
    std::uint64_t total = rest(best);
    for (std::size_t i = best + 1; sealed(i) && now.victims.size() < max_replaced; ++i) {
        total += rest(i);
        if (total > std::min(options_.segment_size, room) ||
            (share(i) <= worth_it && segments_[i].size > options_.segment_size / 4))
            break;
        now.victims.push_back(segments_[i].id);
    }
    now.header = {.kind = SegmentKind::Compacted,
                  .id = next_segment_++,
                  .tag = tag_,
                  .base = segments_[best].base,
                  .created = wall_seconds(),
                  .replaces = {now.victims.begin(), now.victims.end()}};
    now.victim = 0;
    now.offset = segment_header_size;
    now.lsn = now.written = 0;
    now.phase = Compaction::Phase::Judge;
    return {};
}

// --- a new segment ----------------------------------------------------------------------------------

// Reads on in the victims.  Nothing is thrown away together with what cannot be read.
util::Result<void> LogStore::judge_some(Steps& steps)
{
    Compaction& now = *compaction_;
    if (!now.compactor.catch_up(steps))
        return {};
    std::string piece;
    if (now.written == 0)
        piece = encode_segment_header(now.header);
    std::string window;
    while (steps.left > 0 && now.victim < now.victims.size()) {
        std::uint32_t id = now.victims[now.victim];
        std::uint64_t rest = now.sizes[id] - std::min(now.sizes[id], now.offset);
        std::uint64_t wanted = std::clamp<std::uint64_t>(steps.left * step_bytes, 4096, max_window);
        int fd = TRY(segment_fd(id));
        TRY(read_at(fd, now.offset, std::min(rest, wanted), window));
        auto header = decode_header(window, tag_);
        if (header && header->length > window.size() && header->length <= rest)
            TRY(read_at(fd, now.offset, header->length, window));
        std::uint64_t at = 0;
        while (auto frame = steps.left > 0 ? frame_at(window, at, tag_, now.lsn) : std::nullopt) {
            at += padded(frame->bytes.size());
            now.lsn = frame->header.lsn;
            now.compactor.take(*frame, tag_, now.written, piece, steps);
        }
        now.offset += at;
        if (at > 0)
            continue;
        // Nothing but zeros may stand behind the last record.
        if (window.find_first_not_of('\0') != window.npos) {
            util::log::warning(segment_path(id), " is damaged and stays as it is");
            damaged_.push_back(id);
            survey_again();
            return {};
        }
        steps.spend(1 + window.size() / step_bytes);
        now.offset += window.size();
        if (window.size() < rest)
            continue;
        ++now.victim;
        now.offset = segment_header_size;
    }
    if (now.victim == now.victims.size())
        now.phase = Compaction::Phase::Census;
    // A segment with nothing in it is left out altogether.
    if (now.written + piece.size() > segment_header_size)
        hand_over(std::move(piece));
    return {};
}

void LogStore::hand_over(std::string piece)
{
    Compaction& now = *compaction_;
    std::uint64_t at = now.written;
    now.written += piece.size();
    auto job = std::make_unique<Job>();
    job->task = [path = unfinished_path(directory_, now.header.id), at, piece = std::move(piece)]() -> util::Result<void> {
        auto fd = TRY(util::sys::open(path, at == 0 ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY));
        TRY(util::sys::pwrite_all(fd.get(), piece, at));
        return util::sys::fsync(fd.get());
    };
    job->done = [this](util::Result<void> result) {
        maintenance_ = false;
        if (!result.ok())
            compaction_->failure = result.take_error();
    };
    maintenance_ = true;
    committer_->submit(std::move(job));
}

util::Result<void> LogStore::take_census(Folder& folder)
{
    MailboxRecord record = record_of(folder);
    record.census = true;
    record.live = ranges_of(folder.entries, &Entry::uid);
    TRY(make_room(record.live.size() * 8 + max_mailbox_name_length +
                      max_keywords * (max_keyword_length + 4) + 256, Room::Essential));
    folder.highest_modseq = write(record);  // as a replay will have it
    return {};
}

util::Result<void> LogStore::take_censuses(Steps& steps)
{
    Compactor& compactor = compaction_->compactor;
    while (!compactor.censuses.empty()) {
        if (steps.left == 0)
            return {};
        auto first = compactor.censuses.begin();
        if (Folder* folder = state_.folder(*first)) {
            steps.spend(1 + folder->entries.size());
            TRY(take_census(*folder));
        } else {
            compactor.store_census = true;
        }
        compactor.censuses.erase(first);
    }
    TRY(take_annotation_censuses(steps));
    if (!compactor.annotation_censuses.empty())
        return {};
    CensusRecord record{.last_uid_validity = state_.last_uid_validity,
                        .recovered = state_.recovered,
                        .purged = state_.purged,
                        .mailboxes = {},
                        .subscriptions = state_.subscriptions};
    std::uint64_t bytes = 256;
    for (const auto& [id, folder] : state_.folders)
        record.mailboxes.push_back(id);
    for (const auto& name : record.subscriptions)
        bytes += name.size() + 4;
    TRY(make_room(bytes + record.mailboxes.size() * 8, Room::Essential));
    if (compactor.store_census)
        write(record);
    // The reservation may have stood in what goes.
    ReserveRecord reserve;
    reserve.ceiling = state_.last + 1 + lsn_block;
    add(reserve);
    strict();
    submit();
    steps.spend(1 + (bytes + record.mailboxes.size() * 8) / step_bytes);
    compaction_->phase = Compaction::Phase::Switch;
    return {};
}

void LogStore::switch_segments()
{
    Compaction& now = *compaction_;
    Segment fresh{.id = std::uint32_t(now.header.id), .kind = SegmentKind::Compacted, .base = now.header.base,
                  .size = now.written};
    bool empty = now.written == 0;
    submit();   // before the manifest calls it synced
    ++generation_;
    Manifest next = manifest();
    auto place = std::ranges::find(next.segments, now.victims.front(), &Manifest::Item::id);
    CHECK(place != next.segments.end());
    place = next.segments.erase(place, place + std::ptrdiff_t(now.victims.size()));
    if (!empty)
        next.segments.insert(place, {fresh.id, fresh.kind, fresh.base});
    auto job = std::make_unique<Job>();
    job->task = [directory = directory_, next, id = fresh.id, empty]() -> util::Result<void> {
        if (!empty) {
            TRY(util::sys::rename(unfinished_path(directory, id), util::concat(directory, "/", segment_name(id))));
            TRY(util::sys::sync_directory(directory));
        }
        return write_manifest(directory, next);
    };
    job->done = [this, fresh](util::Result<void> result) {
        maintenance_ = false;
        if (result.ok())
            return finish_round(fresh);
        compaction_->failure = result.take_error();
    };
    maintenance_ = true;
    committer_->submit(std::move(job));
}

// Contents are where the new segment has them, or gone.
void LogStore::take_moved(std::uint32_t segment)
{
    std::vector<Content>& contents = state_.contents;
    std::vector<bool>& marks = *state_.marks;
    auto moved = std::span(compaction_->compactor.moved);
    auto dropped = std::span(compaction_->compactor.dropped);
    // The messages of neighbouring segments are neighbours here.
    Lsn first = std::min(moved.empty() ? UINT64_MAX : moved[0].lsn, dropped.empty() ? UINT64_MAX : dropped[0]);
    std::size_t in = std::size_t(std::ranges::lower_bound(contents, first, {}, &Content::lsn) - contents.begin());
    std::size_t out = in;
    std::size_t marks_out = std::min(out, marks.size());
    for (; in < contents.size() && !(moved.empty() && dropped.empty()); ++in) {
        Content content = contents[in];
        while (!dropped.empty() && dropped[0] < content.lsn)
            dropped = dropped.subspan(1);
        while (!moved.empty() && moved[0].lsn < content.lsn)
            moved = moved.subspan(1);
        if (!dropped.empty() && dropped[0] == content.lsn)
            continue;
        if (!moved.empty() && moved[0].lsn == content.lsn) {
            content = moved[0];
            content.segment = segment;
        }
        contents[out++] = content;
        if (in < marks.size())
            marks[marks_out++] = marks[in];
    }
    contents.erase(contents.begin() + std::ptrdiff_t(out), contents.begin() + std::ptrdiff_t(in));
    marks.erase(marks.begin() + std::ptrdiff_t(marks_out), marks.begin() + std::ptrdiff_t(std::min(in, marks.size())));
}

// The manifest names the new segment.
void LogStore::finish_round(const Segment& fresh)
{
    Compaction& now = *compaction_;
    auto first = std::ranges::find(segments_, now.victims.front(), &Segment::id);
    CHECK(first != segments_.end());
    auto place = segments_.erase(first, first + std::ptrdiff_t(now.victims.size()));
    if (fresh.size > 0)
        segments_.insert(place, fresh);
    take_moved(fresh.id);
    std::erase_if(open_segments_, [&](const OpenSegment& open) {
        return std::ranges::find(now.victims, open.id) != now.victims.end();
    });
    window_.clear();
    // The snapshot tells of places that are no more, and the manifest names none.
    std::uint64_t old_snapshot = std::exchange(snapshot_number_, 0);
    snapshot_.reset();
    auto job = std::make_unique<Job>();
    job->task = [directory = directory_, ids = now.victims, bodies = now.compactor.bodies,
                 old_snapshot]() -> util::Result<void> {
        for (std::uint32_t id : ids)
            (void)util::sys::unlink(util::concat(directory, "/", segment_name(id)));
        for (const auto& body : bodies)
            (void)util::sys::unlink(util::concat(directory, "/bodies/", body));
        if (old_snapshot)
            (void)util::sys::unlink(util::concat(directory, "/", snapshot_name(old_snapshot)));
        return {};
    };
    committer_->submit(std::move(job));
    now.written = 0;
    moved_ = true;
    for (std::uint32_t id : now.victims)
        state_.garbage_bytes -= std::min(state_.garbage_bytes, now.dead[id]);
    if (!is_much(state_.garbage_bytes) && !compact_now_)
        return end_compaction();
    survey_again();
}

// What was alive when it was asked is taken to be alive; of the rest the answer still holds.
void LogStore::survey_again()
{
    Compaction& now = *compaction_;
    drop_unfinished();
    now.dead.clear();
    now.sizes.clear();
    now.segment = now.content = 0;
    now.dead_files = false;
    now.phase = Compaction::Phase::Survey;
}

}  // namespace store
