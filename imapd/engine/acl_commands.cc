// The commands of RFC 4314: GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS.
#include "imapd/engine/session.h"

#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <cerrno>

namespace imapd::engine {

using syntax::Scanner;

namespace {

struct AclNames {
    std::string mailbox;
    std::string_view identifier;
};

util::Result<AclNames> acl_names(Scanner& arguments)
{
    AclNames names;
    TRY(arguments.space());
    names.mailbox = TRY(arguments.mailbox());
    TRY(arguments.space());
    names.identifier = TRY(arguments.astring());
    return names;
}

}  // namespace

// --- rights of this session ----------------------------------------------------------------------

Rights Session::rights_on(const store::MailboxFacts& mailbox) const
{
    // Nobody but the owner comes near a mailbox without a list.
    if (!is_guest() && !mailbox.annotations.contains(access_annotation))
        return right::All;
    return AccessList::of(mailbox).rights_of(reader(), facts_.user, facts_.groups);
}

Rights Session::selected_rights()
{
    const auto* mailbox = view_ ? view_->facts() : nullptr;
    return mailbox ? rights_on(*mailbox) : right::None;
}

// RFC 4314 §6: of a mailbox that may not be looked up nothing is told, not even that it is there.
void Session::deny(const store::MailboxFacts& mailbox)
{
    no(rights_on(mailbox) & right::Lookup ? "[NOPERM] You have no right to do that" : "[NONEXISTENT] There is no such mailbox");
}

bool Session::permitted(const store::MailboxFacts& mailbox, Rights needed)
{
    if ((rights_on(mailbox) & needed) == needed)
        return true;
    deny(mailbox);
    return false;
}

bool Session::selected_permits(Rights needed)
{
    const auto* mailbox = view_->facts();
    return mailbox && permitted(*mailbox, needed);
}

// RFC 4314 §4: flags that may not be changed are left as they are.
store::Flags Session::changeable_flags(Rights rights)
{
    store::Flags flags = 0;
    if (rights & right::KeepSeen)
        flags |= store::Seen;
    if (rights & right::DeleteMessages)
        flags |= store::Deleted;
    if (rights & right::Write)
        flags |= store::Answered | store::Flagged | store::Draft;
    return flags;
}

// --- commands ------------------------------------------------------------------------------------

Session::Answer Session::get_acl(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    const auto* mailbox = open_mailbox(name, "NONEXISTENT", right::Administer);
    if (!mailbox)
        return {};
    auto list = AccessList::of(*mailbox);
    std::string response = "ACL ";
    append_name(response, mailbox->name);
    auto add = [&](std::string_view identifier, Rights rights) {
        response += ' ';
        syntax::append_string(response, identifier, form());
        util::append(response, " ", rights_text(rights));
    };
    if (!list.find(facts_.user))
        add(facts_.user, right::All);
    for (const auto& entry : list.entries())
        add(entry.identifier, entry.identifier == facts_.user ? entry.rights | right::Owners : entry.rights);
    untagged(response);
    ok("GETACL completed");
    return {};
}

void Session::change_acl(const store::MailboxFacts& mailbox, const AccessList& list)
{
    auto text = list.text();
    std::vector<store::NewAnnotation> change = {{std::string(access_annotation), std::nullopt}};
    if (!text.empty())
        change.front().value = std::move(text);
    auto lsn = store_.annotate(mailbox.id, change);
    if (lsn.ok())
        await(*lsn, [this] { ok(util::concat(verb_, " completed")); });
    else if (lsn.error().code == EFBIG || lsn.error().code == E2BIG)
        no("[LIMIT] The access control list is too large");
    else
        refuse(lsn.error());
}

// Whose rights, and where.
util::Result<Session::AclSubject> Session::acl_subject(std::string_view name, std::string_view given)
{
    auto who = prepared_identifier(given, facts_.user);
    if (!who.ok() && who.error().kind == util::Kind::Invalid)
        return who.take_error();
    return AclSubject{std::move(who), open_mailbox(name, "NONEXISTENT", right::Administer)};
}

Session::Answer Session::set_acl(Scanner& arguments)
{
    auto [name, given] = TRY(acl_names(arguments));
    TRY(arguments.space());
    auto change = TRY(arguments.astring());
    TRY(arguments.end());
    char sign = change.starts_with('+') || change.starts_with('-') ? change.front() : '=';
    auto rights = TRY(parse_rights(sign == '=' ? change : change.substr(1)));
    auto [who, mailbox] = TRY(acl_subject(name, given));
    if (!mailbox)
        return {};
    if (!who.ok()) {
        no(util::concat("[CANNOT] ", who.error().text));
        return {};
    }
    auto list = AccessList::of(*mailbox);
    const auto* entry = list.find(*who);
    Rights before = entry ? entry->rights : *who == facts_.user ? right::All : right::None;
    if (sign == '+')
        rights |= before;
    else if (sign == '-')
        rights = before & ~rights;
    if (auto set = list.set(*who, rights); !set.ok()) {
        no(util::concat("[LIMIT] There are ", set.error().text));
        return {};
    }
    change_acl(*mailbox, list);
    return {};
}

Session::Answer Session::delete_acl(Scanner& arguments)
{
    auto [name, given] = TRY(acl_names(arguments));
    TRY(arguments.end());
    auto [who, mailbox] = TRY(acl_subject(name, given));
    if (!mailbox)
        return {};
    auto list = AccessList::of(*mailbox);
    if (who.ok())
        list.remove(*who);   // one that is not there is gone, too
    change_acl(*mailbox, list);
    return {};
}

// No rights are tied; the owner always has two.
Session::Answer Session::list_rights(Scanner& arguments)
{
    auto [name, given] = TRY(acl_names(arguments));
    TRY(arguments.end());
    auto [who, mailbox] = TRY(acl_subject(name, given));
    if (!mailbox)
        return {};
    std::string response = "LISTRIGHTS ";
    append_name(response, mailbox->name);
    response += ' ';
    syntax::append_string(response, given, form());   // RFC 4314 §3.4: as the client wrote it
    if (who.ok() && *who == facts_.user)
        response += " la r s w i p k x t e c d";
    else if (who.ok())
        response += " \"\" l r s w i p k x t e a c d";
    else
        response += " \"\"";
    untagged(response);
    ok("LISTRIGHTS completed");
    return {};
}

void Session::tell_my_rights(const store::MailboxFacts& mailbox)
{
    std::string response = "MYRIGHTS ";
    append_name(response, mailbox.name);
    util::append(response, " ", rights_text(rights_on(mailbox)));
    untagged(response);
}

Session::Answer Session::my_rights(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    const auto* mailbox = open_mailbox(name, "NONEXISTENT");
    if (!mailbox)
        return {};
    // RFC 4314 §4: one of these shows that the mailbox is there.
    constexpr Rights any =
        right::Lookup | right::Read | right::Insert | right::Create | right::DeleteMailbox | right::Administer;
    if (!(rights_on(*mailbox) & any)) {
        deny(*mailbox);
        return {};
    }
    tell_my_rights(*mailbox);
    ok("MYRIGHTS completed");
    return {};
}

}  // namespace imapd::engine
