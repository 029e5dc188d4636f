// Opening a store: the lock, a new store, recovery from the log.
#include "libstore/journal.h"
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
}

LogStore::~LogStore()
{
    if (!committer_ || segments_.empty() || failure_)
        return;
    if (state_.reservation_open && make_room(record_header_size, true).ok())
        add(ClosedRecord{});
    (void)sync();
}

util::Result<void> LogStore::start()
{
    committer_ = TRY(Committer::start());
    auto names = TRY(util::sys::list_directory(lock_.get()));
    std::vector<std::uint32_t> ids;
    for (const auto& name : names)
        if (auto id = segment_id(name); id && *id > 0 && *id < UINT32_MAX)
            ids.push_back(std::uint32_t(*id));
    std::ranges::sort(ids);
    if (!std::ranges::binary_search(names, "bodies"))
        if (auto made = util::sys::mkdir(directory_ + "/bodies", 0700);
            !made.ok() && made.error().code != EEXIST)
            return made.take_error();
    if (ids.empty()) {
        if (!options_.create)
            return util::not_found(util::concat(directory_, ": no mail store here"));
        return create();
    }
    return recover(ids);
}

// --- a new store ----------------------------------------------------------------------------------

util::Result<void> LogStore::create()
{
    do
        tag_ = util::random_u64();
    while (tag_ == 0);
    state_.duplicates.set_seed(tag_);
    TRY(start_segment());
    return make_defaults();
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
    return sync();
}

// --- recovery -------------------------------------------------------------------------------------

namespace {

util::Result<std::string> read_segment(int fd)
{
    return util::sys::read_fd(fd, max_segment_size + max_record_size + segment_header_size);
}

}  // namespace

util::Result<void> LogStore::recover(const std::vector<std::uint32_t>& ids)
{
    // The order of the records is that of the segments' bases; the tag is what they agree on.
    std::map<std::uint64_t, std::size_t> tags;
    std::vector<std::pair<std::uint32_t, SegmentHeader>> headers;
    for (std::uint32_t id : ids) {
        auto fd = TRY(util::sys::open(util::concat(directory_, "/", segment_name(id)), O_RDONLY));
        std::string bytes(segment_header_size, '\0');
        std::size_t got = TRY(util::sys::pread(fd.get(), bytes, 0));
        next_segment_ = std::max(next_segment_, id + 1);
        auto header = decode_segment_header(std::string_view(bytes).substr(0, got));
        if (header && header->id == id) {
            ++tags[header->tag];
            headers.emplace_back(id, *header);
        } else {
            TRY(set_segment_aside(id));
        }
    }
    if (headers.empty()) {
        TRY(create());
        return {};
    }
    tag_ = std::ranges::max_element(tags, {}, [](const auto& tag) { return tag.second; })->first;
    state_.duplicates.set_seed(tag_);
    std::ranges::stable_sort(headers, {}, [](const auto& item) { return item.second.base; });
    for (const auto& [id, header] : headers) {
        if (header.tag != tag_)
            TRY(set_segment_aside(id));
        else
            segments_.push_back({.id = id, .kind = header.kind, .base = header.base, .size = 0});
    }

    // A torn tail can only be where nothing valid follows: in the last segment, or before segments
    // that were begun and never written to.
    std::size_t tail = segments_.size() - 1;
    while (tail > 0 && !TRY(has_records(segments_[tail])))
        --tail;
    for (std::size_t i = 0; i < segments_.size(); ++i)
        TRY(replay_segment(segments_[i], i >= tail));
    return after_replay();
}

util::Result<bool> LogStore::has_records(const Segment& segment)
{
    auto fd = TRY(util::sys::open(util::concat(directory_, "/", segment_name(segment.id)), O_RDONLY));
    std::string bytes = TRY(read_segment(fd.get()));
    return !scan_segment(bytes, tag_, true).frames.empty();
}

// A file that cannot be part of the store is kept, out of the way.
util::Result<void> LogStore::set_segment_aside(std::uint32_t id)
{
    std::string name = segment_name(id);
    std::string path = util::concat(directory_, "/", name);
    auto status = TRY(util::sys::stat(path));
    std::string aside = util::concat(directory_, "/aside-", name);
    if (status.st_size > off_t(segment_header_size)) {
        ++damage_;
        util::log::warning(path, ": not a segment of this store; kept as ", aside);
    }
    return util::sys::rename(path, aside);
}

util::Result<void> LogStore::replay_segment(Segment& segment, bool tail)
{
    std::string path = util::concat(directory_, "/", segment_name(segment.id));
    bool last = &segment == &segments_.back();
    auto fd = TRY(util::sys::open(path, tail ? O_RDWR : O_RDONLY));
    std::string bytes = TRY(read_segment(fd.get()));
    Scan scan = scan_segment(bytes, tag_, tail);
    if (tail)
        drop_open_group(scan);
    for (const auto& gap : scan.gaps) {
        ++damage_;
        util::log::warning(path, ": ", gap.length, " bad bytes at ", gap.offset, " skipped");
    }
    replay(scan, segment);
    segment.size = scan.end;
    if (tail && bytes.size() > scan.end) {
        if (scan.tail > 0)
            TRY(set_tail_aside(segment, std::string_view(bytes).substr(scan.end, scan.tail)));
        TRY(util::sys::ftruncate(fd.get(), scan.end));
        TRY(util::sys::fsync(fd.get()));
    } else if (!tail && scan.tail > 0) {
        ++damage_;
        util::log::warning(path, ": ", scan.tail, " bad bytes at the end skipped");
    }
    if (last) {
        active_ = std::move(fd);
        end_ = written_ = allocated_ = scan.end;
    }
    return {};
}

