// Compaction: sealed segments in which much is dead are written anew without it.
//
// Records are absolute, so each can be judged alone: it stays if it still says something that no
// later record says.  What must be known of the records that go (uid_next, which uids exist,
// subscriptions) is written into the log first, as a census.  The new segment takes the place of
// the old ones in the manifest in one step; before that step it does not count, after it the old
// ones do not.
#include "libstore/journal.h"
#include "libutil/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace store {

namespace {

struct KeptKey {
    MailboxId mailbox;
    std::uint32_t uid;
    auto operator<=>(const KeptKey&) const = default;
};

// The uids as ranges; they ascend.
UidRanges ranges_of(const std::vector<Entry>& entries)
{
    UidRanges ranges;
    for (const auto& entry : entries) {
        if (!ranges.empty() && ranges.back().last + 1 == entry.uid)
            ranges.back().last = entry.uid;
        else
            ranges.push_back({entry.uid, entry.uid});
    }
    return ranges;
}

}  // namespace

// Decides record by record, and gathers what censuses are needed.
class Compactor {
public:
    explicit Compactor(const State& state) : state_(state)
    {
        auto note = [this](const Entry& entry) { live_.push_back(entry.content); };
        for (const auto& [id, folder] : state.folders)
            std::ranges::for_each(folder->entries, note);
        for (const auto& item : state.kept) {
            note(item.entry);
            kept_.emplace(KeptKey{item.mailbox, item.entry.uid}, &item);
        }
        std::ranges::sort(live_);
        live_.erase(std::unique(live_.begin(), live_.end()), live_.end());  // clang 14 rejects ranges::unique
    }

    bool is_live(Lsn content) const { return std::ranges::binary_search(live_, content); }

    // Appends what stays of the record to `out`, at the segment offset out.size().
    void take(const Frame& frame, std::uint64_t tag, std::string& out);

    std::set<MailboxId> censuses;       // mailboxes of which something was dropped
    bool store_census = false;
    std::vector<Content> moved;         // where messages are now (segment to be filled in)
    std::vector<Lsn> dropped;           // messages that are gone
    std::vector<std::string> bodies;    // files that go with them

private:
    void message(const Frame& frame, std::string& out);
    std::optional<FlagsRecord> remaining(const FlagsRecord& record) const;
    std::optional<CopyRecord> remaining(const CopyRecord& record);
    std::optional<ExpungeRecord> remaining(const ExpungeRecord& record);
    void census(MailboxId mailbox)
    {
        if (state_.folder(mailbox))
            censuses.insert(mailbox);
        else
            store_census = true;
    }
    // The entry of this message, alive or restorable.
    const Entry* entry(MailboxId mailbox, std::uint32_t uid) const
    {
        if (const Folder* folder = state_.folder(mailbox))
            if (const Entry* found = folder->find(uid))
                return found;
        auto kept = kept_.find({mailbox, uid});
        return kept == kept_.end() ? nullptr : &kept->second->entry;
    }
    template <typename Record>
    void rewrite(const Frame& frame, std::uint64_t tag, std::string& out);
    static void verbatim(const Frame& frame, std::string& out)
    {
        out.append(frame.bytes);
        out.append(padded(frame.bytes.size()) - frame.bytes.size(), '\0');
    }

    const State& state_;
    std::vector<Lsn> live_;
    std::map<KeptKey, const Kept*> kept_;
};

void Compactor::message(const Frame& frame, std::string& out)
{
    auto record = MessageRecord::decode(frame.meta());
    if (!record)
        return verbatim(frame, out);
    if (!entry(record->mailbox, record->entry.uid))
        census(record->mailbox);
    if (!is_live(frame.header.lsn)) {
        dropped.push_back(frame.header.lsn);
        if (record->in_file)
            bodies.push_back(body_name(record->entry.guid));
        return;
    }
    moved.push_back({.lsn = frame.header.lsn,
                     .segment = 0,
                     .offset = std::uint32_t(out.size()),
                     .head = std::uint32_t(record_header_size + frame.header.meta_length +
                                           record->rendered_size()),
                     .in_file = record->in_file});
    verbatim(frame, out);
}

