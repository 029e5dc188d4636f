// The ends of expansion: mailboxes of accounts and users, other transports, nobody.
#include "local/expansion.h"

#include "libconf/expand.h"
#include "libmail/destinations.h"

namespace local {

using ipc::Disposition;
using mail::Destination;
using util::concat;
using util::Result;

bool Expansion::is_virtual(const mail::Address& address) const
{
    auto address_class = rules_.router->class_of(address.domain);
    return address_class.ok() && *address_class != routing::AddressClass::Local;
}

void Expansion::deliver_user(const mail::Address& address, bool plain, const Origin& origin)
{
    std::string user = util::lower(user_of(address));
    // In the user's own .forward the user is the mailbox.
    if (util::equal_nocase(origin.owner, user) && origin.list == Origin::List::Forward)
        return deliver_mailbox(address, true, origin);
    if (plain) {
        auto account = rules_.find_account(mail::to_text(address));
        if (account.ok() || account.error().kind == util::Kind::Permanent)
            return deliver_mailbox(address, false, origin);
    }
    std::string extension(mail::split_extension(address.local_part, rules_.router->recipient_delimiter()).second);
    ask({.place = {.kind = ipc::Place::Kind::Forward, .name = std::move(user), .extension = std::move(extension), .steps = {}},
         .address = address,
         .origin = origin,
         .plain = plain});
}

// To another transport, if one is named for the user.  Who is not the recipient itself goes there by way of
// a new message.
Result<bool> Expansion::pass(const mail::Address& address, conf::Tables* tables, const std::string& otherwise,
                             const Origin& origin)
{
    std::string transport = otherwise;
    if (tables && !tables->empty()) {
        auto found = TRY(tables->lookup(std::vector<conf::Key>{{address.local_part}, {std::string(user_of(address)), true}}));
        if (found)
            transport = std::move(found->value);
    }
    if (transport.empty())
        return false;
    std::string text = mail::to_text(address);
    if (origin.depth > 0) {
        forward(address, origin);
        return true;
    }
    end(End::Kind::Pass, text, origin, concat("pass ", text));
    ends_.back().account = std::move(transport);
    return true;
}

void Expansion::deliver_mailbox(const mail::Address& address, bool is_user, const Origin& origin)
{
    std::string text = mail::to_text(address);
    bool local = !is_virtual(address);
    if (local) {
        auto passed = pass(address, rules_.mailbox_transports, rules_.mailbox_transport, origin);
        if (!passed.ok())
            return defer(passed.error());
        if (*passed)
            return;
    }
    auto account = rules_.find_account(text);
    if (account.ok()) {
        std::size_t before = ends_.size();
        end(End::Kind::Account, text, origin, concat("mailbox ", util::lower(text)));
        if (ends_.size() > before)
            ends_.back().account = account.take();
        return;
    }
    // There is one, and it takes no mail.
    if (account.error().kind == util::Kind::Permanent)
        return fail(Disposition::Bounced, "5.2.1", account.error().text, text);
    if (account.error().kind != util::Kind::NotFound)
        return defer(account.error());
    if (!is_user && (local || !rules_.virtual_mailboxes))
        return unknown(address, origin);
    if (!local) {
        Origin mapped = origin;
        mapped.place = {.kind = ipc::Place::Kind::Virtual, .name = text, .extension = {}, .steps = {}};
        return end(End::Kind::Errand, text, mapped, concat("mailbox ", util::lower(text)));
    }
    Origin own = origin;
    auto extension = mail::split_extension(address.local_part, rules_.router->recipient_delimiter()).second;
    own.place = {.kind = ipc::Place::Kind::Mailbox, .name = util::lower(user_of(address)), .extension = std::string(extension),
                 .steps = {}};
    end(End::Kind::Errand, text, own, concat("mailbox ", util::lower(text)));
}

void Expansion::unknown(const mail::Address& address, const Origin& origin)
{
    auto role = rules_.router->role_recipient(address);
    if (!role.ok())
        return defer(role.error());
    if (*role) {
        Destination other{.kind = Destination::Kind::Address, .text = mail::to_text(**role), .plain = false};
        expanded_ = true;
        Origin inner = origin;
        ++inner.depth;
        return walk_address(other, inner);
    }
    if (!is_virtual(address)) {
        auto passed = pass(address, rules_.fallback_transports, rules_.fallback_transport, origin);
        if (passed.ok() && !*passed)
            passed = relay_unknown(address, origin);
        if (!passed.ok())
            return defer(passed.error());
        if (*passed)
            return;
    }
    fail(Disposition::Bounced, "5.1.1", concat("unknown user: \"", util::printable(mail::to_text(address), 320), "\""),
         mail::to_text(address));
}

Result<bool> Expansion::relay_unknown(const mail::Address& address, const Origin& origin)
{
    if (rules_.luser_relay.empty() || origin.luser)
        return false;
    std::string user(user_of(address)), recipient = mail::to_text(address);
    std::string extension(mail::split_extension(address.local_part, rules_.router->recipient_delimiter()).second);
    const std::pair<std::string_view, std::string_view> values[] = {{"user", user},
                                                                    {"local", address.local_part},
                                                                    {"domain", address.domain},
                                                                    {"extension", extension},
                                                                    {"recipient", recipient}};
    auto text = conf::expand(rules_.luser_relay, [&](std::string_view name) -> std::optional<std::string_view> {
        for (const auto& value : values)
            if (value.first == name)
                return value.second;
        return std::nullopt;
    });
    if (!text.ok())
        return util::temporary(concat("luser_relay: ", text.error().text));
    auto other = mail::parse_address(*text);
    if (!other.ok())
        return util::temporary(concat("luser_relay: ", other.error().text));
    expanded_ = true;
    Origin inner = origin;
    ++inner.depth;
    inner.luser = true;
    walk_address({.kind = Destination::Kind::Address, .text = mail::to_text(*other), .plain = false}, inner);
    return true;
}

}  // namespace local
