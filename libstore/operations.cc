// What changes messages: append, copy, move, flags, expunge.
#include "libstore/journal.h"
#include "libstore/transfer_space.h"
#include "libutil/random.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>

namespace store {

namespace {

// The uids ascending, each once.
std::vector<std::uint32_t> ascending(std::span<const std::uint32_t> uids)
{
    std::vector<std::uint32_t> sorted(uids.begin(), uids.end());
    if (!std::ranges::is_sorted(sorted, std::ranges::less_equal()))
        std::ranges::sort(sorted);
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());  // clang 14 rejects ranges::unique
    return sorted;
}

// Ranges of uids whose entries stand side by side.  A range may span uids that are gone.
class Ranges {
public:
    void add(std::uint32_t uid, std::size_t index)
    {
        if (!ranges_.empty() && index == last_ + 1)
            ranges_.back().last = uid;
        else
            ranges_.push_back({uid, uid});
        last_ = index;
    }
    UidRanges take() { return std::move(ranges_); }
    bool empty() const { return ranges_.empty(); }

private:
    UidRanges ranges_;
    std::size_t last_ = 0;
};

}  // namespace

util::Result<Folder*> LogStore::target(MailboxId id)
{
    if (failure_)
        return *failure_;
    return loaded(id);
}

// --- append ---------------------------------------------------------------------------------------

util::Result<void> LogStore::check_message(const NewMessage& message) const
{
    if (message.content.size() > options_.max_message_size)
        return util::Error{util::Kind::Permanent, "message is too large for the mail store", EFBIG};
    if (!message.rendered)
        return util::invalid("message without its rendered form");
    const Rendered& rendered = *message.rendered;
    if (rendered.envelope.size() + rendered.body_structure.size() + rendered.body.size() +
            rendered.header_cache.size() + rendered.preview.size() > max_rendered)
        return util::permanent("message's structure is too large for the mail store");
    if (message.queue_id.size() + message.recipient.size() > 4096)
        return util::invalid("queue id or recipient is too long");
    return {};
}

Keywords LogStore::known_keywords(const Folder& folder, const std::vector<std::string>& names)
{
    Keywords bits = 0;
    for (const auto& name : names)
        for (std::size_t i = 0; i < folder.keywords.size(); ++i)
            if (util::equal_nocase(folder.keywords[i], name))
                bits |= Keywords(1) << i;
    return bits;
}

util::Result<Keywords> LogStore::keyword_bits(Folder& folder, const std::vector<std::string>& names)
{
    // All of them fit, or none is added.
    std::vector<std::string_view> fresh;
    Keywords bits = 0;
    for (const auto& name : names) {
        if (name.empty() || name.size() > max_keyword_length)
            return util::invalid("keyword is empty or too long");
        auto same = [&name](std::string_view other) { return util::equal_nocase(name, other); };
        auto known = std::ranges::find_if(folder.keywords, same);
        if (known != folder.keywords.end())
            bits |= Keywords(1) << (known - folder.keywords.begin());
        else if (std::ranges::none_of(fresh, same))
            fresh.push_back(name);
    }
    if (folder.keywords.size() + fresh.size() > max_keywords)
        return util::permanent("too many keywords in this mailbox");
    for (std::string_view name : fresh) {
        auto index = std::uint32_t(folder.keywords.size());
        TRY(prepare(name.size() + 64, 1, Room::Essential));
        add(KeywordRecord{.mailbox = folder.id, .index = index, .name = std::string(name)});
        lazy();
        bits |= Keywords(1) << index;
    }
    return bits;
}

// When the first large message comes: most users have none for a long time.  Open before anything is written there, so that
// no sync fails for want of a descriptor.
util::Result<void> LogStore::open_bodies()
{
    if (bodies_)
        return {};
    auto made = util::sys::mkdir(directory_ + "/bodies", 0700);
    if (!made.ok() && made.error().code != EEXIST)
        return writing_failed(made.take_error());
    bodies_ = TRY(util::sys::open(directory_ + "/bodies", O_RDONLY | O_DIRECTORY));
    new_bodies_ = true;
    return {};
}

// Gives each message its id, and the large ones their files, which the next job syncs.
util::Result<std::vector<Guid>> LogStore::write_bodies(std::span<const NewMessage> messages)
{
    std::vector<Guid> guids(messages.size());
    std::vector<util::UniqueFd> files;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        util::random_bytes(std::span(reinterpret_cast<char*>(guids[i].bytes.data()), 16));
        if (messages[i].content.size() <= options_.large_message)
            continue;
        TRY(open_bodies());   // fails before the first of them is written
        auto fd = util::sys::open(body_path(guids[i]), O_WRONLY | O_CREAT | O_EXCL);
        util::Result<void> wrote;
        if (fd.ok())
            wrote = util::sys::write_all(fd->get(), messages[i].content);
        else
            wrote = fd.take_error();
        if (!wrote.ok()) {
            for (std::size_t j = 0; j <= i; ++j)
                if (messages[j].content.size() > options_.large_message)
                    (void)util::sys::unlink(body_path(guids[j]));
            return writing_failed(wrote.take_error());
        }
        files.push_back(fd.take());
    }
    std::ranges::move(files, std::back_inserter(pending_files_));
    return guids;
}

