// What a client is told of mailboxes that it has not selected.
#include "imapd/engine/notifier.h"

#include "imapd/engine/special_use.h"
#include "imapd/syntax/mailbox_name.h"
#include "libstore/visibility.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using Filter = NotifyGroup::Filter;

namespace {

std::string_view parent_of(std::string_view name)
{
    auto at = name.rfind(store::hierarchy_separator);
    return at == std::string_view::npos ? std::string_view() : name.substr(0, at);
}

bool is_below(std::string_view name, std::string_view top)
{
    return name.size() > top.size() && name.starts_with(top) && name[top.size()] == store::hierarchy_separator;
}

}  // namespace

Notifier::Notifier(store::Store& store, NotifyArguments arguments)
    : store_(store), arguments_(std::move(arguments)), filters_(filters_of(arguments_))
{
    watch_matching();
    remember_list();
}

const NotifyGroup* Notifier::selected() const
{
    for (const auto& group : arguments_.groups)
        if (group.is_selected() && group.events != 0)
            return &group;
    return nullptr;
}

void Notifier::silence()
{
    NotifyArguments none;
    none.none = true;
    none.text = "NONE";
    arguments_ = std::move(none);
    filters_ = {};
    known_.clear();
    names_.clear();
    changed_.clear();
    list_changed_ = false;
}

// RFC 5465 §6: several groups can apply to one mailbox.
Notifier::Filters Notifier::filters_of(const NotifyArguments& arguments)
{
    Filters filters;
    for (const auto& group : arguments.groups) {
        switch (group.filter) {
        case Filter::Selected:
        case Filter::SelectedDelayed:
            break;
        case Filter::Personal:
            filters.personal |= group.events;
            break;
        case Filter::Subscribed:
            filters.subscribed |= group.events;
            break;
        case Filter::Subtree:
            for (const auto& name : group.names)
                filters.subtrees[name] |= group.events;
            break;
        case Filter::Mailboxes:
            for (const auto& name : group.names)
                filters.mailboxes[name] |= group.events;
            break;
        }
    }
    return filters;
}

Events Notifier::events_of(std::string_view name) const
{
    Events events = filters_.personal;
    auto add = [&](const auto& named, std::string_view key) {
        if (auto found = named.find(key); found != named.end())
            events |= found->second;
    };
    add(filters_.mailboxes, name);
    if (!filters_.subtrees.empty()) {
        add(filters_.subtrees, name);
        for (auto at = name.find(store::hierarchy_separator); at != name.npos;
             at = name.find(store::hierarchy_separator, at + 1))
            add(filters_.subtrees, name.substr(0, at));
    }
    if ((filters_.subscribed & ~events) && std::ranges::binary_search(store_.subscriptions(), name))
        events |= filters_.subscribed;
    return events;
}

bool Notifier::wants_annotations() const
{
    return std::any_of(arguments_.groups.begin(), arguments_.groups.end(),
                       [](const NotifyGroup& group) { return group.events & (MailboxMetadataChange | ServerMetadataChange); });
}

bool Notifier::wants_annotations_of(std::string_view name) const
{
    if (!name.empty())
        return events_of(name) & MailboxMetadataChange;
    return std::any_of(arguments_.groups.begin(), arguments_.groups.end(),
                       [](const NotifyGroup& group) { return group.events & ServerMetadataChange; });
}

bool Notifier::wants_list() const
{
    return std::any_of(arguments_.groups.begin(), arguments_.groups.end(),
                       [](const NotifyGroup& group) { return group.events & (MailboxName | SubscriptionChange); });
}

Notifier::Known Notifier::known_of(const store::MailboxFacts& mailbox)
{
    return {.uid_next = mailbox.uid_next, .messages = std::uint32_t(mailbox.message_count()), .unseen = mailbox.unseen,
            .modseq = mailbox.highest_modseq};
}

bool Notifier::differs(store::MailboxId id)
{
    auto known = known_.find(id);
    auto mailbox = store_.facts(id);
    return known != known_.end() && mailbox.ok() && (*mailbox)->highest_modseq > known->second.modseq;
}

// The list decides what is watched, by names and by subscriptions.
void Notifier::watch_matching()
{
    std::erase_if(known_, [this](const auto& known) {
        auto mailbox = store_.facts(known.first);
        return !mailbox.ok() || (events_of((*mailbox)->name) & MessageEvents) == 0;
    });
    for (const auto& [name, id] : store_.mailboxes()) {
        if (known_.size() > max_watched)
            return;
        if (known_.contains(id) || (events_of(name) & MessageEvents) == 0)
            continue;
        if (auto mailbox = store_.facts(id); mailbox.ok())
            known_.emplace(id, known_of(**mailbox));
    }
}