// The uids for which these are still the flags.
std::optional<FlagsRecord> Compactor::remaining(const FlagsRecord& record) const
{
    FlagsRecord rest{.mailbox = record.mailbox, .groups = {}};
    const Folder* folder = state_.folder(record.mailbox);
    for (const auto& group : record.groups) {
        std::vector<std::uint32_t> uids;
        auto consider = [&](const Entry& entry) {
            if (entry.flags == group.flags && entry.keywords == group.keywords)
                uids.push_back(entry.uid);
        };
        for (const auto& range : group.uids) {
            if (folder)
                for (std::size_t i = folder->lower_bound(range.first);
                     i < folder->entries.size() && folder->entries[i].uid <= range.last; ++i)
                    consider(folder->entries[i]);
            for (auto it = kept_.lower_bound({record.mailbox, range.first});
                 it != kept_.end() && it->first.mailbox == record.mailbox && it->first.uid <= range.last; ++it)
                consider(it->second->entry);
        }
        std::ranges::sort(uids);
        FlagsRecord::Group left{group.flags, group.keywords, {}};
        for (std::uint32_t uid : uids) {
            if (!left.uids.empty() && left.uids.back().last + 1 == uid)
                left.uids.back().last = uid;
            else
                left.uids.push_back({uid, uid});
        }
        if (!left.uids.empty())
            rest.groups.push_back(std::move(left));
    }
    if (rest.groups.empty())
        return std::nullopt;
    return rest;
}

std::optional<CopyRecord> Compactor::remaining(const CopyRecord& record)
{
    CopyRecord rest = record;
    std::erase_if(rest.items, [&](const CopyRecord::Item& item) { return !entry(record.to, item.entry.uid); });
    if (rest.items.size() < record.items.size())
        census(record.to);
    // That the sources are gone is a thing that this record alone may say.
    if (record.kind != CopyRecord::Kind::Copy)
        census(record.from);
    if (rest.items.empty())
        return std::nullopt;
    return rest;
}

std::optional<ExpungeRecord> Compactor::remaining(const ExpungeRecord& record)
{
    ExpungeRecord rest{.mailbox = record.mailbox, .seconds = record.seconds, .uids = {}};
    for (const auto& range : record.uids)
        for (auto it = kept_.lower_bound({record.mailbox, range.first});
             it != kept_.end() && it->first.mailbox == record.mailbox && it->first.uid <= range.last; ++it)
            rest.uids.push_back({it->first.uid, it->first.uid});
    census(record.mailbox);
    if (rest.uids.empty())
        return std::nullopt;
    return rest;
}

template <typename Record>
void Compactor::rewrite(const Frame& frame, std::uint64_t tag, std::string& out)
{
    auto record = Record::decode(frame.meta());
    if (!record)
        return verbatim(frame, out);
    auto rest = remaining(*record);
    if (!rest)
        return;
    std::string meta;
    rest->encode(meta);
    RecordHeader header = frame.header;
    header.meta_length = std::uint32_t(meta.size());
    header.length = std::uint32_t(record_header_size + meta.size());
    header.meta_checksum = util::crc32c(meta);
    header.group_index = 0;
    header.group_size = 1;
    encode_header(header, tag, out);
    out.append(meta);
    out.append(padded(header.length) - header.length, '\0');
}

void Compactor::take(const Frame& frame, std::uint64_t tag, std::string& out)
{
    switch (frame.header.type) {
    case Type::Arrival:
        return message(frame, out);
    case Type::FlagSetting:
        return rewrite<FlagsRecord>(frame, tag, out);
    case Type::Copying:
        return rewrite<CopyRecord>(frame, tag, out);
    case Type::Expunging:
        return rewrite<ExpungeRecord>(frame, tag, out);
    case Type::MailboxState:
        if (auto record = MailboxRecord::decode(frame.meta()))
            census(record->id);
        return;
    case Type::NewKeyword:
        if (auto record = KeywordRecord::decode(frame.meta()))
            census(record->mailbox);
        return;
    case Type::RecentClaim:
        if (auto record = RecentRecord::decode(frame.meta()))
            census(record->mailbox);
        return;
    case Type::MailboxRemoval: {
        auto record = MailboxRemovedRecord::decode(frame.meta());
        if (record && std::ranges::any_of(state_.kept, [&](const Kept& item) { return item.mailbox == record->id; }))
            return verbatim(frame, out);
        store_census = true;
        return;
    }
    case Type::Reservation: {
        auto record = ReserveRecord::decode(frame.meta());
        if (record && record->recovered)
            verbatim(frame, out);
        return;
    }
    case Type::Closing:
        return;
    case Type::Subscribing:
    case Type::Census:
    case Type::Purge:
        store_census = true;
        return;
    }
    verbatim(frame, out);  // of a later release
}

// --- which segments -------------------------------------------------------------------------------

