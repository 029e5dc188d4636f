// What dead messages hold goes back in place, without a segment being written anew: the files of
// large ones, which stand in no proportion to what is dead in the log; and, where the disk has no room
// for a new segment, the contents of the others, as holes.
//
// The records stay, with all that a replay looks at.  An end at any moment leaves some of it undone.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <cerrno>

namespace store {

namespace {

constexpr std::uint64_t block = 4096;   // a hole of less gives nothing back

}  // namespace

// How much a new segment may take up.
std::uint64_t LogStore::room_for_segments() const
{
    auto space = util::sys::free_space(lock_.get());
    if (!space.ok())
        return UINT64_MAX;
    return space->inodes == 0 ? 0 : space->bytes - std::min(space->bytes, room_reserve);
}

void LogStore::begin_release(bool holes)
{
    Compaction& now = *compaction_;
    now.files_released = true;
    now.holes_made |= holes;
    now.holes.clear();
    now.compactor.bodies.clear();
    now.content = 0;
    now.phase = Compaction::Phase::Release;
}

util::Result<void> LogStore::release_some(Steps& steps)
{
    Compaction& now = *compaction_;
    std::string head;
    for (; now.content < state_.marks->size(); ++now.content) {
        if (steps.left == 0)
            return {};
        steps.spend(1);
        const Content& content = state_.contents[now.content];
        if ((*state_.marks)[now.content] || content.lsn > durable_ || !(content.in_file || now.holes_made))
            continue;
        steps.spend(8);   // about what a call costs
        int fd = TRY(segment_fd(content.segment));
        TRY(read_at(fd, content.offset, content.head, head));
        auto header = decode_header(head, tag_);
        if (!header || header->lsn != content.lsn || header->type != Type::Arrival)
            continue;   // damaged, or an annotation: it stays as it is
        auto record = MessageRecord::decode(std::string_view(head).substr(record_header_size, header->meta_length));
        if (record && record->in_file)
            now.compactor.bodies.push_back(body_name(record->entry.guid));
        std::uint64_t begin = (content.offset + content.head + block - 1) / block * block;
        std::uint64_t end = (content.offset + header->length) / block * block;
        if (now.holes_made && begin < end)
            now.holes.push_back({segment_path(content.segment), begin, end - begin});
    }
    return release();
}

util::Result<void> LogStore::release()
{
    Compaction& now = *compaction_;
    if (!now.holes.empty()) {
        // At the end of the log recovery looks at contents, but not at those before a durable mark.
        TRY(make_room(2 * record_header_size, Room::Essential));
        add(ReserveRecord{.ceiling = state_.last + 1 + lsn_block});
        strict();
    }
    submit();   // that they are dead is on disk first
    auto job = std::make_unique<Job>();
    job->task = [directory = directory_, holes = std::move(now.holes), bodies = now.compactor.bodies]() -> util::Result<void> {
        for (const auto& body : bodies)
            (void)util::sys::unlink(util::concat(directory, "/bodies/", body));
        for (const auto& hole : holes) {
            auto fd = TRY(util::sys::open(hole.path, O_RDWR));
            TRY(util::sys::punch_hole(fd.get(), hole.offset, hole.length));
        }
        return {};
    };
    job->done = [this](util::Result<void> result) {
        maintenance_ = false;
        if (!result.ok() && result.error().code != EOPNOTSUPP)
            compaction_->failure = result.take_error();
        else
            survey_again();
    };
    maintenance_ = true;
    committer_->submit(std::move(job));
    return {};
}

}  // namespace store
