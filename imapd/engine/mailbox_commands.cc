// Making, removing, renaming, subscribing mailboxes, and STATUS: RFC 3501 §6.3.3 to §6.3.10.
#include "imapd/engine/session.h"

#include "imapd/engine/format.h"
#include "imapd/engine/mailbox_status.h"
#include "imapd/engine/special_use.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// CREATE "foo/" says that foo is to have children; a name that is only separators stays, and is
// refused by the store.
void drop_trailing_separator(std::string& name)
{
    if (name.size() > 1 && name.back() == store::hierarchy_separator)
        name.pop_back();
}

}  // namespace

// RFC 4314 §4: "k" of the nearest mailbox above that there is.  At the top the owner may, and nobody else.
bool Session::may_create(std::string_view name)
{
    for (auto at = name.rfind(store::hierarchy_separator); at != name.npos && at > 0;
         at = name.rfind(store::hierarchy_separator, at - 1)) {
        auto parent = store_.facts(name.substr(0, at));
        if (parent.ok())
            return permitted(**parent, right::Create);
    }
    if (is_guest())
        no("[NOPERM] You have no right to do that");
    return !is_guest();
}

// RFC 4314 §4: a new mailbox has the list of its parent.  What both are durable at.
store::Lsn Session::inherit_access(std::string_view name, store::Lsn made)
{
    auto at = name.rfind(store::hierarchy_separator);
    auto mailbox = store_.facts(name);
    auto parent = store_.facts(name.substr(0, at == name.npos ? 0 : at));
    if (!mailbox.ok() || !parent.ok())
        return made;
    auto list = (*parent)->annotations.find(access_annotation);
    if (list == (*parent)->annotations.end())
        return made;
    std::vector<store::NewAnnotation> change = {{std::string(access_annotation), list->second.value}};
    auto lsn = store_.annotate((*mailbox)->id, change);
    return lsn.ok() ? *lsn : made;
}

// RFC 3501 §6.3.3; (USE (..)): RFC 6154 §3.
Session::Answer Session::create(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    auto use = store::SpecialUse::None;
    bool unknown_use = false;
    if (arguments.skip(' ')) {
        TRY(arguments.expect('('));
        if (!arguments.skip_word("USE ("))
            return util::invalid("USE (..) expected");
        while (!arguments.skip(')')) {
            arguments.skip(' ');
            TRY(arguments.expect('\\'));
            auto attribute = TRY(arguments.atom());
            unknown_use = unknown_use || use != store::SpecialUse::None;  // one each
            use = special_use_named(attribute);
            unknown_use = unknown_use || use == store::SpecialUse::None;
        }
        TRY(arguments.expect(')'));
    }
    TRY(arguments.end());
    if (unknown_use) {
        no("[USEATTR] This special use is not supported");
        return {};
    }
    drop_trailing_separator(name);
    std::string told;
    name = new_name(std::move(name), told);
    if (!may_create(name))
        return {};
    auto lsn = [&] {
        Own own(*this, 0);
        return store_.create_mailbox(name, use);
    }();
    if (lsn.ok())
        await(inherit_access(name, *lsn), [this, name, told] {
            tell_renamed(name, told);
            std::string code;  // RFC 8474 §4.1
            if (auto made = store_.facts(name); made.ok())
                append_mailbox_id(code, (*made)->id);
            ok(code.empty() ? "CREATE completed" : util::concat("[MAILBOXID (", code, ")] CREATE completed"));
        });
    else
        refuse(lsn.error());
    return {};
}

Session::Answer Session::remove(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = known_name(TRY(arguments.mailbox()));
    TRY(arguments.end());
    auto mailbox = store_.facts(name);
    if (mailbox.ok() && !permitted(**mailbox, right::DeleteMailbox))
        return {};
    before_expunging(mailbox.ok() ? (*mailbox)->message_count() : 0, [this, name] { remove_named(name); });
    return {};
}

