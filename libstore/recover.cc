// Recovery: from manifest, snapshot and the log behind it; without them, from the log alone.
#include "libstore/codec.h"
#include "libstore/journal.h"
#include "libstore/replay.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <unordered_set>

namespace store {

util::Result<void> read_at(int fd, std::uint64_t offset, std::uint64_t length, std::string& out)
{
    out.resize(length);
    std::size_t got = 0;
    while (got < out.size()) {
        std::size_t more = TRY(util::sys::pread(fd, std::span(out).subspan(got), offset + got));
        if (more == 0)
            break;
        got += more;
    }
    out.resize(got);
    return {};
}

util::Result<std::string> read_segment(int fd, std::uint64_t at)
{
    auto status = TRY(util::sys::fstat(fd));
    std::uint64_t size = std::uint64_t(status.st_size);
    if (size > 4 * max_segment_size + max_record_size)
        return util::permanent("segment is too large");
    std::string bytes;
    TRY(read_at(fd, at, size > at ? size - at : 0, bytes));
    return bytes;
}

std::string LogStore::segment_path(std::uint32_t id) const
{
    return util::concat(directory_, "/", segment_name(id));
}

util::Result<void> LogStore::recover(const std::vector<std::uint32_t>& ids)
{
    auto headers = TRY(read_headers(ids));
    std::optional<Manifest> manifest;
    auto text = util::sys::read_file(directory_ + "/manifest", max_manifest_size);
    if (text.ok())
        manifest = decode_manifest(*text);
    if (manifest && !arrange_by_manifest(*manifest, headers))
        manifest.reset();
    if (!manifest) {
        if (headers.empty())
            return create();
        if (text.ok() || ids.size() > 1) {
            ++damage_;
            util::log::warning(directory_, ": the manifest is missing or does not fit; reading the whole log");
        }
        TRY(arrange_by_headers(headers));
    }
    TRY(remove_leftovers(headers));

    util::Result<void> replayed = util::temporary("no snapshot");
    if (manifest) {
        generation_ = manifest->generation;
        snapshot_number_ = manifest->snapshot;
    }
    if (manifest && manifest->snapshot && !options_.ignore_snapshot) {
        replayed = replay_from_snapshot(*manifest);
        if (!replayed.ok()) {
            tail_records_ = tail_bytes_ = 0;
            if (replayed.error().kind == util::Kind::NotFound && replayed.error().code == 0) {
                util::log::info(directory_, ": ", replayed.error().text, "; reading the whole log");
                moved_ = true;   // the next snapshot is due
            } else {
                ++damage_;
                util::log::warning(directory_, ": ", replayed.error().text, "; reading the whole log");
            }
        }
    }
    if (!replayed.ok()) {
        snapshot_.reset();
        state_ = State(tag_);
        TRY(replay_from(0, 0));
    }
    if (manifest && state_.last < manifest->durable) {
        // Records that were on disk are gone.  What they gave out may not be given out again.
        ++damage_;
        util::log::error(directory_, ": the end of the log is lost: it ends at ", state_.last,
                         " and reached ", manifest->durable);
        state_.ceiling = std::max(state_.ceiling, manifest->durable + lsn_block);
        state_.reservation_open = true;
    }
    return after_replay();
}

namespace {

// The header of a segment whose own header is damaged, as its first record tells it.
std::optional<SegmentHeader> guess_header(std::string_view bytes, std::uint32_t id)
{
    if (bytes.size() < segment_header_size + record_header_size)
        return std::nullopt;
    SegmentHeader header{.kind = SegmentKind::Log, .id = id};
    Reader reader(bytes.substr(segment_header_size));
    header.tag = reader.u64();
    auto first = decode_header(bytes.substr(segment_header_size), header.tag);
    if (!first || header.tag == 0)
        return std::nullopt;
    header.base = first->lsn - 1;
    return header;
}

}  // namespace

// The headers of all segments; files that are none are set aside.
util::Result<std::vector<SegmentHeader>> LogStore::read_headers(const std::vector<std::uint32_t>& ids)
{
    std::vector<SegmentHeader> headers;
    for (std::uint32_t id : ids) {
        auto fd = TRY(util::sys::open(segment_path(id), O_RDONLY));
        std::string bytes(segment_header_size + record_header_size, '\0');
        bytes.resize(TRY(util::sys::pread(fd.get(), bytes, 0)));
        next_segment_ = std::max(next_segment_, id + 1);
        auto header = decode_segment_header(bytes);
        if (!header || header->id != id) {
            header = guess_header(bytes, id);
            if (header) {
                ++damage_;
                util::log::warning(segment_path(id), ": the header is damaged");
            }
        }
        if (header)
            headers.push_back(std::move(*header));
        else
            TRY(set_segment_aside(id));
    }
    std::ranges::stable_sort(headers, {}, &SegmentHeader::base);
    return headers;
}

// False when a segment that the manifest names is not there.
bool LogStore::arrange_by_manifest(const Manifest& manifest, const std::vector<SegmentHeader>& headers)
{
    segments_.clear();
    for (const auto& item : manifest.segments) {
        auto found = std::ranges::find(headers, item.id, &SegmentHeader::id);
        if (found == headers.end() || found->tag != manifest.tag)
            return false;
        segments_.push_back({.id = std::uint32_t(item.id), .kind = item.kind, .base = item.base, .size = 0});
    }
    // Segments that were begun since.
    Lsn newest = manifest.segments.back().base;
    for (const auto& header : headers)
        if (header.tag == manifest.tag && header.kind == SegmentKind::Log && header.base > newest)
            segments_.push_back({.id = std::uint32_t(header.id), .base = header.base, .size = 0});
    tag_ = manifest.tag;
    return true;
}

util::Result<void> LogStore::arrange_by_headers(const std::vector<SegmentHeader>& headers)
{
    std::map<std::uint64_t, std::size_t> tags;
    std::unordered_set<std::uint64_t> replaced;
    for (const auto& header : headers)
        ++tags[header.tag];
    tag_ = std::ranges::max_element(tags, {}, [](const auto& tag) { return tag.second; })->first;
    for (const auto& header : headers)
        if (header.tag == tag_)
            replaced.insert(header.replaces.begin(), header.replaces.end());
    segments_.clear();
    for (const auto& header : headers) {
        if (header.tag != tag_)
            TRY(set_segment_aside(std::uint32_t(header.id)));
        else if (!replaced.contains(header.id))
            segments_.push_back({.id = std::uint32_t(header.id), .kind = header.kind,
                                 .base = header.base, .size = 0});
    }
    // The last one is written to, so it must be a log segment.
    if (segments_.empty() || segments_.back().kind != SegmentKind::Log)
        return util::permanent(util::concat(directory_, ": the last segment of the log is missing"));
    return {};
}

// Segments that compaction replaced, or that belong to another store.
util::Result<void> LogStore::remove_leftovers(const std::vector<SegmentHeader>& headers)
{
    for (const auto& header : headers) {
        if (std::ranges::any_of(segments_, [&](const Segment& item) { return item.id == header.id; }))
            continue;
        if (header.tag == tag_)
            TRY(util::sys::unlink(segment_path(std::uint32_t(header.id))));
        else if (util::sys::stat(segment_path(std::uint32_t(header.id))).ok())
            TRY(set_segment_aside(std::uint32_t(header.id)));
    }
    return {};
}

// A file that cannot be part of the store is kept, out of the way.
util::Result<void> LogStore::set_segment_aside(std::uint32_t id)
{
    std::string path = segment_path(id);
    std::string aside = util::concat(directory_, "/aside-", segment_name(id));
    auto status = TRY(util::sys::stat(path));
    if (status.st_size <= off_t(segment_header_size))
        return util::sys::unlink(path);  // begun and never written to
    ++damage_;
    util::log::warning(path, ": not a segment of this store; kept as ", aside);
    return util::sys::rename(path, aside);
}

// --- replay -----------------------------------------------------------------------------------------

util::Result<void> LogStore::replay_from_snapshot(const Manifest& manifest)
{
    State state(tag_);
    auto snapshot = TRY(Snapshot::open(util::concat(directory_, "/", snapshot_name(manifest.snapshot)),
                                       tag_, state));
    LogPosition position = snapshot.position();
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        if (segments_[i].id != position.segment)
            continue;
        auto status = TRY(util::sys::stat(segment_path(position.segment)));
        if (std::uint64_t(status.st_size) < position.offset)
            return util::permanent("the log ends before its snapshot");
        state_ = std::move(state);
        snapshot_ = std::move(snapshot);
        return replay_from(i, position.offset);
    }
    return util::permanent("the snapshot does not fit to the log");
}