Lsn LogStore::append_one(Folder& folder, const NewMessage& message, const Guid& guid,
                         std::uint16_t index, std::uint16_t count)
{
    const Rendered& rendered = *message.rendered;
    MessageRecord record;
    record.mailbox = folder.id;
    record.entry.uid = std::max(folder.uid_next, message.uid);
    record.entry.flags = message.flags;
    record.entry.keywords = known_keywords(folder, message.keywords);
    record.entry.guid = guid;
    record.entry.size = message.content.size();
    record.entry.save_seconds = wall_seconds();
    record.entry.internal_date = message.internal_date.value_or(Date{record.entry.save_seconds, 0});
    record.sent_seconds = rendered.sent_seconds;
    record.header_size = rendered.header_size;
    record.queue_id = message.queue_id;
    record.recipient = message.recipient;
    record.block_checksums = block_checksums(message.content);
    record.in_file = message.content.size() > options_.large_message;

    std::string texts;
    std::size_t i = 0;
    for (const std::string* text : {&rendered.envelope, &rendered.body_structure, &rendered.body,
                                    &rendered.header_cache, &rendered.preview}) {
        record.rendered_lengths[i++] = std::uint32_t(text->size());
        texts.append(*text);
    }
    record.rendered_checksum = util::crc32c(texts);

    std::uint64_t start = end_;
    std::uint32_t segment = segments_.back().id;
    std::string_view inside = record.in_file ? std::string_view() : message.content;
    Lsn lsn = write(record, record.entry.uid - folder.uid_next + 1, index, count, texts, inside);
    auto head = std::uint32_t(record_header_size + meta_length_ + texts.size());
    state_.apply(lsn, record, {.lsn = lsn, .segment = segment, .offset = std::uint32_t(start),
                               .head = head, .in_file = record.in_file});
    return lsn;
}

util::Result<std::vector<Stored>> LogStore::append_all(MailboxId mailbox,
                                                       std::span<const NewMessage> messages)
{
    Folder* folder = TRY(target(mailbox));
    std::vector<Stored> stored;
    std::uint64_t content = 0;
    std::uint64_t bytes = 0;
    for (const auto& message : messages) {
        TRY(check_message(message));
        content += message.content.size();
        bytes += message.content.size() > options_.large_message ? 0 : message.content.size();
        bytes += 4096 + message.rendered->envelope.size() + message.rendered->body_structure.size() +
                 message.rendered->body.size() + message.rendered->header_cache.size() +
                 message.rendered->preview.size() + message.content.size() / content_block * 4 +
                 message.queue_id.size() + message.recipient.size();
    }
    if (messages.size() == 1 && !messages[0].queue_id.empty()) {
        auto key = state_.duplicates.key(messages[0].queue_id, messages[0].recipient);
        if (const auto* first = state_.duplicates.find(key)) {
            const Folder* where = state_.folder(first->mailbox);
            stored.push_back({first->lsn, first->uid, where ? where->uid_validity : 0, true});
            return stored;
        }
    }
    std::uint32_t next = folder->uid_next;
    for (const auto& message : messages) {
        if (message.uid != 0 && message.uid < next)
            return util::invalid("the uid is taken");
        if (message.uid >= UINT32_MAX - messages.size())
            return util::invalid("the uid is too high");
        next = std::max(next, message.uid) + 1;
    }
    if (messages.size() > UINT16_MAX || bytes > max_record_size)
        return util::permanent("too much in one append");
    if (folder->uid_next >= UINT32_MAX - messages.size())
        return util::permanent("no uids left in this mailbox");
    if (!std::ranges::all_of(messages, &NewMessage::beyond_quota)) {
        bool delivery = messages.size() == 1 && !messages[0].queue_id.empty();
        TRY(check_quota(*folder, {.bytes = content, .messages = messages.size()},
                        delivery ? Growth::Delivery : Growth::Client));
    }
    // Keywords first: they are the only thing behind which an append can still be refused.
    for (const auto& message : messages)
        TRY(keyword_bits(*folder, message.keywords));
    // As many Lsns as uids: recovery counts on it.
    TRY(prepare(bytes, messages.size(), Room::Growth));
    auto guids = TRY(write_bodies(messages));
    for (const auto& message : messages) {
        Lsn lsn = append_one(*folder, message, guids[stored.size()], std::uint16_t(stored.size()),
                             std::uint16_t(messages.size()));
        stored.push_back({lsn, folder->entries.back().uid, folder->uid_validity, false});
    }
    if (!stored.empty())
        strict(stored.front().lsn);
    changed(mailbox);
    return stored;
}