void Notifier::remember_list()
{
    names_.clear();
    subscriptions_.clear();
    if (!wants_list())
        return;
    for (const auto& [name, id] : store_.mailboxes())
        names_.emplace(id, name);
    subscriptions_ = store_.subscriptions();
}

bool Notifier::list_differs() const
{
    if (subscriptions_ != store_.subscriptions() || names_.size() != store_.mailboxes().size())
        return true;
    return std::any_of(names_.begin(), names_.end(), [this](const auto& known) {
        auto found = store_.mailboxes().find(known.second);
        return found == store_.mailboxes().end() || found->second != known.first;
    });
}

void Notifier::changed(store::MailboxId mailbox)
{
    if (is_silent() || own_)
        return;
    if (mailbox != 0) {
        if (known_.contains(mailbox))
            changed_.insert(mailbox);
        return;
    }
    watch_matching();
    if (wants_list() && list_differs()) {
        list_changed_ = true;
        list_position_ = store_.last();
    }
}

void Notifier::suspect_all()
{
    for (const auto& known : known_)
        changed(known.first);
    changed(0);
}

// RFC 5465 §3.1.
void Notifier::tell_status(std::string& out, const StatusFacts& facts, store::MailboxId selected) const
{
    for (const auto& known : known_) {
        auto mailbox = store_.facts(known.first);
        if (known.first == selected || !mailbox.ok())
            continue;
        Events events = events_of((*mailbox)->name);
        StatusItems items = status_items({"MESSAGES", "UIDNEXT", "UIDVALIDITY"});
        if (events & FlagChange)
            items |= status_items({"HIGHESTMODSEQ"});
        append_status(out, facts, **mailbox, items);
    }
}

void Notifier::tell(std::string& out, const StatusFacts& facts, store::MailboxId selected, bool condstore)
{
    if (list_changed_ && store_.durable() >= list_position_) {
        list_changed_ = false;
        tell_list(out, facts);
    }
    for (auto next = changed_.begin(); next != changed_.end();) {
        auto mailbox = store_.facts(*next);
        if (mailbox.ok() && *next != selected && (*mailbox)->highest_modseq > store_.visible()) {
            ++next;   // it may not be shown yet
            continue;
        }
        if (mailbox.ok() && *next != selected)
            tell_mailbox(out, facts, **mailbox, condstore);
        next = changed_.erase(next);
    }
}

// RFC 5465 §5.1 to §5.3.
void Notifier::tell_mailbox(std::string& out, const StatusFacts& facts, const store::MailboxFacts& mailbox, bool condstore)
{
    auto known = known_.find(mailbox.id);
    if (known == known_.end())
        return;
    Known before = std::exchange(known->second, known_of(mailbox));
    const Known& now = known->second;
    if (now.modseq <= before.modseq)
        return;
    StatusItems items = 0;
    // Some came, or some went, whether or not the client hears of the others.
    if (now.uid_next != before.uid_next || now.messages != before.messages)
        items |= status_items({"MESSAGES", "UIDNEXT"}) | (condstore ? status_items({"HIGHESTMODSEQ"}) : 0);
    if (events_of(mailbox.name) & FlagChange) {
        if (now.unseen != before.unseen)
            items |= status_items({"UIDVALIDITY", "UNSEEN"});
        if (condstore)
            items |= status_items({"UIDVALIDITY", "HIGHESTMODSEQ"});
    }
    if (items != 0)
        append_status(out, facts, mailbox, items);
}

// RFC 5465 §5.4 and §5.5: one LIST for each name that is affected.
void Notifier::tell_list(std::string& out, const StatusFacts& facts)
{
    std::map<std::string, std::string> told;   // and the old name
    auto affected = [&](std::string_view name, std::string_view old_name = {}) {
        if (!name.empty() && ((events_of(name) | events_of(old_name)) & MailboxName))
            told.emplace(name, old_name);
    };
    std::map<store::MailboxId, std::string> now;
    for (const auto& [name, id] : store_.mailboxes())
        now.emplace(id, name);
    std::map<std::string_view, store::MailboxId> before_by_name;
    for (const auto& [id, name] : names_)
        before_by_name.emplace(name, id);
    // Of what is renamed together with what it lies below, nothing is said.
    auto moved_along = [&](std::string_view from, std::string_view to) {
        for (auto top = parent_of(from); !top.empty(); top = parent_of(top)) {
            auto before = before_by_name.find(top);
            auto at = before == before_by_name.end() ? now.end() : now.find(before->second);
            if (at != now.end() && at->second != top && is_below(to, at->second) &&
                from.substr(top.size()) == to.substr(at->second.size()))
                return true;
        }
        return false;
    };
    for (const auto& [id, name] : now) {
        auto before = names_.find(id);
        if (before == names_.end()) {
            affected(name);
            affected(parent_of(name));
        } else if (before->second != name && !moved_along(before->second, name)) {
            affected(name, before->second);
        }
    }
    for (const auto& [id, name] : names_) {
        if (now.contains(id))
            continue;
        affected(name);
        affected(parent_of(name));
    }
    std::vector<std::string> subscriptions;
    std::set_symmetric_difference(subscriptions_.begin(), subscriptions_.end(), store_.subscriptions().begin(),
                                  store_.subscriptions().end(), std::back_inserter(subscriptions));
    for (const auto& name : subscriptions) {
        // One that is not subscribed any more is still such a one here.
        if ((filters_.subscribed | events_of(name)) & SubscriptionChange)
            told.emplace(name, "");
    }
    for (const auto& [name, old_name] : told)
        append_list(out, facts, name, old_name);
    remember_list();
}