util::Result<void> LogStore::replay_from(std::size_t first, std::uint64_t at)
{
    // A torn tail can only be where nothing valid follows: in the last segment, or before segments
    // that were begun and never written to.  The first record of a segment, also one that does not count,
    // was written when the segment before was synced.
    std::size_t tail = segments_.size() - 1;
    while (tail > first && !TRY(has_records(segments_[tail])))
        --tail;
    lost_ = 0;
    for (std::size_t i = first; i < segments_.size(); ++i) {
        // What a damaged end of the segment before held, the Lsn here tells.
        if (lost_end_ && segments_[i].base > state_.last)
            lost_ += segments_[i].base - state_.last;
        lost_end_ = false;
        // Compaction syncs what it makes before it counts.
        bool may_be_torn = i >= tail && segments_[i].kind == SegmentKind::Log;
        TRY(replay_segment(segments_[i], may_be_torn, i == first ? at : 0));
    }
    return {};
}

util::Result<bool> LogStore::has_records(const Segment& segment)
{
    auto fd = TRY(util::sys::open(segment_path(segment.id), O_RDONLY));
    std::string bytes = TRY(read_segment(fd.get(), 0));
    return !scan_segment(bytes, tag_, false).frames.empty();
}

util::Result<void> LogStore::replay_segment(Segment& segment, bool tail, std::uint64_t at)
{
    std::string path = segment_path(segment.id);
    auto fd = TRY(util::sys::open(path, tail ? O_RDWR : O_RDONLY));
    std::string bytes = TRY(read_segment(fd.get(), at));
    Scan scan = scan_segment(bytes, tag_, tail, at);
    if (tail)
        drop_open_group(scan);
    for (const auto& gap : scan.gaps) {
        ++damage_;
        util::log::warning(path, ": ", gap.length, " bad bytes at ", gap.offset, " skipped");
    }
    count_lost(scan, at == 0 ? segment.base : state_.last);
    TRY(replay(state_, scan, segment, snapshot_ ? &*snapshot_ : nullptr));
    TRY(void_refused(segment, fd.get(), scan.refused));
    segment.size = scan.end;
    tail_records_ += scan.frames.size();
    tail_bytes_ += scan.end - at;
    std::uint64_t file_end = std::max(at + bytes.size(), scan.end);
    if (tail && scan.tail > 0) {
        set_bytes_aside(segment, scan.end, std::string_view(bytes).substr(scan.end - at, scan.tail));
        TRY(util::sys::ftruncate(fd.get(), scan.end));
        TRY(util::sys::fsync(fd.get()));
        file_end = scan.end;
    } else if (!tail && scan.tail > 0) {
        ++damage_;
        lost_end_ = true;
        util::log::warning(path, ": ", scan.tail, " bad bytes at the end skipped");
    }
    if (&segment == &segments_.back()) {
        active_ = std::move(fd);
        end_ = written_ = allocated_ = scan.end;
        zeroed_ = file_end;
    }
    return {};
}