util::Result<Stored> LogStore::append(MailboxId mailbox, const NewMessage& message)
{
    auto stored = TRY(append_all(mailbox, std::span(&message, 1)));
    return stored.front();
}

// --- copy and move --------------------------------------------------------------------------------

// Where the record and the target's entries will be.
void LogStore::use_space(TransferSpace& space, Folder& target, std::size_t messages)
{
    std::string& record = space.record_;
    if (record.capacity() >= pending_.size() + record_header_size + CopyRecord::size_of(messages)) {
        record.assign(pending_);
        pending_.swap(record);
    }
    std::size_t wanted = target.entries.size() + messages;
    if (target.entries.capacity() < wanted && space.entries_.capacity() >= wanted) {
        space.entries_.assign(target.entries.begin(), target.entries.end());
        target.entries.swap(space.entries_);
    }
}

util::Result<Copied> LogStore::transfer(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to,
                                        CopyRecord::Kind kind, TransferSpace* space)
{
    Folder* source = TRY(target(from));
    Folder* target_folder = TRY(target(to));
    Copied copied;
    copied.uid_validity = target_folder->uid_validity;
    CopyRecord record{.kind = kind, .from = from, .to = to, .items = {}};
    if (space)
        record.items = std::move(space->items_);
    record.items.clear();
    record.items.reserve(uids.size());
    std::uint64_t bytes = 0;
    Keywords used = 0;
    for (std::uint32_t uid : ascending(uids)) {
        const Entry* entry = source->find(uid);
        if (!entry)
            continue;
        record.items.push_back({uid, *entry});
        bytes += entry->size;
        used |= entry->keywords;
    }
    if (record.items.empty())
        return copied;
    if (record.items.size() > (max_record_size >> 1) / CopyRecord::item_size)
        return util::permanent("too many messages at once");
    if (target_folder->uid_next >= UINT32_MAX - record.items.size())
        return util::permanent("no uids left in the mailbox");
    if (from != to || kind == CopyRecord::Kind::Copy)
        TRY(check_quota(*target_folder, {.bytes = bytes, .messages = record.items.size()},
                        kind == CopyRecord::Kind::Copy ? Growth::Copy : Growth::Move));

    // Keywords are bits of their mailbox: translate.
    std::vector<std::string> names;
    for (std::size_t bit = 0; bit < source->keywords.size(); ++bit)
        if (used >> bit & 1)
            names.push_back(source->keywords[bit]);
    TRY(keyword_bits(*target_folder, names));
    Keywords translation[max_keywords] = {};
    for (std::size_t bit = 0; bit < source->keywords.size(); ++bit)
        if (used >> bit & 1)
            translation[bit] = known_keywords(*target_folder, {source->keywords[bit]});

    TRY(prepare(CopyRecord::size_of(record.items.size()) + 32, record.items.size(),
                kind == CopyRecord::Kind::Move ? Room::Moves : Room::Growth));
    if (space)
        use_space(*space, *target_folder, record.items.size());
    std::int64_t now = wall_seconds();
    std::uint32_t next = target_folder->uid_next;
    copied.source.reserve(record.items.size());
    copied.target.reserve(record.items.size());
    for (auto& item : record.items) {
        Keywords bits = 0;
        for (Keywords rest = item.entry.keywords; rest; rest &= rest - 1)
            bits |= translation[std::countr_zero(rest)];
        item.entry.keywords = bits;
        item.entry.uid = next++;
        item.entry.save_seconds = now;
        copied.source.push_back(item.source);
        copied.target.push_back(item.entry.uid);
    }
    copied.lsn = add(record, record.items.size());
    strict();
    changed(to);
    if (kind == CopyRecord::Kind::Move && from != to)
        changed(from);
    return copied;
}

util::Result<Copied> LogStore::copy(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to, TransferSpace* space)
{
    return transfer(from, uids, to, CopyRecord::Kind::Copy, space);
}

util::Result<Copied> LogStore::move(MailboxId from, std::span<const std::uint32_t> uids, MailboxId to, TransferSpace* space)
{
    return transfer(from, uids, to, CopyRecord::Kind::Move, space);
}

// --- flags ----------------------------------------------------------------------------------------

