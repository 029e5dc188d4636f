// The arguments of NOTIFY.
#include "imapd/engine/notify_arguments.h"

#include "libmail/normal_form.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;
using Filter = NotifyGroup::Filter;

namespace {

class NotifyParser {
public:
    NotifyParser(Scanner& arguments, bool with_uid) : arguments_(arguments), with_uid_(with_uid) {}

    util::Result<void> group(NotifyArguments& all);
    bool unsupported() const { return unsupported_; }

private:
    util::Result<void> filter(NotifyGroup& group);
    util::Result<void> names(NotifyGroup& group);
    util::Result<void> name(NotifyGroup& group);
    util::Result<void> events(NotifyGroup& group);
    util::Result<void> event(NotifyGroup& group);

    Scanner& arguments_;
    bool with_uid_;
    bool unsupported_ = false;
    std::size_t names_ = 0;
};

util::Result<void> NotifyParser::name(NotifyGroup& group)
{
    auto name = TRY(arguments_.mailbox());
    if (++names_ > max_notify_names)
        return util::permanent("[NOTIFICATIONOVERFLOW] These are too many mailboxes");
    group.names.push_back(mail::normal_form(name));
    return {};
}

util::Result<void> NotifyParser::names(NotifyGroup& group)
{
    TRY(arguments_.space());
    if (!arguments_.skip('('))
        return name(group);
    do {
        TRY(name(group));
    } while (arguments_.skip(' '));
    return arguments_.expect(')');
}

util::Result<void> NotifyParser::filter(NotifyGroup& group)
{
    auto word = TRY(arguments_.atom());
    auto is = [&](std::string_view name) { return util::equal_nocase(word, name); };
    if (is("SELECTED")) {
        group.filter = Filter::Selected;
    } else if (is("SELECTED-DELAYED")) {
        group.filter = Filter::SelectedDelayed;
    } else if (is("PERSONAL") || is("INBOXES")) {
        // RFC 5465 §6.3: mail can be delivered into every mailbox.
        group.filter = Filter::Personal;
    } else if (is("SUBSCRIBED")) {
        group.filter = Filter::Subscribed;
    } else if (is("SUBTREE")) {
        group.filter = Filter::Subtree;
        return names(group);
    } else if (is("MAILBOXES")) {
        group.filter = Filter::Mailboxes;
        return names(group);
    } else {
        return util::invalid("Unknown mailbox specifier");
    }
    return {};
}

util::Result<void> NotifyParser::event(NotifyGroup& group)
{
    auto word = TRY(arguments_.atom());
    auto is = [&](std::string_view name) { return util::equal_nocase(word, name); };
    if (is("MessageNew")) {
        group.events |= MessageNew;
        if (!arguments_.rest().starts_with(" ("))
            return {};
        // RFC 5465 §8.
        if (!group.is_selected())
            return util::invalid("Only of the selected mailbox messages can be fetched");
        TRY(arguments_.space());
        group.items = TRY(parse_fetch_items(arguments_, with_uid_));
        group.items.marks_seen = false;   // the client has not asked for this message
    } else if (is("MessageExpunge")) {
        group.events |= MessageExpunge;
    } else if (is("FlagChange")) {
        group.events |= FlagChange;
    } else if (is("MailboxName")) {
        group.events |= MailboxName;
    } else if (is("SubscriptionChange")) {
        group.events |= SubscriptionChange;
    } else if (is("MailboxMetadataChange")) {
        group.events |= MailboxMetadataChange;
    } else if (is("ServerMetadataChange")) {
        group.events |= ServerMetadataChange;
    } else {
        unsupported_ = true;
    }
    return {};
}

util::Result<void> NotifyParser::events(NotifyGroup& group)
{
    if (arguments_.skip_atom("NONE"))
        return {};
    TRY(arguments_.expect('('));
    do {
        TRY(event(group));
    } while (arguments_.skip(' '));
    TRY(arguments_.expect(')'));
    // RFC 5465 §5 and §6.1.
    constexpr Events both = MessageNew | MessageExpunge;
    if ((group.events & MessageEvents) != 0 && (group.events & both) != both)
        return util::invalid("MessageNew and MessageExpunge belong together, and to FlagChange");
    if (group.is_selected() && (group.events & ~MessageEvents) != 0)
        return util::invalid("Of the selected mailbox there are message events only");
    return {};
}

util::Result<void> NotifyParser::group(NotifyArguments& all)
{
    TRY(arguments_.expect('('));
    if (all.groups.size() >= max_notify_groups)
        return util::permanent("[NOTIFICATIONOVERFLOW] These are too many event groups");
    auto& group = all.groups.emplace_back();
    TRY(filter(group));
    TRY(arguments_.space());
    TRY(events(group));
    TRY(arguments_.expect(')'));
    if (group.is_selected() &&
        std::any_of(all.groups.begin(), all.groups.end() - 1, [](const NotifyGroup& other) { return other.is_selected(); }))
        return util::invalid("The selected mailbox is there twice");
    return {};
}

}  // namespace

util::Result<NotifyArguments> parse_notify(Scanner& arguments, bool with_uid)
{
    NotifyArguments all;
    all.text = arguments.rest();
    if (all.text.size() > max_notify_text)
        return util::permanent("[NOTIFICATIONOVERFLOW] This is too much");
    if (arguments.skip_atom("NONE")) {
        all.none = true;
        TRY(arguments.end());
        return all;
    }
    if (!arguments.skip_atom("SET"))
        return util::invalid("SET or NONE expected");
    TRY(arguments.space());
    if (arguments.skip_atom("STATUS")) {
        all.status = true;
        TRY(arguments.space());
    }
    NotifyParser parser(arguments, with_uid);
    do {
        TRY(parser.group(all));
    } while (arguments.skip(' '));
    TRY(arguments.end());
    // RFC 5465 §3.1: NO, not BAD.
    if (parser.unsupported())
        return util::permanent("[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
                               "MailboxMetadataChange ServerMetadataChange)] Not all of these events can be told of");
    return all;
}

}  // namespace imapd::engine