bool LogStore::garbage_is_much() const
{
    if (compact_now_)
        return true;
    std::uint64_t live = 0;
    for (const auto& [id, folder] : state_.folders)
        live += folder->bytes;
    auto space = util::sys::free_space(lock_.get());
    if (space.ok() && space->bytes < low_space)
        return state_.garbage_bytes > 0;
    return state_.garbage_bytes > std::max<std::uint64_t>(options_.segment_size / 4, live / 4);
}

// The run of neighbouring segments whose compaction gives most back; empty if none does.
util::Result<std::vector<std::size_t>> LogStore::choose_victims(const Compactor& compactor)
{
    // A dead message reaches about to the next one: good enough to choose by.
    std::unordered_map<std::uint32_t, std::uint64_t> dead;
    std::unordered_map<std::uint32_t, std::uint64_t> sizes;
    for (auto& segment : segments_) {
        auto status = TRY(util::sys::stat(segment_path(segment.id)));
        sizes[segment.id] = segment.size = std::uint64_t(status.st_size);
    }
    const std::vector<Content>& contents = state_.contents;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        if (compactor.is_live(contents[i].lsn))
            continue;
        bool next = i + 1 < contents.size() && contents[i + 1].segment == contents[i].segment;
        std::uint64_t end = next ? contents[i + 1].offset : sizes[contents[i].segment];
        dead[contents[i].segment] += end - std::min<std::uint64_t>(end, contents[i].offset);
    }
    auto share = [&](std::size_t i) {
        if (segments_[i].size <= segment_header_size)
            return 1.0;
        return double(dead[segments_[i].id]) / double(segments_[i].size);
    };
    std::size_t best = segments_.size();
    for (std::size_t i = 0; i + 1 < segments_.size(); ++i)
        if (share(i) > (compact_now_ ? 0.0 : 0.2) && (best == segments_.size() || share(i) > share(best)))
            best = i;
    if (best == segments_.size())
        return std::vector<std::size_t>();
    std::vector<std::size_t> victims = {best};
    std::uint64_t total = segments_[best].size - dead[segments_[best].id];
    for (std::size_t i = best + 1; i + 1 < segments_.size() && victims.size() < max_replaced; ++i) {
        total += segments_[i].size - dead[segments_[i].id];
        if (total > options_.segment_size || (share(i) <= 0.2 && segments_[i].size > options_.segment_size / 4))
            break;
        victims.push_back(i);
    }
    return victims;
}

util::Result<void> LogStore::compact_some()
{
    TRY(load_all());
    TRY(sync());  // what is sealed is then on disk
    Compactor compactor(state_);
    auto victims = TRY(choose_victims(compactor));
    if (victims.empty()) {
        state_.garbage_bytes = 0;
        compact_now_ = false;
        return {};
    }
    SegmentHeader header{.kind = SegmentKind::Compacted,
                         .id = next_segment_++,
                         .tag = tag_,
                         .base = segments_[victims.front()].base,
                         .created = wall_seconds(),
                         .replaces = {}};
    for (std::size_t i : victims)
        header.replaces.push_back(segments_[i].id);
    std::string out = encode_segment_header(header);
    for (std::size_t i : victims) {
        int fd = TRY(segment_fd(segments_[i].id));
        std::string bytes = TRY(read_segment(fd, 0));
        Scan scan = scan_segment(bytes, tag_, false);
        // Nothing is thrown away together with what cannot be read.
        if (!scan.gaps.empty() || scan.tail > 0) {
            state_.garbage_bytes = 0;
            compact_now_ = false;
            return util::permanent(util::concat(segment_name(segments_[i].id), " is damaged and stays as it is"));
        }
        for (const auto& frame : scan.frames)
            compactor.take(frame, tag_, out);
    }
    TRY(write_censuses(compactor));
    start_compaction(header, victims, compactor, std::move(out));
    return {};
}

util::Result<void> LogStore::write_censuses(const Compactor& compactor)
{
    for (MailboxId id : compactor.censuses) {
        Folder& folder = *state_.folder(id);
        MailboxRecord record = record_of(folder);
        record.census = true;
        record.live = ranges_of(folder.entries);
        TRY(make_room(record.live.size() * 8 + max_mailbox_name_length +
                          max_keywords * (max_keyword_length + 4) + 256, true));
        folder.highest_modseq = write(record);  // as a replay will have it
    }
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
    TRY(make_room(bytes + record.mailboxes.size() * 8, true));
    if (compactor.store_census)
        write(record);
    // The reservation may have stood in what goes.
    ReserveRecord reserve;
    reserve.ceiling = state_.last + 1 + lsn_block;
    add(reserve);
    strict();
    submit();
    return {};
}