util::Result<FlagsChanged> LogStore::change_flags(MailboxId mailbox,
                                                  std::span<const std::uint32_t> uids,
                                                  const FlagChange& change)
{
    Folder* folder = TRY(target(mailbox));
    if (change.reader.size() > max_reader_name)
        return util::invalid("the reader's name is too long");
    auto wanted_uids = ascending(uids);
    auto seen = seen_change(*folder, wanted_uids, change);
    bool of_reader = !seen.seen.empty() || !seen.unseen.empty();
    if (of_reader)
        TRY(check_room(*folder, seen));

    Flags changeable = change.reader.empty() ? change.changeable : change.changeable & ~Seen;
    Flags flags = change.flags & changeable;
    Keywords keywords = 0;
    if (change.changes_keywords && change.operation != FlagOperation::Remove)
        keywords = TRY(keyword_bits(*folder, change.keywords));
    else if (change.changes_keywords)
        keywords = known_keywords(*folder, change.keywords);

    FlagsChanged result;
    std::map<std::pair<Flags, Keywords>, Ranges> groups;
    for (std::uint32_t uid : wanted_uids) {
        std::size_t index = folder->lower_bound(uid);
        if (index == folder->entries.size() || folder->entries[index].uid != uid)
            continue;
        const Entry& entry = folder->entries[index];
        if (change.unchanged_since && entry.modseq > *change.unchanged_since) {
            result.modified.push_back(uid);
            continue;
        }
        std::pair<Flags, Keywords> wanted((entry.flags & ~changeable) | flags,
                                          change.changes_keywords ? keywords : entry.keywords);
        if (change.operation == FlagOperation::Add)
            wanted = {entry.flags | flags, entry.keywords | keywords};
        else if (change.operation == FlagOperation::Remove)
            wanted = {entry.flags & ~flags, entry.keywords & ~keywords};
        if (wanted != std::pair(entry.flags, entry.keywords))
            groups[wanted].add(uid, index);
    }
    if (groups.empty() && !of_reader)
        return result;
    FlagsRecord record{.mailbox = mailbox, .groups = {}};
    std::uint64_t bytes = 128 + seen.reader.size() + (seen.seen.size() + seen.unseen.size()) * sizeof(UidRange);
    for (auto& [values, ranges] : groups) {
        record.groups.push_back({values.first, values.second, ranges.take()});
        bytes += 16 + record.groups.back().uids.size() * 8;
    }
    TRY(prepare(bytes + record_header_size, 2, Room::Essential));
    // A group of records, if they are two.
    auto first = state_.last + 1;
    std::uint16_t count = of_reader && !groups.empty() ? 2 : 1;
    if (of_reader)
        result.lsn = add(seen, 1, 0, count);
    if (!groups.empty())
        result.lsn = add(record, 1, count - 1, count);
    lazy(first);
    changed(mailbox);
    return result;
}

void LogStore::claim_recent(MailboxId mailbox)
{
    Folder* folder = state_.folder(mailbox);
    if (!folder || failure_ || folder->first_recent_uid == folder->uid_next)
        return;
    if (!prepare(64, 1, Room::Essential).ok())
        return;
    add(RecentRecord{.mailbox = mailbox, .first_recent_uid = folder->uid_next});
}

// --- expunge --------------------------------------------------------------------------------------

util::Result<Lsn> LogStore::expunge(MailboxId mailbox, std::span<const std::uint32_t> uids)
{
    Folder* folder = TRY(target(mailbox));
    // No range may span uids that are gone: when compaction has dropped the record that moved one of them away, a replay
    // would expunge it here, and it could be restored.
    std::vector<std::uint32_t> present = ascending(uids);
    std::erase_if(present, [folder](std::uint32_t uid) { return !folder->find(uid); });
    if (present.empty())
        return durable_;
    ExpungeRecord record{.mailbox = mailbox, .seconds = wall_seconds(), .uids = ranges_of(present)};
    TRY(prepare(record.uids.size() * 8 + 64, 1, Room::Essential));
    Lsn lsn = add(record);
    strict();
    changed(mailbox);
    return lsn;
}

std::optional<std::vector<std::uint32_t>> LogStore::expunged_since(MailboxId mailbox, Lsn since)
{
    if (const Folder* folder = state_.folder(mailbox); folder && folder->highest_modseq <= since)
        return std::vector<std::uint32_t>();
    auto found = loaded(mailbox);
    if (!found.ok() || since < (*found)->gone_from)
        return std::nullopt;
    std::vector<std::uint32_t> uids;
    for (const auto& gone : (*found)->gone)
        if (gone.lsn > since)
            uids.push_back(gone.uid);
    return ascending(uids);
}

}  // namespace store