// How many Lsns stood in what cannot be read: as many uids at most were given there.
void LogStore::count_lost(const Scan& scan, Lsn before)
{
    auto gap = scan.gaps.begin();
    for (const auto& frame : scan.frames) {
        if (gap != scan.gaps.end() && gap->offset < frame.offset) {
            lost_ += frame.header.lsn - std::min(before, frame.header.lsn);
            while (gap != scan.gaps.end() && gap->offset < frame.offset)
                ++gap;
        }
        before = frame.header.lsn;
    }
}

// A group that the end of the log cuts off never happened.
void LogStore::drop_open_group(Scan& scan)
{
    if (scan.frames.empty())
        return;
    const RecordHeader last = scan.frames.back().header;
    if (last.group_index + 1 == last.group_size)
        return;
    std::size_t index = last.group_index;
    std::size_t first = scan.frames.size() - 1;
    while (index > 0 && first > 0 && scan.frames[first - 1].header.group_size == last.group_size &&
           scan.frames[first - 1].header.group_index == index - 1) {
        --first;
        --index;
    }
    scan.tail += scan.end - scan.frames[first].offset;
    scan.end = scan.frames[first].offset;
    scan.frames.resize(first);
}

void LogStore::set_bytes_aside(const Segment& segment, std::uint64_t offset, std::string_view bytes)
{
    std::string aside = util::concat(directory_, "/aside-", segment_name(segment.id), "-", offset, "-", wall_seconds());
    util::log::warning(directory_, ": ", bytes.size(), " bytes that were not written completely, taken out of ",
                       segment_name(segment.id), " and kept in ", aside);
    // On a full disk the store opens all the same.
    auto kept = util::sys::replace_file(aside, bytes, 0600);
    if (!kept.ok())
        util::log::warning(aside, ": ", kept.error().text);
}

