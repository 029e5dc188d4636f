// Annotations, and the \\Seen flags of other readers: what the records do to the state, and what makes them.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>

namespace store {

namespace {

// The ranges with those of `more` as well.
UidRanges joined(const UidRanges& ranges, const UidRanges& more)
{
    UidRanges all;
    all.reserve(ranges.size() + more.size());
    std::ranges::merge(ranges, more, std::back_inserter(all), {}, &UidRange::first, &UidRange::first);
    std::size_t out = 0;
    for (const UidRange& range : all) {
        if (out > 0 && (all[out - 1].last == UINT32_MAX || range.first <= all[out - 1].last + 1))
            all[out - 1].last = std::max(all[out - 1].last, range.last);
        else
            all[out++] = range;
    }
    all.resize(out);
    return all;
}

// The ranges without what is in `less`.
UidRanges reduced(const UidRanges& ranges, const UidRanges& less)
{
    UidRanges rest;
    std::size_t at = 0;
    for (UidRange range : ranges) {
        while (at < less.size() && less[at].last < range.first)
            ++at;
        bool any = true;
        for (std::size_t i = at; any && i < less.size() && less[i].first <= range.last; ++i) {
            if (less[i].first > range.first)
                rest.push_back({range.first, less[i].first - 1});
            any = less[i].last < range.last;
            if (any)
                range.first = less[i].last + 1;
        }
        if (any)
            rest.push_back(range);
    }
    return rest;
}

UidRanges seen_after(const UidRanges& ranges, const SeenRecord& record)
{
    return reduced(joined(ranges, record.seen), record.unseen);
}

}  // namespace

bool contains(const UidRanges& ranges, std::uint32_t uid)
{
    auto after = std::ranges::upper_bound(ranges, uid, {}, &UidRange::first);
    return after != ranges.begin() && std::prev(after)->last >= uid;
}

bool MailboxFacts::seen_by(std::string_view reader, std::uint32_t uid) const
{
    auto found = readers.find(reader);
    return found != readers.end() && contains(found->second, uid);
}

// --- state ------------------------------------------------------------------------------------------

Annotations* State::annotations_of(MailboxId holder)
{
    if (holder == 0)
        return &annotations;
    Folder* folder = this->folder(holder);
    return folder ? &folder->annotations : nullptr;
}

bool State::says_annotation(Lsn lsn, const AnnotationRecord& record)
{
    const Annotations* all = annotations_of(record.holder);
    auto found = all ? all->find(record.name) : Annotations::const_iterator();
    return all && found != all->end() && found->second.lsn == lsn;
}

std::uint64_t State::annotation_bytes() const
{
    std::uint64_t sum = 0;
    auto add = [&sum](const Annotations& some) {
        for (const auto& [name, annotation] : some)
            sum += name.size() + annotation.value.size();
    };
    add(annotations);
    for (const auto& [id, folder] : folders)
        add(folder->annotations);
    return sum;
}

void State::discard(const Annotations& gone)
{
    for (const auto& [name, annotation] : gone)
        garbage_bytes += annotation.size;
}

void State::apply(Lsn lsn, const AnnotationRecord& record, const Content& location)
{
    Content content = location;
    content.lsn = lsn;
    if (!add_content(content))
        return;
    Annotations& all = record.holder == 0 ? annotations : folder_or_new(record.holder).annotations;
    auto found = all.find(record.name);
    if (found != all.end())
        garbage_bytes += found->second.size;
    if (record.present) {
        all.insert_or_assign(record.name, Annotation{.lsn = lsn, .size = location.head, .value = record.value});
        mark(lsn);
    } else {
        if (found != all.end())
            all.erase(found);
        garbage_bytes += location.head;
    }
    annotation_changes.push_back({.lsn = lsn, .mailbox = record.holder, .name = record.name});
    if (annotation_changes.size() > max_annotation_changes)
        annotation_changes.pop_front();
}

void State::apply(Lsn, const AnnotationCensusRecord& record)
{
    Annotations* all = annotations_of(record.holder);
    if (!all)
        return;
    std::erase_if(*all, [&](const auto& item) {
        if (std::ranges::binary_search(record.names, item.first))
            return false;
        garbage_bytes += item.second.size;
        return true;
    });
}

void State::apply(Lsn lsn, const SeenRecord& record)
{
    Folder& folder = folder_or_new(record.mailbox);
    CHECK(folder.loaded);
    auto known = folder.readers.find(record.reader);
    set_seen(folder, record.reader, seen_after(known == folder.readers.end() ? UidRanges() : known->second, record));
    for (const UidRanges* some : {&record.seen, &record.unseen})
        for (const auto& range : *some)
            for (std::size_t i = folder.lower_bound(range.first);
                 i < folder.entries.size() && folder.entries[i].uid <= range.last; ++i) {
                folder.entries[i].modseq = lsn;
                touch(folder, lsn, folder.entries[i].uid, Change::Kind::FlagsChanged);
            }
}

// --- what other readers have seen -------------------------------------------------------------------

std::uint64_t ReaderBytes::needed(std::string_view reader, std::size_t ranges)
{
    return ranges == 0 ? 0 : reader_bytes_fixed + reader.size() + ranges * reader_range_bytes;
}

void ReaderBytes::replace(std::string_view reader, std::size_t ranges_before, std::size_t ranges_now)
{
    std::uint64_t before = needed(reader, ranges_before);
    std::uint64_t now = needed(reader, ranges_now);
    if (before == now)
        return;
    auto own = by_reader_.find(reader);
    if (own == by_reader_.end())
        own = by_reader_.emplace(reader, 0).first;
    all_ = all_ - before + now;
    own->second = own->second - before + now;
    if (own->second == 0)
        by_reader_.erase(own);
}

std::uint64_t ReaderBytes::of(std::string_view reader) const
{
    auto own = by_reader_.find(reader);
    return own == by_reader_.end() ? 0 : own->second;
}

bool ReaderBytes::exceeds(std::string_view reader, std::uint64_t more, std::uint64_t most) const
{
    return all_ + more > most || of(reader) + more > most / reader_share;
}

void State::set_seen(Folder& folder, std::string_view reader, UidRanges ranges)
{
    auto known = folder.readers.find(reader);
    std::size_t before = known == folder.readers.end() ? 0 : known->second.size();
    reader_bytes.replace(reader, before, ranges.size());
    if (known != folder.readers.end() && ranges.empty())
        folder.readers.erase(known);
    else if (known != folder.readers.end())
        known->second = std::move(ranges);
    else if (!ranges.empty())
        folder.readers.emplace(reader, std::move(ranges));
}

// A uid that is gone never comes back: so ranges may be one where only such lie between them.
void State::tidy_seen(Folder& folder, std::string_view reader)
{
    CHECK(folder.loaded);
    auto known = folder.readers.find(reader);
    if (known == folder.readers.end())
        return;
    UidRanges tidy;
    std::size_t next = 0;   // the first entry behind what was looked at
    for (const UidRange& range : known->second) {
        std::size_t first = folder.lower_bound(range.first);
        if (first == folder.entries.size())
            break;
        if (folder.entries[first].uid > range.last)
            continue;
        if (!tidy.empty() && first == next)
            tidy.back().last = range.last;
        else
            tidy.push_back(range);
        next = range.last == UINT32_MAX ? folder.entries.size() : folder.lower_bound(range.last + 1);
    }
    set_seen(folder, reader, std::move(tidy));
}

void State::discard_readers(Folder& folder)
{
    for (const auto& [reader, ranges] : folder.readers)
        reader_bytes.replace(reader, ranges.size(), 0);
    folder.readers.clear();
}

// A replay of the log may have brought back what was tidied when there was no room for it.
void LogStore::tidy_readers()
{
    for (auto& [id, folder] : state_.folders) {
        std::vector<std::string> large;
        for (const auto& [reader, ranges] : folder->readers)
            if (folder->loaded && state_.reader_bytes.exceeds(reader, 0, options_.reader_bytes))
                large.push_back(reader);
        for (const auto& reader : large)
            state_.tidy_seen(*folder, reader);
    }
}

const Annotations& LogStore::annotations(MailboxId mailbox) const
{
    static const Annotations none;
    const Folder* folder = state_.folder(mailbox);
    return folder ? folder->annotations : none;
}

// --- changes ----------------------------------------------------------------------------------------

namespace {

util::Result<void> check_annotation(const NewAnnotation& annotation)
{
    if (annotation.name.empty() || annotation.name.size() > max_annotation_name)
        return util::invalid("the annotation's name is empty or too long");
    if (annotation.value && annotation.value->size() > max_annotation_value)
        return util::Error{util::Kind::Permanent, "the annotation's value is too large", EFBIG};
    return {};
}

}  // namespace

util::Result<Lsn> LogStore::annotate(MailboxId holder, std::span<const NewAnnotation> wanted)
{
    if (failure_)
        return *failure_;
    const Annotations* there = state_.annotations_of(holder);
    if (!there)
        return util::not_found("no such mailbox");
    std::vector<AnnotationRecord> records;
    std::size_t count = there->size();
    std::uint64_t bytes = 0;
    std::uint64_t replaced = 0;
    for (const NewAnnotation& annotation : wanted) {
        TRY(check_annotation(annotation));
        auto found = there->find(annotation.name);
        bool known = found != there->end();
        if (known ? annotation.value == found->second.value : !annotation.value)
            continue;   // as it is
        count += !known;
        records.push_back({.holder = holder, .name = annotation.name, .present = annotation.value.has_value(),
                           .value = annotation.value.value_or(std::string())});
        bytes += records.back().name.size() + records.back().value.size();
        replaced += known ? found->first.size() + found->second.value.size() : 0;
    }
    if (records.empty())
        return durable_;
    bool grows = std::ranges::any_of(records, &AnnotationRecord::present);
    // What users fill with their own never keeps the programs from theirs: who may do what stands there.
    bool for_users = std::ranges::any_of(records, [](const AnnotationRecord& record) { return record.name.starts_with('/'); });
    std::uint64_t room = for_users ? max_annotation_bytes : 2 * max_annotation_bytes;
    if (grows && (count > max_annotations || records.size() > max_annotations ||
                  state_.annotation_bytes() + bytes - std::min(bytes, replaced) > room))
        return util::Error{util::Kind::Permanent, "too many annotations", E2BIG};
    TRY(prepare(bytes + records.size() * (record_header_size + 64), records.size(), grows ? Room::Growth : Room::Essential));
    auto first = state_.last + 1;
    std::uint16_t index = 0;
    for (const auto& record : records) {
        std::uint64_t start = end_;
        std::uint32_t segment = segments_.back().id;
        Lsn lsn = write(record, 1, index++, std::uint16_t(records.size()));
        auto size = std::uint32_t(record_header_size + meta_length_);
        state_.apply(lsn, record, {.lsn = lsn, .segment = segment, .offset = std::uint32_t(start), .head = size,
                                   .in_file = 0});
    }
    strict(first);
    changed(holder);
    return state_.last;
}

util::Result<FlagsChanged> Store::mark_seen(MailboxId mailbox, std::string_view reader, std::span<const std::uint32_t> uids,
                                            bool seen)
{
    if (reader.empty())
        return util::invalid("the reader has no name");
    return change_flags(mailbox, uids,
                        {.operation = seen ? FlagOperation::Add : FlagOperation::Remove, .flags = Seen, .keywords = {},
                         .unchanged_since = {}, .changeable = Seen, .changes_keywords = false,
                         .reader = std::string(reader)});
}

SeenRecord LogStore::seen_change(const Folder& folder, std::span<const std::uint32_t> uids, const FlagChange& change)
{
    SeenRecord record{.mailbox = folder.id, .reader = change.reader, .seen = {}, .unseen = {}};
    bool named = change.flags & Seen;
    bool seen = named && change.operation != FlagOperation::Remove;
    if (change.reader.empty() || !(change.changeable & Seen) || !(named || change.operation == FlagOperation::Replace))
        return record;
    std::vector<std::uint32_t> changing;
    for (std::uint32_t uid : uids) {
        const Entry* entry = folder.find(uid);
        if (entry && !(change.unchanged_since && entry->modseq > *change.unchanged_since) &&
            folder.seen_by(change.reader, uid) != seen)
            changing.push_back(uid);
    }
    (seen ? record.seen : record.unseen) = ranges_of(changing);
    return record;
}

// The ranges may be as many as there are already, whatever the limits are.
util::Result<void> LogStore::check_room(Folder& folder, const SeenRecord& record)
{
    const std::string& reader = record.reader;
    if (!folder.readers.contains(reader) && folder.readers.size() >= max_readers)
        return util::Error{util::Kind::Permanent, "too many readers of this mailbox", E2BIG};
    auto has_room = [&](bool roughly) {
        static const UidRanges none;
        auto known = folder.readers.find(reader);
        const UidRanges& before = known == folder.readers.end() ? none : known->second;
        // Each range of the change makes at most one more.
        std::size_t now =
            roughly ? before.size() + record.seen.size() + record.unseen.size() : seen_after(before, record).size();
        return now <= before.size() ||
               !state_.reader_bytes.exceeds(reader,
                                            ReaderBytes::needed(reader, now) - ReaderBytes::needed(reader, before.size()),
                                            options_.reader_bytes);
    };
    if (has_room(true) || has_room(false))
        return {};
    for (auto& [id, other] : state_.folders)
        if (other->loaded)
            state_.tidy_seen(*other, reader);
    if (has_room(false))
        return {};
    return util::Error{util::Kind::Permanent, "what other users have seen takes too much room", E2BIG};
}

util::Result<FlagsChanged> LogStore::forget_reader(MailboxId mailbox, std::string_view reader)
{
    Folder* folder = TRY(target(mailbox));
    auto known = folder->readers.find(reader);
    FlagsChanged result;
    if (known == folder->readers.end())
        return result;
    SeenRecord record{.mailbox = mailbox, .reader = std::string(reader), .seen = {}, .unseen = known->second};
    TRY(prepare(record.unseen.size() * sizeof(UidRange) + max_reader_name + 64, 1, Room::Essential));
    result.lsn = add(record);
    lazy();
    this->changed(mailbox);
    return result;
}

// --- compaction -------------------------------------------------------------------------------------

util::Result<void> LogStore::take_annotation_census(MailboxId holder)
{
    const Annotations* all = state_.annotations_of(holder);
    if (!all)
        return {};
    AnnotationCensusRecord record{.holder = holder, .names = {}};
    std::uint64_t bytes = 64;
    for (const auto& [name, annotation] : *all) {
        record.names.push_back(name);
        bytes += name.size() + 4;
    }
    TRY(make_room(bytes, Room::Essential));
    write(record);
    return {};
}

util::Result<void> LogStore::take_annotation_censuses(Steps& steps)
{
    auto& censuses = compaction_->compactor.annotation_censuses;
    while (!censuses.empty() && steps.left > 0) {
        TRY(take_annotation_census(*censuses.begin()));
        steps.spend(1);
        censuses.erase(censuses.begin());
    }
    return {};
}

}  // namespace store