void Session::remove_named(const std::string& name)
{
    auto mailbox = store_.facts(name);
    if (mailbox.ok() && !permitted(**mailbox, right::DeleteMailbox))   // perhaps not any more
        return;
    // One's own selected mailbox is closed first.
    if (mailbox.ok() && view_ && view_->id() == (*mailbox)->id && (*mailbox)->name != "INBOX")
        leave_mailbox();
    auto lsn = [&] {
        Own own(*this, 0);
        return store_.remove_mailbox(name);
    }();
    if (lsn.ok()) {
        await(*lsn, [this] { ok("DELETE completed"); });
    } else if (has_children(store_, name)) {
        no("[HASCHILDREN] The mailbox has others below it");  // RFC 5530
    } else {
        refuse(lsn.error());
    }
}

Session::Answer Session::rename(Scanner& arguments)
{
    TRY(arguments.space());
    auto given = TRY(arguments.mailbox());
    TRY(arguments.space());
    auto to = TRY(arguments.mailbox());
    TRY(arguments.end());
    drop_trailing_separator(to);
    auto from = known_name(given);
    std::string told;
    to = new_name(std::move(to), told);
    // RFC 9051 §6.3.6: the old name is told when either was not in its normal form.
    if (from != inner_name(given) || !told.empty())
        told = inner_name(given);
    auto mailbox = store_.facts(from);
    bool moves = mailbox.ok() && (*mailbox)->name == "INBOX" && !is_guest();   // all of its messages: RFC 9051 §6.3.6
    before_copying(moves ? (*mailbox)->message_count() : 0, 0,
                   [this, from, to, told](store::TransferSpace* space) { rename_named(from, to, told, space); });
    return {};
}

void Session::rename_named(const std::string& from, const std::string& to, const std::string& told, store::TransferSpace* space)
{
    if (auto mailbox = store_.facts(from); mailbox.ok()) {
        if (!permitted(**mailbox, right::DeleteMailbox) || !may_create(to))
            return;
        // What is below it moves along: the right is needed there, too.
        const std::string below = (*mailbox)->name + store::hierarchy_separator;
        auto child = is_guest() ? store_.mailboxes().upper_bound(below) : store_.mailboxes().end();
        for (; child != store_.mailboxes().end() && child->first.starts_with(below); ++child)
            if (auto found = store_.facts(child->second); found.ok() && !(rights_on(**found) & right::DeleteMailbox))
                return no("[NOPERM] You have no right to move a mailbox below it");
        if (is_guest() && (*mailbox)->name == "INBOX")
            return no("[NOPERM] The mail of another user's INBOX cannot be moved away like this");
    }
    auto lsn = [&] {
        Own own(*this, 0);
        return store_.rename_mailbox(from, to, space);
    }();
    if (!lsn.ok())
        return refuse(lsn.error());
    await(*lsn, [this, to, told] {
        tell_renamed(to, told);
        ok("RENAME completed");
    });
}

Session::Answer Session::subscribe(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    drop_trailing_separator(name);
    auto lsn = [&] {
        Own own(*this, 0);
        return store_.subscribe(known_name(name), true);
    }();
    if (lsn.ok())
        await(*lsn, [this] { ok("SUBSCRIBE completed"); });
    else
        refuse(lsn.error());
    return {};
}

Session::Answer Session::unsubscribe(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    drop_trailing_separator(name);
    const auto& names = store_.subscriptions();  // sorted
    if (!std::binary_search(names.begin(), names.end(), name))
        name = known_name(std::move(name));
    auto lsn = [&] {
        Own own(*this, 0);
        return store_.subscribe(name, false);
    }();
    if (lsn.ok())
        await(*lsn, [this] { ok("UNSUBSCRIBE completed"); });
    else
        refuse(lsn.error());
    return {};
}

Session::Answer Session::status(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.space());
    auto items = TRY(parse_status_items(arguments));
    TRY(arguments.end());
    const auto* mailbox = open_mailbox(name, "NONEXISTENT", right::Read);
    if (!mailbox)
        return {};
    if (asks_modseq(items))
        use_condstore();
    append_status(output_, status_facts(), *mailbox, items);
    ok("STATUS completed");
    return {};
}

}  // namespace imapd::engine