// The next record has a mark, and what stands before a mark is taken for synced, and damaged later.  So the disk knows that
// these do not count before there is that record.  Until then each recovery refuses them anew, voided or not, and comes to
// the same end as this one.
util::Result<void> LogStore::void_refused(const Segment& segment, int fd, std::span<const Frame> refused)
{
    if (refused.empty())
        return {};
    std::string bytes;
    std::uint64_t first = 0;
    for (const auto& frame : refused) {
        if (frame.header.type == Type::Voided)
            continue;
        if (bytes.empty())
            first = frame.offset;
        bytes += frame.bytes;
    }
    if (!bytes.empty())
        set_bytes_aside(segment, first, bytes);
    for (const auto& frame : refused) {
        std::string header;
        encode_header(voided(frame.header), tag_, header);
        TRY(util::sys::pwrite_all(fd, header, frame.offset));
    }
    return util::sys::fsync(fd);
}

util::Result<void> LogStore::replay(State& state, Scan& scan, const Segment& segment, const Snapshot* snapshot)
{
    for (std::size_t i = 0; i < scan.frames.size();) {
        const RecordHeader& header = scan.frames[i].header;
        std::size_t count = 1;
        while (count < header.group_size && i + count < scan.frames.size() &&
               scan.frames[i + count].header.group_size == header.group_size &&
               scan.frames[i + count].header.group_index == header.group_index + count)
            ++count;
        // Part of a group is missing.  If all of it was once synced, the rest counts; else none.
        bool whole = header.group_index == 0 && count == header.group_size;
        bool counts = whole || scan.frames[i + count - 1].header.lsn <= scan.durable;
        for (std::size_t j = i; j < i + count; ++j) {
            Lsn lsn = scan.frames[j].header.lsn;
            state.last = std::max(state.last, lsn);
            bool understood = counts && TRY(replay_frame(state, scan.frames[j], segment.id, snapshot));
            if (understood)
                continue;
            if (!counts)
                scan.refused.push_back(scan.frames[j]);
            ++damage_;
            ++lost_;
            util::log::warning(directory_, ": record ", lsn, " in ", segment_name(segment.id),
                               counts ? " is not understood" : " is part of a change that was not written "
                                                               "completely", ", skipped");
        }
        i += count;
    }
    return {};
}

// The state stands; now what the recovery itself must write down.
util::Result<void> LogStore::after_replay()
{
    durable_ = state_.last;
    durable_ceiling_ = state_.ceiling;
    for (auto& [id, folder] : state_.folders) {
        folder->changes.clear();
        folder->changes.shrink_to_fit();
        folder->changes_from = state_.last;
    }
    tidy_readers();
    for (const auto& name : state_.name_orphans()) {
        ++damage_;
        util::log::warning(directory_, ": the record of a mailbox is lost; its mail is in ", name);
        TRY(make_room(2 * max_mailbox_name_length, Room::Essential));
        add(record_of(*state_.folder(name)));
    }
    bool unclean = state_.reservation_open || lost_ > 0;
    if (unclean) {
        // Lsns up to the ceiling, and uids in their number, may have been shown and lost; so may
        // those that stood in damaged records.
        Lsn shown = std::max(state_.last, state_.ceiling);
        ReserveRecord reserve;
        reserve.ceiling = shown + 1 + lsn_block;
        reserve.recovered = true;
        reserve.uid_bump = std::uint32_t(std::min<Lsn>(shown - durable_ + lost_, 1U << 20));
        TRY(make_room(2 * record_header_size, Room::Essential));
        add(reserve, shown + 1 - state_.last);
    }
    if (!state_.names.contains("INBOX"))
        TRY(make_defaults());
    if (state_.last > durable_)
        TRY(sync());
    if (unclean)
        remove_orphan_bodies();
    return {};
}

// Files of large messages whose record was never written.
void LogStore::remove_orphan_bodies()
{
    auto directory = util::sys::open(directory_ + "/bodies", O_RDONLY | O_DIRECTORY);
    if (!directory.ok())
        return;
    auto names = util::sys::list_directory(directory->get());
    if (!names.ok() || names->empty() || !load_all().ok() || damage_ > 0)
        return;  // in a damaged store nothing is removed that a repair may want
    std::unordered_set<std::string> known;
    auto note = [&](const Entry& entry) {
        if (const Content* content = state_.content(entry.content); content && content->in_file)
            known.insert(body_name(entry.guid));
    };
    for (const auto& [id, folder] : state_.folders)
        std::ranges::for_each(folder->entries, note);
    for (const auto& item : state_.kept)
        note(item.entry);
    for (const auto& name : *names)
        if (!known.contains(name))
            (void)util::sys::unlinkat(directory->get(), name);
}

}  // namespace store