// A group that the end of the log cuts off never happened.
void LogStore::drop_open_group(Scan& scan)
{
    if (scan.frames.empty())
        return;
    const RecordHeader& last = scan.frames.back().header;
    if (last.group_index + 1 == last.group_size)
        return;
    std::size_t length = std::min<std::size_t>(last.group_index + 1U, scan.frames.size());
    std::size_t first = scan.frames.size();
    while (length-- > 0 && scan.frames[first - 1].header.group_size == last.group_size &&
           scan.frames[first - 1].header.group_index == length)
        --first;
    std::uint64_t end = scan.end;
    scan.end = scan.frames[first].offset;
    scan.tail += end - scan.end;
    scan.frames.resize(first);
}

util::Result<void> LogStore::set_tail_aside(const Segment& segment, std::string_view bytes)
{
    std::string aside = util::concat(directory_, "/aside-", segment_name(segment.id), "-", segment.size,
                                     "-", wall_seconds());
    util::log::warning(directory_, ": ", bytes.size(), " bytes that were not written completely, cut off ",
                       segment_name(segment.id), " and kept in ", aside);
    // On a full disk the store opens all the same.
    auto kept = util::sys::replace_file(aside, bytes, 0600);
    if (!kept.ok())
        util::log::warning(aside, ": ", kept.error().text);
    return {};
}

void LogStore::replay(const Scan& scan, const Segment& segment)
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
        bool counts = whole || segment.kind == SegmentKind::Compacted ||
                      scan.frames[i + count - 1].header.lsn <= scan.durable;
        for (std::size_t j = i; j < i + count; ++j) {
            state_.last = std::max(state_.last, scan.frames[j].header.lsn);
            if (!counts || !replay_frame(scan.frames[j], segment)) {
                ++damage_;
                util::log::warning(directory_, ": record ", scan.frames[j].header.lsn, " in ",
                                   segment_name(segment.id), counts ? " is not understood" :
                                   " belongs to a change of which a part is missing", ", skipped");
            }
        }
        i += count;
    }
}

namespace {

template <typename Record>
bool replay_as(State& state, const Frame& frame)
{
    auto record = Record::decode(frame.meta());
    if (!record)
        return false;
    state.apply(frame.header.lsn, *record);
    return true;
}

}  // namespace

bool LogStore::replay_frame(const Frame& frame, const Segment& segment)
{
    switch (frame.header.type) {
    case Type::Arrival: {
        auto record = MessageRecord::decode(frame.meta());
        if (!record)
            return false;
        std::size_t head = record_header_size + frame.header.meta_length + record->rendered_size();
        if (frame.header.length != head + (record->in_file ? 0 : record->entry.size))
            return false;
        state_.apply(frame.header.lsn, *record,
                     {.lsn = frame.header.lsn, .segment = segment.id,
                      .offset = std::uint32_t(frame.offset), .head = std::uint32_t(head),
                      .in_file = record->in_file});
        return true;
    }
    case Type::FlagSetting:
        return replay_as<FlagsRecord>(state_, frame);
    case Type::Copying:
        return replay_as<CopyRecord>(state_, frame);
    case Type::Expunging:
        return replay_as<ExpungeRecord>(state_, frame);
    case Type::MailboxState:
        return replay_as<MailboxRecord>(state_, frame);
    case Type::MailboxRemoval:
        return replay_as<MailboxRemovedRecord>(state_, frame);
    case Type::Subscribing:
        return replay_as<SubscriptionRecord>(state_, frame);
    case Type::NewKeyword:
        return replay_as<KeywordRecord>(state_, frame);
    case Type::RecentClaim:
        return replay_as<RecentRecord>(state_, frame);
    case Type::Reservation:
        return replay_as<ReserveRecord>(state_, frame);
    case Type::Closing:
        return replay_as<ClosedRecord>(state_, frame);
    case Type::Census:
        return replay_as<CensusRecord>(state_, frame);
    case Type::Purge:
        return replay_as<PurgeRecord>(state_, frame);
    }
    return false;
}

// The state stands; now what the recovery itself must write down.
util::Result<void> LogStore::after_replay()
{
    durable_ = state_.last;
    durable_ceiling_ = state_.ceiling;
    for (auto& [id, folder] : state_.folders) {
        folder->changes.clear();
        folder->changes_from = std::max(folder->highest_modseq, state_.last);
    }
    for (const auto& name : state_.name_orphans()) {
        ++damage_;
        util::log::warning(directory_, ": the record of a mailbox is lost; its mail is in ", name);
        MailboxRecord record = record_of(*state_.folder(name));
        TRY(make_room(2 * max_mailbox_name_length, true));
        add(record);
    }
    if (state_.reservation_open) {
        // Lsns up to the ceiling, and uids in their number, may have been shown and lost.
        Lsn shown = std::max(state_.last, state_.ceiling);
        ReserveRecord reserve;
        reserve.ceiling = shown + 1 + lsn_block;
        reserve.recovered = true;
        reserve.uid_bump = std::uint32_t(std::min<Lsn>(shown - durable_, 1U << 20));
        TRY(make_room(2 * record_header_size, true));
        add(reserve, shown + 1 - state_.last);
    }
    if (!state_.names.contains("INBOX"))
        TRY(make_defaults());
    if (state_.last > durable_)
        TRY(sync());
    return {};
}

util::Result<Folder*> LogStore::loaded(MailboxId id)
{
    Folder* folder = state_.folder(id);
    if (!folder)
        return util::not_found("no such mailbox");
    return folder;
}

util::Result<void> LogStore::load_contents()
{
    return {};
}

}  // namespace store