void LogStore::start_compaction(const SegmentHeader& header, const std::vector<std::size_t>& victims,
                                Compactor& compactor, std::string bytes)
{
    std::vector<std::uint32_t> ids;
    for (std::size_t i : victims)
        ids.push_back(segments_[i].id);
    // A segment with nothing in it is left out altogether.
    bool empty = bytes.size() == segment_header_size;
    Segment fresh{.id = std::uint32_t(header.id), .kind = SegmentKind::Compacted, .base = header.base,
                  .size = bytes.size()};
    std::vector<Segment> after = segments_;
    auto place = after.erase(after.begin() + std::ptrdiff_t(victims.front()),
                             after.begin() + std::ptrdiff_t(victims.back() + 1));
    if (!empty)
        after.insert(place, fresh);
    for (auto& content : compactor.moved)
        content.segment = fresh.id;

    ++generation_;
    Manifest next = manifest();
    next.segments.clear();
    for (const auto& segment : after)
        next.segments.push_back({segment.id, segment.kind, segment.base});
    auto job = std::make_unique<Job>();
    job->task = [directory = directory_, next, id = header.id, empty, bytes = std::move(bytes)]() -> util::Result<void> {
        if (!empty) {
            std::string path = util::concat(directory, "/compact-", segment_name(id));
            auto written = write_new_file(path, bytes);
            if (written.ok())
                written = util::sys::rename(path, util::concat(directory, "/", segment_name(id)));
            if (!written.ok()) {
                (void)util::sys::unlink(path);
                return written;
            }
            TRY(util::sys::sync_directory(directory));
        }
        return write_manifest(directory, next);
    };
    job->done = [this, ids, fresh, empty, moved = std::move(compactor.moved), dropped = std::move(compactor.dropped),
                 bodies = std::move(compactor.bodies)](util::Result<void> result) {
        maintenance_ = false;
        if (!result.ok()) {
            util::log::warning(directory_, ": compaction: ", result.error().text);
            return;
        }
        finish_compaction(ids, fresh, empty, moved, dropped, bodies);
    };
    maintenance_ = true;
    committer_->submit(std::move(job));
}

void LogStore::finish_compaction(const std::vector<std::uint32_t>& ids, const Segment& fresh, bool empty,
                                 const std::vector<Content>& moved, const std::vector<Lsn>& dropped,
                                 const std::vector<std::string>& bodies)
{
    auto first = std::ranges::find(segments_, ids.front(), &Segment::id);
    CHECK(first != segments_.end());
    auto place = segments_.erase(first, first + std::ptrdiff_t(ids.size()));
    if (!empty)
        segments_.insert(place, fresh);
    for (const auto& content : moved)
        if (Content* known = state_.content(content.lsn))
            *known = content;
    std::erase_if(state_.contents, [&](const Content& content) {
        return std::ranges::binary_search(dropped, content.lsn);
    });
    std::erase_if(open_segments_, [&](const OpenSegment& open) {
        return std::ranges::find(ids, open.id) != ids.end();
    });
    window_.clear();
    // The snapshot tells of places that are no more, and the manifest names none.
    std::uint64_t old_snapshot = std::exchange(snapshot_number_, 0);
    snapshot_.reset();
    auto job = std::make_unique<Job>();
    job->task = [directory = directory_, ids, bodies, old_snapshot]() -> util::Result<void> {
        for (std::uint32_t id : ids)
            (void)util::sys::unlink(util::concat(directory, "/", segment_name(id)));
        for (const auto& body : bodies)
            (void)util::sys::unlink(util::concat(directory, "/bodies/", body));
        if (old_snapshot)
            (void)util::sys::unlink(util::concat(directory, "/", snapshot_name(old_snapshot)));
        return {};
    };
    committer_->submit(std::move(job));
    compacted_ = true;
}

// One piece after the other as long as it pays, then one snapshot for all.
void LogStore::continue_compaction()
{
    if (!closing_ && garbage_is_much())
        if (auto more = compact_some(); !more.ok())
            util::log::warning(directory_, ": compaction: ", more.error().text);
    if (maintenance_)
        return;
    if (auto started = start_snapshot(); !started.ok())
        util::log::warning(directory_, ": snapshot: ", started.error().text);
}

}  // namespace store
