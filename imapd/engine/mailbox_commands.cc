// Making, removing, renaming, subscribing mailboxes, and STATUS: RFC 3501 §6.3.3 to §6.3.10.
#include "imapd/engine/session.h"

#include "imapd/engine/mailbox_status.h"
#include "imapd/engine/special_use.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

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
    auto lsn = store_.create_mailbox(name, use);
    if (lsn.ok())
        await(*lsn, [this] { ok("CREATE completed"); });
    else
        refuse(lsn.error());
    return {};
}

Session::Answer Session::remove(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    auto mailbox = store_.mailbox(name);
    // One's own selected mailbox is closed first.
    if (mailbox.ok() && view_ && view_->id() == (*mailbox)->id && (*mailbox)->name != "INBOX")
        leave_mailbox();
    auto lsn = store_.remove_mailbox(name);
    if (lsn.ok()) {
        await(*lsn, [this] { ok("DELETE completed"); });
    } else if (has_children(store_, name)) {
        no("[HASCHILDREN] The mailbox has others below it");  // RFC 5530
    } else {
        refuse(lsn.error());
    }
    return {};
}

Session::Answer Session::rename(Scanner& arguments)
{
    TRY(arguments.space());
    auto from = TRY(arguments.mailbox());
    TRY(arguments.space());
    auto to = TRY(arguments.mailbox());
    TRY(arguments.end());
    drop_trailing_separator(to);
    auto lsn = store_.rename_mailbox(from, to);
    if (lsn.ok())
        await(*lsn, [this] { ok("RENAME completed"); });
    else
        refuse(lsn.error());
    return {};
}

Session::Answer Session::subscribe(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    drop_trailing_separator(name);
    auto lsn = store_.subscribe(name, true);
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
    auto lsn = store_.subscribe(name, false);
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
    const auto* mailbox = open_mailbox(name, "NONEXISTENT");
    if (!mailbox)
        return {};
    append_status(output_, store_, *mailbox, items);
    ok("STATUS completed");
    return {};
}

}  // namespace imapd::engine
