// The state of a store: what each record does to it (see state.h).
#include "libstore/state.h"

#include "libutil/check.h"
#include "libutil/text.h"

#include <algorithm>

namespace store {

const Entry* Mailbox::find(std::uint32_t uid) const
{
    std::size_t index = lower_bound(uid);
    return index < entries.size() && entries[index].uid == uid ? &entries[index] : nullptr;
}

std::size_t Mailbox::lower_bound(std::uint32_t uid) const
{
    // A mailbox without gaps answers at once.
    if (!entries.empty() && uid >= entries.front().uid) {
        std::size_t guess = uid - entries.front().uid;
        if (guess < entries.size() && entries[guess].uid == uid)
            return guess;
    }
    return std::size_t(std::ranges::lower_bound(entries, uid, {}, &Entry::uid) - entries.begin());
}

std::uint64_t DuplicateMemory::key(std::string_view queue_id, std::string_view recipient) const
{
    std::uint64_t hash = 0xcbf29ce484222325 ^ seed_;
    auto mix = [&hash](std::string_view bytes) {
        for (char byte : bytes)
            hash = (hash ^ std::uint8_t(byte)) * 0x100000001b3;
        hash = (hash ^ 0xff) * 0x100000001b3;
    };
    mix(queue_id);
    mix(recipient);
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93;
    return hash ^ (hash >> 32);
}

const DuplicateMemory::Item* DuplicateMemory::find(std::uint64_t key) const
{
    auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &found->second;
}

void DuplicateMemory::add(const Item& item)
{
    if (!by_key_.emplace(item.key, item).second)
        return;
    items_.push_back(item);
    if (items_.size() > max_remembered) {
        by_key_.erase(items_.front().key);
        items_.pop_front();
    }
}

void KeptMessages::push_back(const Kept& item)
{
    if (spare_ > 0)
        items_[items_.size() - spare_--] = item;
    else
        items_.push_back(item);
    ++counts_[item.mailbox];
}

bool KeptMessages::prepare(std::size_t wanted, std::size_t more)
{
    more = std::min(more, wanted - std::min(spare_, wanted));
    items_.resize(items_.size() + more);
    spare_ += more;
    return spare_ >= wanted;
}

void KeptMessages::drop_spare()
{
    items_.resize(size());
    spare_ = 0;
}

void KeptMessages::push_front(const Items& older)
{
    items_.insert(items_.begin(), older.begin(), older.end());
    for (const auto& item : older)
        ++counts_[item.mailbox];
}

void KeptMessages::drop_oldest(std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        discount(items_[i].mailbox);
    items_.erase(items_.begin(), items_.begin() + std::ptrdiff_t(count));
}

void KeptMessages::discount(MailboxId mailbox)
{
    auto found = counts_.find(mailbox);
    if (--found->second == 0)
        counts_.erase(found);
}

MailboxRecord record_of(const Folder& folder)
{
    return {.id = folder.id,
            .name = folder.name,
            .uid_validity = folder.uid_validity,
            .uid_next = folder.uid_next,
            .first_recent_uid = folder.first_recent_uid,
            .special_use = folder.special_use,
            .keywords = folder.keywords,
            .census = false,
            .live = {},
            .limits = folder.limits,
            .limits_fixed = folder.limits_fixed};
}

Folder* State::folder(MailboxId id)
{
    auto found = folders.find(id);
    return found == folders.end() ? nullptr : found->second.get();
}

const Folder* State::folder(MailboxId id) const
{
    auto found = folders.find(id);
    return found == folders.end() ? nullptr : found->second.get();
}

Folder* State::folder(std::string_view name)
{
    auto found = names.find(name);
    return found == names.end() ? nullptr : folder(found->second);
}

const Content* State::content(Lsn lsn) const
{
    auto found = std::ranges::lower_bound(contents, lsn, {}, &Content::lsn);
    return found != contents.end() && found->lsn == lsn ? &*found : nullptr;
}

Content* State::content(Lsn lsn)
{
    return const_cast<Content*>(std::as_const(*this).content(lsn));
}

bool State::is_subscribed(std::string_view name) const
{
    return std::ranges::binary_search(subscriptions, name);
}

void State::mark(Lsn lsn)
{
    if (!marks)
        return;
    if (const Content* found = content(lsn))
        if (std::size_t index = std::size_t(found - contents.data()); index < marks->size())
            (*marks)[index] = true;
}

bool State::is_live(Lsn lsn) const
{
    const Content* found = marks ? content(lsn) : nullptr;
    std::size_t index = found ? std::size_t(found - contents.data()) : SIZE_MAX;
    return !found || index >= marks->size() || (*marks)[index];
}

Folder& State::folder_or_new(MailboxId id)
{
    auto& slot = folders[id];
    if (!slot) {
        slot = std::make_shared<Folder>();
        slot->id = id;
        slot->modseq_floor = recovered;
    }
    return *slot;
}

void State::touch(Folder& folder, Lsn lsn, std::uint32_t uid, Change::Kind kind)
{
    folder.highest_modseq = std::max(folder.highest_modseq, lsn);
    folder.changes.push_back({.lsn = lsn, .uid = uid, .kind = kind});
    if (folder.changes.size() > 2 * max_changes) {
        auto keep = folder.changes.end() - max_changes;
        folder.changes_from = std::prev(keep)->lsn;
        folder.changes.erase(folder.changes.begin(), keep);
        // Changes that share the Lsn of the last one dropped are incomplete.
        std::erase_if(folder.changes,
                      [&folder](const Change& change) { return change.lsn <= folder.changes_from; });
    }
}

void State::note_gone(Folder& folder, Lsn lsn, std::uint32_t uid)
{
    folder.gone.push_back({.lsn = lsn, .uid = uid});
    if (folder.gone.size() > 2 * max_gone) {
        auto keep = folder.gone.end() - max_gone;
        folder.gone_from = std::prev(keep)->lsn;
        folder.gone.erase(folder.gone.begin(), keep);
        std::erase_if(folder.gone,
                      [&folder](const Gone& gone) { return gone.lsn <= folder.gone_from; });
    }
}

void State::insert(Folder& folder, const Entry& entry, Lsn lsn, Change::Kind kind)
{
    CHECK(folder.loaded);
    auto place = folder.entries.end();
    if (!folder.entries.empty() && folder.entries.back().uid >= entry.uid) {
        place = folder.entries.begin() + std::ptrdiff_t(folder.lower_bound(entry.uid));
        if (place->uid == entry.uid)
            return;
    }
    folder.entries.insert(place, entry);
    mark(entry.content);
    folder.uid_next = std::max(folder.uid_next, entry.uid + 1);
    folder.bytes += entry.size;
    folder.unseen += (entry.flags & Seen) == 0;
    folder.deleted += (entry.flags & Deleted) != 0;
    touch(folder, lsn, entry.uid, kind);
}

// Takes the entries with these uids out; with `keep` they can be restored later.
void State::erase(Folder& folder, const UidRanges& uids, Lsn lsn, bool keep, std::int64_t seconds)
{
    CHECK(folder.loaded);
    if (uids.empty())
        return;
    std::size_t start = folder.lower_bound(uids.front().first);
    std::size_t out = start;
    std::size_t range = 0;
    std::size_t index = start;
    for (; index < folder.entries.size(); ++index) {
        const Entry& entry = folder.entries[index];
        while (range < uids.size() && uids[range].last < entry.uid)
            ++range;
        if (range == uids.size())
            break;
        if (entry.uid < uids[range].first) {
            folder.entries[out++] = entry;
            continue;
        }
        folder.bytes -= entry.size;
        folder.unseen -= (entry.flags & Seen) == 0;
        folder.deleted -= (entry.flags & Deleted) != 0;
        note_gone(folder, lsn, entry.uid);
        touch(folder, lsn, entry.uid, Change::Kind::Expunged);
        if (keep && lsn > purged) {
            kept.push_back({.mailbox = folder.id, .lsn = lsn, .seconds = seconds, .entry = entry});
            kept_bytes += entry.size;
            mark(entry.content);
        } else if (keep) {
            garbage_bytes += entry.size;
        }
    }
    folder.entries.erase(folder.entries.begin() + std::ptrdiff_t(out),
                         folder.entries.begin() + std::ptrdiff_t(index));
    // Their uids do not come back.
    if (folder.entries.empty())
        discard_readers(folder);
}

// False: it is there already.
bool State::add_content(const Content& content)
{
    auto place = contents.end();
    if (!contents.empty() && contents.back().lsn >= content.lsn)
        place = std::ranges::lower_bound(contents, content.lsn, {}, &Content::lsn);
    if (place != contents.end() && place->lsn == content.lsn)
        return false;
    contents.insert(place, content);
    return true;
}

void State::apply(Lsn lsn, const MessageRecord& record, const Content& location)
{
    Content content = location;
    content.lsn = lsn;
    if (!add_content(content))
        return;

    Folder& folder = folder_or_new(record.mailbox);
    Entry entry = record.entry;
    entry.content = lsn;
    entry.modseq = lsn;
    insert(folder, entry, lsn, Change::Kind::Arrived);
    if (!record.queue_id.empty())
        duplicates.add({.key = duplicates.key(record.queue_id, record.recipient),
                        .lsn = lsn,
                        .mailbox = folder.id,
                        .uid = entry.uid});
}

void State::apply(Lsn lsn, const FlagsRecord& record)
{
    Folder& folder = folder_or_new(record.mailbox);
    CHECK(folder.loaded);
    for (const auto& group : record.groups) {
        for (const auto& range : group.uids) {
            for (std::size_t i = folder.lower_bound(range.first);
                 i < folder.entries.size() && folder.entries[i].uid <= range.last; ++i) {
                Entry& entry = folder.entries[i];
                folder.unseen += std::uint32_t((group.flags & Seen) == 0) - ((entry.flags & Seen) == 0);
                folder.deleted += std::uint32_t((group.flags & Deleted) != 0) -
                                  ((entry.flags & Deleted) != 0);
                entry.flags = group.flags;
                entry.keywords = group.keywords;
                entry.modseq = lsn;
                touch(folder, lsn, entry.uid, Change::Kind::FlagsChanged);
            }
        }
    }
}

void State::apply(Lsn lsn, const CopyRecord& record)
{
    UidRanges sources;
    {
        Folder& target = folder_or_new(record.to);
        std::size_t wanted = target.entries.size() + record.items.size();
        if (wanted > target.entries.capacity())
            target.entries.reserve(wanted + wanted / 8);
        for (const auto& item : record.items) {
            Entry entry = item.entry;
            entry.modseq = lsn;
            insert(target, entry, lsn, Change::Kind::Arrived);
        }
    }
    if (record.kind != CopyRecord::Kind::Copy) {
        sources.reserve(record.items.size());
        for (const auto& item : record.items)
            sources.push_back({item.source, item.source});
        if (!std::ranges::is_sorted(sources, {}, &UidRange::first))
            std::ranges::sort(sources, {}, &UidRange::first);
    }
    if (record.kind == CopyRecord::Kind::Move) {
        erase(folder_or_new(record.from), sources, lsn, false, 0);
    } else if (record.kind == CopyRecord::Kind::Restore) {
        ++kept_removals;
        kept.drop_if([&](const Kept& item) {
            if (item.mailbox != record.from ||
                !std::ranges::binary_search(sources, item.entry.uid, {}, &UidRange::first))
                return false;
            kept_bytes -= item.entry.size;
            return true;
        });
    }
}

void State::apply(Lsn lsn, const ExpungeRecord& record)
{
    erase(folder_or_new(record.mailbox), record.uids, lsn, true, record.seconds);
}

void State::apply(Lsn lsn, const MailboxRecord& record)
{
    Folder& folder = folder_or_new(record.id);
    if (folder.named) {
        auto old = names.find(folder.name);
        if (old != names.end() && old->second == folder.id)
            names.erase(old);
    }
    // Two mailboxes of one name: the record of a rename was lost.  Neither may hide the other.
    if (Folder* other = this->folder(record.name); other && other != &folder) {
        other->name = util::concat(record.name, "-", other->id);
        names[other->name] = other->id;
    }
    folder.named = true;
    folder.name = record.name;
    folder.special_use = record.special_use;
    folder.limits = record.limits;
    folder.limits_fixed = record.limits_fixed;
    folder.subscribed = is_subscribed(record.name);
    folder.uid_validity = record.uid_validity;
    folder.uid_next = std::max(folder.uid_next, record.uid_next);
    folder.first_recent_uid = std::max(folder.first_recent_uid, record.first_recent_uid);
    folder.highest_modseq = std::max(folder.highest_modseq, lsn);
    if (record.keywords.size() >= folder.keywords.size())
        folder.keywords = record.keywords;
    last_uid_validity = std::max(last_uid_validity, record.uid_validity);
    names[folder.name] = folder.id;
    if (!record.census)
        return;

    // What came before and is not listed was expunged by a record that is no longer kept.
    CHECK(folder.loaded);
    folder.gone.clear();
    folder.gone_from = lsn;
    std::size_t range = 0;
    std::erase_if(folder.entries, [&](const Entry& entry) {
        while (range < record.live.size() && record.live[range].last < entry.uid)
            ++range;
        if (range < record.live.size() && record.live[range].first <= entry.uid)
            return false;
        folder.bytes -= entry.size;
        folder.unseen -= (entry.flags & Seen) == 0;
        folder.deleted -= (entry.flags & Deleted) != 0;
        return true;
    });
}

void State::apply(Lsn lsn, const MailboxRemovedRecord& record)
{
    Folder* folder = this->folder(record.id);
    if (!folder)
        return;
    erase(*folder, {{1, UINT32_MAX}}, lsn, true, record.seconds);
    last_uid_validity = std::max(last_uid_validity, folder->uid_validity);
    auto name = names.find(folder->name);
    if (name != names.end() && name->second == record.id)
        names.erase(name);
    removed_names[record.id] = record.name;
    discard(folder->annotations);
    discard_readers(*folder);
    folders.erase(record.id);
}

void State::apply(Lsn, const SubscriptionRecord& record)
{
    auto place = std::ranges::lower_bound(subscriptions, record.name);
    bool there = place != subscriptions.end() && *place == record.name;
    if (record.on && !there)
        subscriptions.insert(place, record.name);
    else if (!record.on && there)
        subscriptions.erase(place);
    if (Folder* named = folder(record.name))
        named->subscribed = record.on;
}

void State::apply(Lsn lsn, const KeywordRecord& record)
{
    Folder& folder = folder_or_new(record.mailbox);
    if (folder.keywords.size() <= record.index)
        folder.keywords.resize(record.index + 1);
    if (!folder.keywords[record.index].empty())
        return;
    folder.keywords[record.index] = record.name;
    touch(folder, lsn, 0, Change::Kind::KeywordsAdded);
}

void State::apply(Lsn, const RecentRecord& record)
{
    Folder& folder = folder_or_new(record.mailbox);
    folder.first_recent_uid = std::max(folder.first_recent_uid, record.first_recent_uid);
}

void State::apply(Lsn lsn, const ReserveRecord& record)
{
    ceiling = record.ceiling;
    reservation_open = true;
    if (!record.recovered)
        return;
    recovered = lsn;
    for (auto& [id, folder] : folders) {
        folder->modseq_floor = lsn;
        folder->highest_modseq = lsn;
        folder->uid_next += std::min(record.uid_bump, UINT32_MAX - folder->uid_next);
        folder->changes.clear();
        folder->changes_from = lsn;
        for (auto& entry : folder->entries)
            entry.modseq = lsn;
    }
}

void State::apply(Lsn, const ClosedRecord&)
{
    reservation_open = false;
}

void State::apply(Lsn lsn, const CensusRecord& record)
{
    last_uid_validity = std::max(last_uid_validity, record.last_uid_validity);
    Lsn floor = std::min(record.recovered, lsn);
    recovered = std::max(recovered, floor);
    apply(lsn, PurgeRecord{.limit = record.purged});
    subscriptions = record.subscriptions;
    std::ranges::sort(subscriptions);
    for (auto it = folders.begin(); it != folders.end();) {
        Folder& folder = *it->second;
        folder.modseq_floor = std::max(folder.modseq_floor, floor);
        folder.highest_modseq = std::max(folder.highest_modseq, floor);
        for (auto& entry : folder.entries)
            entry.modseq = std::max(entry.modseq, floor);
        folder.subscribed = is_subscribed(folder.name);
        if (std::ranges::find(record.mailboxes, folder.id) != record.mailboxes.end()) {
            ++it;
            continue;
        }
        // Removed by a record that is no longer kept.
        auto name = names.find(folder.name);
        if (name != names.end() && name->second == folder.id)
            names.erase(name);
        discard(folder.annotations);
        discard_readers(folder);
        it = folders.erase(it);
    }
}

void State::apply(Lsn lsn, const PurgeRecord& record)
{
    purged = std::max(purged, std::min(record.limit, lsn));
    auto end = std::ranges::find_if(kept, [this](const Kept& item) { return item.lsn > purged; });
    drop_kept(std::size_t(end - kept.begin()));
}

// The oldest `count` of the deleted messages can no longer be restored.
void State::drop_kept(std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        kept_bytes -= kept[i].entry.size;
        garbage_bytes += kept[i].entry.size;
    }
    kept.drop_oldest(count);
    ++kept_removals;
    std::erase_if(removed_names, [this](const auto& removed) { return !kept.has(removed.first); });
}

std::vector<std::string> State::name_orphans()
{
    std::vector<std::string> given;
    for (auto& [id, folder] : folders) {
        if (folder->named)
            continue;
        folder->named = true;
        folder->name = util::concat("Recovered-", id);
        folder->uid_validity = ++last_uid_validity;
        names[folder->name] = id;
        given.push_back(folder->name);
    }
    return given;
}

void State::adopt_entries(Folder& folder)
{
    folder.loaded = true;
    for (auto& entry : folder.entries)
        if (entry.modseq < folder.modseq_floor)
            entry.modseq = folder.modseq_floor;
}

void State::count(Folder& folder)
{
    folder.unseen = folder.deleted = 0;
    folder.bytes = 0;
    for (const auto& entry : folder.entries) {
        folder.unseen += (entry.flags & Seen) == 0;
        folder.deleted += (entry.flags & Deleted) != 0;
        folder.bytes += entry.size;
    }
}

}  // namespace store