void Notifier::append_list(std::string& out, const StatusFacts& facts, std::string_view name, std::string_view old_name) const
{
    auto found = store_.mailboxes().find(name);
    bool exists = found != store_.mailboxes().end();
    const auto& subscriptions = store_.subscriptions();
    out += "* LIST (";
    out += !exists ? "\\NonExistent" : has_children(store_, name) ? "\\HasChildren" : "\\HasNoChildren";
    if (std::binary_search(subscriptions.begin(), subscriptions.end(), name))
        out += " \\Subscribed";
    if (auto mailbox = exists ? store_.facts(found->second) : util::not_found("");
        mailbox.ok() && (*mailbox)->special_use != store::SpecialUse::None)
        util::append(out, " ", attribute_of((*mailbox)->special_use));
    out += ") \"/\" ";
    syntax::append_mailbox_name(out, name, facts.form);
    if (!old_name.empty()) {
        out += " (\"OLDNAME\" (";
        syntax::append_mailbox_name(out, old_name, facts.form);
        out += "))";
    }
    out += "\r\n";
}

void Notifier::left(store::MailboxId id, store::Lsn position)
{
    auto known = known_.find(id);
    auto mailbox = store_.facts(id);
    if (known == known_.end() || !mailbox.ok())
        return;
    if ((*mailbox)->highest_modseq <= position)
        known->second = known_of(**mailbox);
    else
        changed_.insert(id);
}

void Notifier::before_own(store::MailboxId mailbox)
{
    if (mailbox == 0)
        changed(0);
    else if (differs(mailbox))
        changed_.insert(mailbox);
    own_ = true;
}

void Notifier::after_own(store::MailboxId id)
{
    own_ = false;
    if (id == 0) {
        watch_matching();
        if (!list_changed_)
            remember_list();
        return;
    }
    auto known = known_.find(id);
    auto mailbox = store_.facts(id);
    if (known != known_.end() && mailbox.ok() && !changed_.contains(id))
        known->second = known_of(**mailbox);
}

void Notifier::write(std::string& out) const
{
    store::Writer writer(out);
    writer.u32(std::uint32_t(known_.size()));
    for (const auto& [id, known] : known_) {
        writer.u64(id);
        writer.u32(known.uid_next);
        writer.u32(known.messages);
        writer.u32(known.unseen);
        writer.u64(known.modseq);
    }
    writer.u32(std::uint32_t(names_.size()));
    for (const auto& [id, name] : names_) {
        writer.u64(id);
        writer.text(name);
    }
    writer.u32(std::uint32_t(subscriptions_.size()));
    for (const auto& name : subscriptions_)
        writer.text(name);
}

void Notifier::read(store::Reader& reader)
{
    // What is watched now without having been so is watched from now on.
    for (auto count = reader.count(28); count > 0; --count) {
        auto id = reader.u64();
        Known known{.uid_next = reader.u32(), .messages = reader.u32(), .unseen = reader.u32(), .modseq = reader.u64()};
        if (auto found = known_.find(id); found != known_.end())
            found->second = known;
    }
    names_.clear();
    for (auto count = reader.count(12); count > 0; --count) {
        auto id = reader.u64();
        names_.emplace(id, reader.text());
    }
    subscriptions_.clear();
    for (auto count = reader.count(4); count > 0; --count)
        subscriptions_.emplace_back(reader.text());
    if (!wants_list() || !std::is_sorted(subscriptions_.begin(), subscriptions_.end()))
        remember_list();
}

void Notifier::add_watches(std::vector<ipc::Resting::Watch>& watches, store::MailboxId selected) const
{
    for (const auto& [id, known] : known_)
        if (id != selected)
            watches.push_back({id, known.modseq});
    bool others = std::any_of(arguments_.groups.begin(), arguments_.groups.end(),
                              [](const NotifyGroup& group) { return !group.is_selected() && group.events != 0; });
    if (others)
        watches.push_back({0, store::list_fingerprint(store_)});
}

}  // namespace imapd::engine
