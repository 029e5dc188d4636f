// What changes the list of mailboxes.
#include "libstore/compactor.h"
#include "libstore/journal.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>

namespace store {

namespace {

// The name as it is stored: INBOX in capitals (RFC 3501 §5.1).
util::Result<std::string> checked_name(std::string_view name)
{
    if (name.empty() || name.size() > max_mailbox_name_length)
        return util::invalid("mailbox name is empty or too long");
    if (!util::is_utf8(name))
        return util::invalid("mailbox name is not UTF-8");
    for (char byte : name)
        if (std::uint8_t(byte) < ' ' || byte == 0x7f)
            return util::invalid("control character in mailbox name");
    auto levels = util::split(name, hierarchy_separator);
    if (levels.size() > max_mailbox_depth)
        return util::invalid("mailbox name has too many levels");
    for (std::string_view level : levels)
        if (level.empty())
            return util::invalid("mailbox name has an empty level");
    std::string out(name);
    if (util::equal_nocase(levels.front(), "INBOX"))
        out.replace(0, 5, "INBOX");
    return out;
}

std::string normalized(std::string_view name)
{
    std::string out(name);
    if (util::starts_with_nocase(name, "INBOX") && (name.size() == 5 || name[5] == hierarchy_separator))
        out.replace(0, 5, "INBOX");
    return out;
}

util::Error taken(std::string_view name)
{
    return {util::Kind::Invalid, util::concat("mailbox exists: ", name), EEXIST};
}

util::Error unknown(std::string_view name)
{
    return util::not_found(util::concat("no such mailbox: ", util::printable(name, 200)));
}

// The names above a name, from the top.
std::vector<std::string> parents(std::string_view name)
{
    std::vector<std::string> names;
    for (std::size_t at = name.find(hierarchy_separator); at != name.npos;
         at = name.find(hierarchy_separator, at + 1))
        names.emplace_back(name.substr(0, at));
    return names;
}

}  // namespace

const std::map<std::string, MailboxId, std::less<>>& LogStore::mailboxes() const
{
    return state_.names;
}

util::Result<MailboxId> LogStore::id_of(std::string_view name) const
{
    auto found = state_.names.find(normalized(name));
    if (found == state_.names.end())
        return unknown(name);
    return found->second;
}

util::Result<const Mailbox*> LogStore::mailbox(std::string_view name)
{
    return mailbox(TRY(id_of(name)));
}

util::Result<const Mailbox*> LogStore::mailbox(MailboxId id)
{
    const Mailbox* found = TRY(loaded(id));
    return found;
}

util::Result<const MailboxFacts*> LogStore::facts(std::string_view name)
{
    return facts(TRY(id_of(name)));
}

util::Result<const MailboxFacts*> LogStore::facts(MailboxId id)
{
    const Folder* folder = state_.folder(id);
    if (!folder)
        return util::not_found("no such mailbox");
    return folder;
}

util::Result<std::shared_ptr<const Mailbox>> LogStore::share(MailboxId id)
{
    auto found = state_.folders.find(id);
    if (found == state_.folders.end())
        return util::not_found("no such mailbox");
    return std::shared_ptr<const Mailbox>(found->second);
}

util::Result<void> LogStore::add_mailbox(std::string name, SpecialUse use, std::uint16_t index,
                                         std::uint16_t count)
{
    MailboxRecord record;
    record.id = state_.last + 1;
    record.name = std::move(name);
    // Never given twice (RFC 3501 §2.3.1.1): it grows, and is about the time.
    record.uid_validity = std::max(state_.last_uid_validity + 1, std::uint32_t(wall_seconds()));
    record.special_use = use;
    if (record.uid_validity == 0)
        return util::permanent("no uid validity values left");
    Lsn lsn = add(record, 1, index, count);
    Folder* folder = state_.folder(record.id);
    folder->changes_from = folder->gone_from = lsn;
    return {};
}

util::Result<Lsn> LogStore::create_mailbox(std::string_view name, SpecialUse use)
{
    if (failure_)
        return *failure_;
    std::string wanted = TRY(checked_name(name));
    if (state_.names.contains(wanted))
        return taken(wanted);
    std::vector<std::string> missing;
    for (auto& parent : parents(wanted))
        if (!state_.names.contains(parent))
            missing.push_back(std::move(parent));
    TRY(check_mailbox_count(missing.size() + 1));
    TRY(prepare((missing.size() + 1) * (max_mailbox_name_length + 128), missing.size() + 1, Room::Growth));
    auto count = std::uint16_t(missing.size() + 1);
    std::uint16_t index = 0;
    for (auto& parent : missing)
        TRY(add_mailbox(std::move(parent), SpecialUse::None, index++, count));
    TRY(add_mailbox(std::move(wanted), use, index, count));
    strict();
    changed(0);
    return state_.last;
}

util::Result<Lsn> LogStore::rename_mailbox(std::string_view from, std::string_view to, TransferSpace* space)
{
    if (failure_)
        return *failure_;
    std::string old_name = normalized(from);
    std::string new_name = TRY(checked_name(to));
    Folder* folder = state_.folder(old_name);
    if (!folder)
        return unknown(from);
    if (state_.names.contains(new_name))
        return taken(new_name);
    if (old_name == "INBOX") {
        // RFC 3501 §6.3.5: its messages go to a new mailbox; INBOX stays, and so do its children.
        MailboxId inbox = folder->id;
        TRY(create_mailbox(new_name, SpecialUse::None));
        const Mailbox* source = TRY(mailbox(inbox));
        std::vector<std::uint32_t> uids;
        uids.reserve(source->entries.size());
        for (const auto& entry : source->entries)
            uids.push_back(entry.uid);
        MailboxId renamed = state_.names.find(new_name)->second;
        TRY(move(inbox, uids, renamed, space));
        std::vector<NewAnnotation> copies;   // RFC 5464 §4.1
        for (const auto& [name, annotation] : source->annotations)
            if (name.starts_with('/'))
                copies.push_back({name, annotation.value});
        TRY(annotate(renamed, copies));
        return state_.last;
    }
    std::string below = old_name + hierarchy_separator;
    if (new_name.starts_with(below))
        return util::invalid("a mailbox cannot move below itself");

    std::vector<std::string> missing;
    for (auto& parent : parents(new_name))
        if (!state_.names.contains(parent))
            missing.push_back(std::move(parent));
    std::vector<std::pair<MailboxId, std::string>> renames = {{folder->id, new_name}};
    for (auto it = state_.names.lower_bound(below); it != state_.names.end() && it->first.starts_with(below); ++it) {
        std::string child = util::concat(new_name, std::string_view(it->first).substr(old_name.size()));
        TRY(checked_name(child));
        if (state_.names.contains(child))
            return taken(child);
        renames.emplace_back(it->second, std::move(child));
    }
    TRY(check_mailbox_count(missing.size()));
    std::size_t total = missing.size() + renames.size();
    TRY(prepare(total * (max_mailbox_name_length + max_keywords * (max_keyword_length + 4) + 128),
                total, Room::Growth));
    std::uint16_t index = 0;
    for (auto& parent : missing)
        TRY(add_mailbox(std::move(parent), SpecialUse::None, index++, std::uint16_t(total)));
    for (auto& [id, name] : renames) {
        MailboxRecord record = record_of(*state_.folder(id));
        record.name = std::move(name);
        add(record, 1, index++, std::uint16_t(total));
    }
    strict();
    changed(0);
    return state_.last;
}

util::Result<Lsn> LogStore::remove_mailbox(std::string_view name)
{
    if (failure_)
        return *failure_;
    std::string wanted = normalized(name);
    Folder* folder = state_.folder(wanted);
    if (!folder)
        return unknown(name);
    if (wanted == "INBOX")
        return util::permanent("INBOX cannot be deleted");
    std::string below = wanted + hierarchy_separator;
    auto child = state_.names.lower_bound(below);
    if (child != state_.names.end() && child->first.starts_with(below))
        return util::permanent("mailbox has children");
    TRY(loaded(folder->id));
    // Of what compaction has left out of it so far only a census tells.
    if (compaction_ && compaction_->compactor.censuses.contains(folder->id))
        TRY(take_census(*folder));
    TRY(prepare(max_mailbox_name_length + 64, 1, Room::Essential));
    add(MailboxRemovedRecord{.id = folder->id, .seconds = wall_seconds(), .name = wanted});
    strict();
    changed(0);
    return state_.last;
}

util::Result<Lsn> LogStore::set_special_use(std::string_view name, SpecialUse use)
{
    if (failure_)
        return *failure_;
    Folder* folder = state_.folder(normalized(name));
    if (!folder)
        return unknown(name);
    MailboxRecord record = record_of(*folder);
    record.special_use = use;
    TRY(prepare(max_mailbox_name_length + max_keywords * (max_keyword_length + 4) + 128, 1, Room::Growth));
    add(record);
    strict();
    changed(0);
    return state_.last;
}

util::Result<Lsn> LogStore::adopt_identity(MailboxId mailbox, std::uint32_t uid_validity,
                                           std::uint32_t uid_next)
{
    Folder* folder = TRY(target(mailbox));
    if (uid_validity == 0 || uid_next == 0)
        return util::invalid("uid validity and next uid are never 0");
    if (folder->uid_next != 1 && folder->uid_validity != uid_validity)
        return util::invalid("the mailbox already has an identity of its own");
    MailboxRecord record = record_of(*folder);
    record.uid_validity = uid_validity;
    record.uid_next = uid_next;
    TRY(prepare(max_mailbox_name_length + max_keywords * (max_keyword_length + 4) + 128, 1, Room::Growth));
    add(record);
    strict();
    changed(mailbox);
    return state_.last;
}

util::Result<Lsn> LogStore::subscribe(std::string_view name, bool on)
{
    if (failure_)
        return *failure_;
    std::string wanted = normalized(name);
    if (on)
        wanted = TRY(checked_name(name));
    if (state_.is_subscribed(wanted) == on)
        return durable_;
    if (on && state_.subscriptions.size() >= std::size_t(2) * options_.max_mailboxes)
        return util::permanent("too many subscriptions");
    TRY(prepare(wanted.size() + 64, 1, Room::Essential));
    add(SubscriptionRecord{.on = on, .name = std::move(wanted)});
    strict();
    changed(0);
    return state_.last;
}

}  // namespace store
