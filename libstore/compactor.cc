// Which records stay, and what stays of them (see compactor.h).
#include "libstore/compactor.h"

#include "libutil/crc32c.h"

#include <algorithm>

namespace store {

namespace {

void verbatim(const Frame& frame, std::string& out)
{
    out.append(frame.bytes);
    out.append(padded(frame.bytes.size()) - frame.bytes.size(), '\0');
}

}  // namespace

void Compactor::reset()
{
    censuses.clear();
    annotation_censuses.clear();
    store_census = false;
    moved.clear();
    dropped.clear();
    bodies.clear();
}

bool Compactor::catch_up(Steps& steps)
{
    if (std::exchange(kept_removals_, state_.kept_removals) != state_.kept_removals)
        kept_seen_ = 0;
    for (; kept_seen_ < state_.kept.size() && steps.left > 0; ++kept_seen_) {
        const Kept& item = state_.kept[kept_seen_];
        kept_.emplace(Key{item.mailbox, item.entry.uid}, item.entry);
        state_.mark(item.entry.content);
        steps.spend(1);
    }
    return kept_seen_ == state_.kept.size();
}

void Compactor::census(MailboxId mailbox)
{
    if (state_.folder(mailbox))
        censuses.insert(mailbox);
    else
        store_census = true;
}

bool Compactor::is_removed(MailboxId mailbox) const
{
    return !state_.folder(mailbox) && state_.removed_names.contains(mailbox);
}

// The entry of this message, alive or restorable.
const Entry* Compactor::entry(MailboxId mailbox, std::uint32_t uid) const
{
    if (const Folder* folder = state_.folder(mailbox))
        if (const Entry* found = folder->find(uid))
            return found;
    auto kept = kept_.find({mailbox, uid});
    return kept == kept_.end() ? nullptr : &kept->second;
}

void Compactor::message(const Frame& frame, std::uint64_t base, std::string& out)
{
    auto record = MessageRecord::decode(frame.meta());
    if (!record)
        return verbatim(frame, out);
    if (!entry(record->mailbox, record->entry.uid))
        census(record->mailbox);
    if (!state_.is_live(frame.header.lsn)) {
        dropped.push_back(frame.header.lsn);
        if (record->in_file)
            bodies.push_back(body_name(record->entry.guid));
        return;
    }
    moved.push_back({.lsn = frame.header.lsn,
                     .segment = 0,
                     .offset = std::uint32_t(base + out.size()),
                     .head = std::uint32_t(record_header_size + frame.header.meta_length +
                                           record->rendered_size()),
                     .in_file = record->in_file});
    verbatim(frame, out);
}

// The uids for which these are still the flags.
std::optional<FlagsRecord> Compactor::remaining(const FlagsRecord& record, Lsn, Steps& steps) const
{
    FlagsRecord rest{.mailbox = record.mailbox, .groups = {}};
    const Folder* folder = state_.folder(record.mailbox);
    for (const auto& group : record.groups) {
        std::vector<std::uint32_t> uids;
        auto consider = [&](const Entry& entry) {
            steps.spend(1);
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
                consider(it->second);
        }
        std::ranges::sort(uids);
        if (!uids.empty())
            rest.groups.push_back({group.flags, group.keywords, ranges_of(uids)});
    }
    if (rest.groups.empty())
        return std::nullopt;
    return rest;
}

std::optional<CopyRecord> Compactor::remaining(const CopyRecord& record, Lsn lsn, Steps& steps)
{
    steps.spend(record.items.size());
    // Only this record takes messages out of what is left of a mailbox that is gone, or out of
    // what can be restored.
    if ((record.kind == CopyRecord::Kind::Move && is_removed(record.from)) ||
        (record.kind == CopyRecord::Kind::Restore && lsn > state_.purged)) {
        census(record.to);
        census(record.from);
        return record;
    }
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

std::optional<ExpungeRecord> Compactor::remaining(const ExpungeRecord& record, Lsn, Steps& steps)
{
    if (is_removed(record.mailbox))
        return record;
    ExpungeRecord rest{.mailbox = record.mailbox, .seconds = record.seconds, .uids = {}};
    for (const auto& range : record.uids)
        for (auto it = kept_.lower_bound({record.mailbox, range.first});
             it != kept_.end() && it->first.mailbox == record.mailbox && it->first.uid <= range.last; ++it)
            rest.uids.push_back({it->first.uid, it->first.uid});
    steps.spend(rest.uids.size());
    census(record.mailbox);
    if (rest.uids.empty())
        return std::nullopt;
    return rest;
}

// The uids of which this is still said.
std::optional<SeenRecord> Compactor::remaining(const SeenRecord& record, Lsn, Steps& steps) const
{
    const Folder* folder = state_.folder(record.mailbox);
    if (!folder)
        return std::nullopt;
    auto still = [&](const UidRanges& ranges, bool seen) {
        std::vector<std::uint32_t> uids;
        for (const auto& range : ranges)
            for (std::size_t i = folder->lower_bound(range.first);
                 i < folder->entries.size() && folder->entries[i].uid <= range.last; ++i) {
                steps.spend(1);
                if (folder->seen_by(record.reader, folder->entries[i].uid) == seen)
                    uids.push_back(folder->entries[i].uid);
            }
        return ranges_of(uids);
    };
    SeenRecord rest{.mailbox = record.mailbox, .reader = record.reader, .seen = still(record.seen, true),
                    .unseen = still(record.unseen, false)};
    if (rest.seen.empty() && rest.unseen.empty())
        return std::nullopt;
    return rest;
}

void Compactor::annotation_census(MailboxId holder)
{
    if (state_.annotations_of(holder))
        annotation_censuses.insert(holder);
    else if (!is_removed(holder))
        store_census = true;
}

void Compactor::annotation(const Frame& frame, std::uint64_t base, std::string& out)
{
    auto record = AnnotationRecord::decode(frame.meta());
    if (!record)
        return verbatim(frame, out);
    if (!state_.says_annotation(frame.header.lsn, *record)) {
        dropped.push_back(frame.header.lsn);
        // That there is none is a thing that this record alone may say.
        if (!record->present)
            annotation_census(record->holder);
        else if (!state_.annotations_of(record->holder) && !is_removed(record->holder))
            store_census = true;
        return;
    }
    moved.push_back({.lsn = frame.header.lsn, .segment = 0, .offset = std::uint32_t(base + out.size()),
                     .head = frame.header.length, .in_file = 0});
    verbatim(frame, out);
}

template <typename Record>
void Compactor::rewrite(const Frame& frame, std::uint64_t tag, std::string& out, Steps& steps)
{
    auto record = Record::decode(frame.meta());
    if (!record)
        return verbatim(frame, out);
    auto rest = remaining(*record, frame.header.lsn, steps);
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

void Compactor::take(const Frame& frame, std::uint64_t tag, std::uint64_t base, std::string& out, Steps& steps)
{
    steps.spend(1 + frame.bytes.size() / step_bytes);
    switch (frame.header.type) {
    case Type::Arrival:
        return message(frame, base, out);
    case Type::FlagSetting:
        return rewrite<FlagsRecord>(frame, tag, out, steps);
    case Type::Copying:
        return rewrite<CopyRecord>(frame, tag, out, steps);
    case Type::Expunging:
        return rewrite<ExpungeRecord>(frame, tag, out, steps);
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
        if (record && is_removed(record->id))
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
    case Type::Voided:
        return;
    case Type::Annotating:
        return annotation(frame, base, out);
    case Type::AnnotationCensus:
        if (auto record = AnnotationCensusRecord::decode(frame.meta()))
            annotation_census(record->holder);
        return;
    case Type::SeenSetting:
        return rewrite<SeenRecord>(frame, tag, out, steps);
    case Type::Subscribing:
    case Type::Census:
    case Type::Purge:
        store_census = true;
        return;
    }
    verbatim(frame, out);  // of a later release
}

}  // namespace store
