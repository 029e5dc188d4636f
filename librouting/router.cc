// Router: classes, recipients, routes.
#include "librouting/router.h"

#include "libutil/text.h"

#include <algorithm>

namespace routing {

namespace {

// "transport:nexthop"; a missing nexthop is the fallback.
Route parse_route(std::string_view text, std::string_view fallback)
{
    auto [transport, nexthop] = util::split_first(util::trim(text), ':');
    nexthop = util::trim(nexthop);
    return {std::string(transport), std::string(nexthop.empty() ? fallback : nexthop)};
}

template <typename Opened>
util::Result<void> named(std::string_view parameter, util::Result<Opened> opened, Opened& out)
{
    if (!opened.ok())
        return opened.take_error().in(parameter);
    out = opened.take();
    return {};
}

}  // namespace

util::Result<std::unique_ptr<Router>> Router::open(const conf::Common& common, const Config& config)
{
    std::unique_ptr<Router> router(new Router(common, config));
    using conf::Domains;
    using conf::Tables;
    TRY(named("mydestination", Domains::parse(*common.mydestination), router->local_));
    TRY(named("virtual_alias_domains", Domains::parse(*config.virtual_alias_domains), router->virtual_alias_));
    TRY(named("virtual_mailbox_domains", Domains::parse(*common.virtual_mailbox_domains),
              router->virtual_mailbox_));
    TRY(named("relay_domains", Domains::parse(*config.relay_domains, Domains::Subdomains::Always),
              router->relay_));
    TRY(named("local_recipient_maps", Tables::open(*config.local_recipient_maps), router->local_recipients_));
    TRY(named("virtual_alias_maps", Tables::open(*config.virtual_alias_maps), router->aliases_));
    TRY(named("virtual_mailbox_maps", Tables::open(*common.virtual_mailbox_maps), router->mailboxes_));
    TRY(named("relay_recipient_maps", Tables::open(*config.relay_recipient_maps), router->relay_recipients_));
    TRY(named("transport_maps", Tables::open(*config.transport_maps), router->transports_));
    const auto& propagate = *config.propagate_unmatched_extensions;
    router->propagate_extension_ = std::find(propagate.begin(), propagate.end(), "virtual") != propagate.end();
    return router;
}

void Router::refresh()
{
    for (auto* tables : {&local_recipients_, &aliases_, &mailboxes_, &relay_recipients_, &transports_})
        tables->refresh();
}

mail::Address Router::qualify(mail::Address address) const
{
    if (address.domain.empty() && !address.local_part.empty())
        address.domain = util::lower(*common_.myorigin);
    return address;
}

util::Result<Class> Router::class_of(std::string_view domain)
{
    if (TRY(local_.contains(domain)))
        return Class::Local;
    if (TRY(virtual_alias_.contains(domain)))
        return Class::VirtualAlias;
    if (TRY(virtual_mailbox_.contains(domain)))
        return Class::VirtualMailbox;
    if (TRY(relay_.contains(domain)))
        return Class::Relay;
    return Class::Default;
}

util::Result<bool> Router::is_ours(std::string_view domain)
{
    return TRY(class_of(domain)) != Class::Default;
}

std::vector<conf::Key> Router::account_keys(const mail::Address& recipient, bool local) const
{
    auto [user, extension] = mail::split_extension(recipient.local_part, *common_.recipient_delimiter);
    std::string bare(user);
    std::vector<conf::Key> keys = {{mail::to_text(recipient), false}};
    if (bare != recipient.local_part)
        keys.push_back({mail::to_text({bare, recipient.domain}), true});
    if (local) {
        keys.push_back({recipient.local_part, true});
        if (bare != recipient.local_part)
            keys.push_back({bare, true});
    } else {
        keys.push_back({"@" + recipient.domain, true});
    }
    return keys;
}

util::Result<std::optional<std::string>> Router::unlisted(const mail::Address& recipient)
{
    using Answer = std::optional<std::string>;
    mail::Address address = qualify(recipient);
    if (TRY(alias(address)))
        return Answer();
    Class kind = TRY(class_of(address.domain));
    const auto check = [&](conf::Tables& tables, bool local, std::string_view table) -> util::Result<Answer> {
        if (tables.empty() || TRY(tables.lookup(account_keys(address, local))))
            return Answer();
        return Answer(util::concat("User unknown in ", table, " table"));
    };
    switch (kind) {
    case Class::Local:
        return check(local_recipients_, true, "local recipient");
    case Class::VirtualAlias:
        return Answer("User unknown in virtual alias table");
    case Class::VirtualMailbox:
        return check(mailboxes_, false, "virtual mailbox");
    case Class::Relay:
        return check(relay_recipients_, false, "relay recipient");
    case Class::Default:
        break;
    }
    Route way = TRY(route(address));
    if (way.transport == "error")
        return Answer(way.nexthop);
    return Answer();
}

util::Result<std::optional<Route>> Router::mapped_route(const mail::Address& recipient)
{
    if (transports_.empty())
        return std::optional<Route>();
    std::vector<conf::Key> keys = account_keys(recipient, false);
    keys.pop_back();  // transport(5) has no @domain; it has domain and .parent instead
    keys.push_back({recipient.domain, true});
    for (std::size_t dot = recipient.domain.find('.'); dot != std::string::npos;
         dot = recipient.domain.find('.', dot + 1))
        keys.push_back({recipient.domain.substr(dot), true});
    keys.push_back({"*", true});
    auto found = TRY(transports_.lookup(keys));
    if (!found || found->value == ":")
        return std::optional<Route>();
    return std::optional<Route>(parse_route(found->value, recipient.domain));
}

util::Result<Route> Router::route(const mail::Address& recipient)
{
    mail::Address address = qualify(recipient);
    if (auto mapped = TRY(mapped_route(address)); mapped && !mapped->transport.empty())
        return std::move(*mapped);
    switch (TRY(class_of(address.domain))) {
    case Class::Local:
        return parse_route(*config_.local_transport, address.domain);
    case Class::VirtualAlias:
        return Route{"error", "5.1.1 User unknown in virtual alias table"};
    case Class::VirtualMailbox:
        return parse_route(*config_.virtual_transport, address.domain);
    case Class::Relay:
        return parse_route(*config_.relay_transport, address.domain);
    case Class::Default:
        break;
    }
    const std::string& relayhost = *config_.relayhost;
    return parse_route(*config_.default_transport, relayhost.empty() ? address.domain : relayhost);
}

util::Result<std::optional<Router::Mailbox>> Router::mailbox(const mail::Address& recipient)
{
    mail::Address address = qualify(recipient);
    bool local = TRY(class_of(address.domain)) == Class::Local;
    auto keys = account_keys(address, local);
    auto found = TRY((local ? local_recipients_ : mailboxes_).lookup(keys));
    if (!found)
        return std::optional<Mailbox>();
    return std::optional<Mailbox>(Mailbox{util::lower(keys[found->key].text), std::move(found->value)});
}

}  // namespace routing
