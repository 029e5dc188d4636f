// Classes, recipients and routes.
#include "librouting/router.h"

#include "libconf/accounts_file.h"
#include "librouting/keys.h"
#include "libutil/text.h"

#include <algorithm>

namespace routing {

using util::concat;
using util::Result;

namespace {

constexpr std::string_view class_names[] = {"local", "virtual alias", "virtual mailbox", "relay", "default"};

// An account that is disabled and takes no mail: the flags are the last field of an accounts: table's value.
bool refuses_mail(const conf::Found& found)
{
    if (!found.table.starts_with("accounts:"))
        return false;
    std::string_view flags = std::string_view(found.value).substr(found.value.rfind(':') + 1);
    auto words = util::split_words(flags, ",");
    return std::ranges::find(words, conf::no_mail_flag) != words.end();
}

Result<conf::Domains> open_domains(const conf::Words& words, bool subdomains = false)
{
    auto domains = conf::Domains::parse(*words, subdomains ? conf::Domains::Subdomains::Always
                                                           : conf::Domains::Subdomains::ByDot);
    if (!domains)
        return domains.take_error().in(words.name());
    return domains;
}

Result<conf::Tables> open_tables_of(const std::vector<std::string>& words, std::string_view parameter)
{
    auto tables = conf::Tables::open(words);
    if (!tables)
        return tables.take_error().in(parameter);
    return tables;
}

Result<conf::Tables> open_tables_of(const conf::Words& words) { return open_tables_of(*words, words.name()); }

bool looks_like_status(std::string_view word)
{
    auto parts = util::split(word, '.');
    if (parts.size() != 3 || parts[0].size() != 1 || (parts[0][0] != '2' && parts[0][0] != '4' && parts[0][0] != '5'))
        return false;
    for (std::string_view part : parts) {
        if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), util::is_digit))
            return false;
    }
    return true;
}

}  // namespace

Route parse_transport(std::string_view text, std::string_view nexthop)
{
    auto [transport, next] = util::split_first(util::trim(text), ':');
    next = util::trim(next);
    return {std::string(util::trim(transport)), std::string(next.empty() ? nexthop : next)};
}

std::string_view name_of(AddressClass address_class) { return class_names[std::size_t(address_class)]; }

Refusal refusal_of(const Route& route)
{
    char wanted = route.is_retry() ? '4' : '5';
    auto [first, rest] = util::split_first(route.nexthop, ' ');
    Refusal refusal;
    if (looks_like_status(first)) {
        refusal.dsn = first;
        refusal.dsn[0] = wanted;
        refusal.text = util::trim(rest);
    } else {
        refusal.dsn = concat(wanted, ".0.0");
        refusal.text = util::trim(route.nexthop);
    }
    if (refusal.text.empty())
        refusal.text = route.is_retry() ? "Mail for this address waits" : "Address is undeliverable";
    return refusal;
}

// --- opening -----------------------------------------------------------------------------------------

Ways Ways::of(const Config& config)
{
    return {*config.local_transport, *config.virtual_transport, *config.relay_transport, *config.default_transport,
            *config.relayhost, *config.transport_maps, *config.sender_dependent_relayhost_maps,
            *config.sender_dependent_default_transport_maps};
}

Result<std::unique_ptr<Router>> Router::open(const conf::Common& common, const Config& config, Ways ways, Aliases aliases)
{
    std::unique_ptr<Router> router(new Router(common, config, std::move(ways)));
    router->own_addresses_ = router->reached_at_ = own_addresses(common);
    for (const std::string& word : *config.proxy_interfaces)
        router->reached_at_.push_back(TRY(conf::IpAddress::parse(word)));
    TRY(router->open_tables(aliases));
    return router;
}

Result<void> Router::open_tables(Aliases aliases)
{
    auto open_aliases = [&](const conf::TableNames& names) -> Result<conf::Tables> {
        auto tables =
            conf::Tables::open(aliases == Aliases::Direct ? *names : visible_tables(*names, *common_.config_directory));
        return tables.ok() ? std::move(tables) : Result<conf::Tables>(tables.take_error().in(names.name()));
    };
    local_domains_ = TRY(open_domains(common_.mydestination, config_.matches_subdomains("mydestination")));
    alias_domains_ = TRY(open_domains(config_.virtual_alias_domains,
                                      config_.matches_subdomains("virtual_alias_domains")));
    mailbox_domains_ = TRY(open_domains(common_.virtual_mailbox_domains,
                                        config_.matches_subdomains("virtual_mailbox_domains")));
    relay_domains_ = TRY(open_domains(config_.relay_domains, config_.matches_subdomains("relay_domains")));
    local_recipients_ = TRY(open_aliases(config_.local_recipient_maps));
    local_aliases_ = TRY(open_aliases(config_.alias_maps));
    aliases_ = TRY(open_tables_of(config_.virtual_alias_maps));
    mailboxes_ = TRY(open_tables_of(common_.virtual_mailbox_maps));
    relay_recipients_ = TRY(open_tables_of(config_.relay_recipient_maps));
    transports_ = TRY(open_tables_of(ways_.transport_maps, "transport_maps"));
    sender_relayhosts_ = TRY(open_tables_of(ways_.sender_dependent_relayhost_maps, "sender_dependent_relayhost_maps"));
    sender_transports_ =
        TRY(open_tables_of(ways_.sender_dependent_default_transport_maps, "sender_dependent_default_transport_maps"));
    relocated_ = TRY(open_tables_of(config_.relocated_maps));
    srs_excluded_ = TRY(open_domains(config_.srs_exclude_domains, config_.matches_subdomains("srs_exclude_domains")));
    canonical_tables(Canonical::Sender) = TRY(open_tables_of(config_.sender_canonical_maps));
    canonical_tables(Canonical::Recipient) = TRY(open_tables_of(config_.recipient_canonical_maps));
    canonical_tables(Canonical::Both) = TRY(open_tables_of(config_.canonical_maps));
    return {};
}

Result<void> Router::check()
{
    std::string text;
    for (conf::Tables* tables : {&local_recipients_, &local_aliases_, &aliases_, &mailboxes_, &relay_recipients_, &transports_,
                                 &sender_relayhosts_, &sender_transports_, &relocated_, &canonical_[0],
                                 &canonical_[1], &canonical_[2]}) {
        auto good = tables->check();
        if (!good && text.find(good.error().text) == std::string::npos)
            util::append(text, text.empty() ? "" : "; ", good.error().text);
    }
    if (!text.empty())
        return util::temporary(std::move(text));
    return {};
}

// --- addresses ---------------------------------------------------------------------------------------

mail::Address Router::complete(mail::Address address) const
{
    return complete_with(std::move(address), *common_.myorigin);
}

namespace {

// "site!user" at the first '!', or "user%domain" at the last '%'; what would be no domain stays.
void turn_round(mail::Address& address, std::size_t at, bool domain_first)
{
    std::string_view local = address.local_part;
    std::string_view before = local.substr(0, at), after = local.substr(at + 1);
    auto domain = mail::parse_domain(domain_first ? before : after);
    std::string user(domain_first ? after : before);
    if (!domain || user.empty())
        return;
    address = {std::move(user), domain.take()};
}

}  // namespace

mail::Address Router::complete_with(mail::Address address, std::string_view origin) const
{
    if (address.is_null())
        return address;
    if (address.domain.empty()) {
        std::size_t bang = config_.swap_bangpath ? address.local_part.find('!') : std::string::npos;
        std::size_t percent = config_.allow_percent_hack ? address.local_part.rfind('%') : std::string::npos;
        if (bang != std::string::npos)
            turn_round(address, bang, true);
        else if (percent != std::string::npos)
            turn_round(address, percent, false);
    }
    if (address.domain.empty() && config_.append_at_myorigin)
        address.domain = util::lower(origin);
    if (config_.append_dot_mydomain && !address.domain.empty() && !address.is_literal() &&
        address.domain.find('.') == std::string::npos)
        util::append(address.domain, '.', util::lower(*common_.mydomain));
    return address;
}

bool Router::is_complete(const mail::Address& address) const
{
    return address.is_null() || (!address.domain.empty() && (!config_.append_dot_mydomain || address.is_literal() ||
                                                             address.domain.find('.') != std::string::npos));
}

bool Router::is_own(const conf::IpAddress& address) const
{
    return std::find(own_addresses_.begin(), own_addresses_.end(), address) != own_addresses_.end();
}

Result<bool> Router::is_local(std::string_view domain)
{
    if (domain.starts_with('[')) {
        auto literal = conf::IpAddress::parse(domain);
        return literal && std::ranges::find(reached_at_, *literal) != reached_at_.end();
    }
    return local_domains_.contains(domain);
}

Result<bool> Router::names_alone(std::string_view domain)
{
    if (util::equal_nocase(domain, *common_.myorigin))
        return true;
    return is_local(domain);
}

bool Router::propagates(std::string_view where) const
{
    const auto& words = *config_.propagate_unmatched_extensions;
    return std::find(words.begin(), words.end(), where) != words.end();
}

Result<std::optional<std::string>> Router::look_up(conf::Tables& tables, const mail::Address& address)
{
    if (tables.empty())
        return std::optional<std::string>();
    bool bare_names = TRY(names_alone(address.domain));
    auto found = TRY(tables.lookup(alias_keys(address, *common_.recipient_delimiter, bare_names).keys));
    return found ? std::optional(std::move(found->value)) : std::nullopt;
}

Result<AddressClass> Router::class_of(std::string_view domain)
{
    bool local = TRY(is_local(domain));
    if (local)
        return AddressClass::Local;
    bool alias = TRY(alias_domains_.contains(domain));
    if (alias)
        return AddressClass::VirtualAlias;
    bool mailbox = TRY(mailbox_domains_.contains(domain));
    if (mailbox)
        return AddressClass::VirtualMailbox;
    bool relay = TRY(relay_domains_.contains(domain));
    if (relay)
        return AddressClass::Relay;
    // A domain for SRS and nothing else: all its addresses stand for others.
    bool srs = !config_.srs_domain->empty() && util::equal_nocase(domain, *config_.srs_domain);
    return srs ? AddressClass::VirtualAlias : AddressClass::Default;
}

Result<bool> Router::is_ours(std::string_view domain)
{
    AddressClass address_class = TRY(class_of(domain));
    return address_class != AddressClass::Default;
}

Result<bool> Router::is_in(conf::Tables& tables, const mail::Address& address, bool bare_names)
{
    if (tables.empty())
        return false;
    auto keys = alias_keys(address, *common_.recipient_delimiter, bare_names);
    auto found = TRY(tables.lookup(keys.keys));
    return found.has_value();
}

Result<Recipient> Router::find(const mail::Address& address)
{
    Recipient recipient;
    recipient.address_class = TRY(class_of(address.domain));
    if (is_srs(address)) {
        recipient.srs = true;
        auto original = srs_original(address);
        recipient.listed = original.ok();
        if (!original)
            recipient.refusal = {"5.1.1", original.error().text};
        return recipient;
    }
    bool bare_names = recipient.address_class == AddressClass::Local;
    for (conf::Tables* replacing : {&canonical_tables(Canonical::Recipient), &canonical_tables(Canonical::Both), &aliases_}) {
        bool replaced = TRY(is_in(*replacing, address, bare_names));
        if (replaced)
            return recipient;
    }
    auto role = TRY(role_recipient(address));
    if (role || is_probe_sender(address))
        return recipient;
    Route way = TRY(route(address, {}));
    if (way.is_error()) {
        recipient.listed = false;
        recipient.refusal = refusal_of(way);
        return recipient;
    }
    conf::Tables* tables = nullptr;
    std::string_view table_name;
    switch (recipient.address_class) {
    case AddressClass::Local:
        tables = &local_recipients_;
        table_name = "local recipient";
        break;
    case AddressClass::VirtualMailbox:
        tables = &mailboxes_;
        table_name = "virtual mailbox";
        break;
    case AddressClass::Relay:
        tables = &relay_recipients_;
        table_name = "relay recipient";
        break;
    case AddressClass::VirtualAlias:  // its route is an error unless transport_maps knows better
    case AddressClass::Default:
        return recipient;
    }
    if (tables->empty())
        return recipient;
    recipient.listed = false;
    AddressKeys keys = alias_keys(address, *common_.recipient_delimiter, bare_names);
    std::optional<conf::Found> found;
    for (int attempt = 0; attempt < 2 && !recipient.listed; ++attempt) {
        // Mail for an account that was made or enabled a moment ago must not bounce.
        if (attempt > 0)
            tables->refresh();
        found = TRY(tables->lookup(keys.keys));
        recipient.listed = found && !refuses_mail(*found);
    }
    if (!found)
        recipient.refusal = {"5.1.1", concat("User unknown in ", table_name, " table")};
    else if (!recipient.listed)
        recipient.refusal = {"5.2.1", "Mailbox disabled"};
    return recipient;
}

// --- routes ------------------------------------------------------------------------------------------

Result<Route> Router::by_default(const mail::Address& recipient, const mail::Address& sender,
                                 AddressClass address_class)
{
    std::string nexthop = recipient.domain;
    if (!ways_.relayhost.empty())
        nexthop = ways_.relayhost;
    std::string transport = address_class == AddressClass::Relay ? ways_.relay_transport : ways_.default_transport;
    std::vector<conf::Key> keys;
    if (sender.is_null())
        keys = {{"<>"}};
    else
        keys = sender_keys(sender, *common_.recipient_delimiter);
    auto relayhost = TRY(sender_relayhosts_.lookup(keys));
    if (relayhost)
        nexthop = util::equal_nocase(relayhost->value, "DUNNO") ? nexthop : std::string(util::trim(relayhost->value));
    if (address_class == AddressClass::Default) {
        auto other = TRY(sender_transports_.lookup(keys));
        if (other && !util::equal_nocase(other->value, "DUNNO"))
            transport = other->value;
    }
    return parse_transport(transport, nexthop);
}

Result<Route> Router::by_class(const mail::Address& recipient, const mail::Address& sender)
{
    AddressClass address_class = TRY(class_of(recipient.domain));
    switch (address_class) {
    case AddressClass::Local:
        return parse_transport(ways_.local_transport, recipient.domain);
    case AddressClass::VirtualAlias:
        return Route{"error", "5.1.1 User unknown in virtual alias table"};
    case AddressClass::VirtualMailbox:
        return parse_transport(ways_.virtual_transport, recipient.domain);
    case AddressClass::Relay:
    case AddressClass::Default:
        break;
    }
    return by_default(recipient, sender, address_class);
}

Result<Route> Router::route(const mail::Address& recipient, const mail::Address& sender)
{
    // One that is good has become another recipient before.
    if (is_srs(recipient))
        return Route{"error", "5.1.1 SRS address: not good for this message"};
    // Whatever the class: a table knows better.
    auto moved = TRY(look_up(relocated_, recipient));
    if (moved)
        return Route{"error", concat("5.1.6 User has moved to ", util::trim(*moved))};
    bool to_nobody = TRY(is_for_nobody(recipient));
    if (to_nobody)
        return Route{"discard", "for the sender of probes"};
    Route route = TRY(by_class(recipient, sender));
    if (transports_.empty())
        return route;
    auto keys = transport_keys(recipient, *common_.recipient_delimiter,
                               config_.matches_subdomains("transport_maps"));
    auto found = TRY(transports_.lookup(keys));
    if (!found)
        return route;
    auto [transport, nexthop] = util::split_first(util::trim(found->value), ':');
    if (util::trim(transport).empty()) {
        // ":nexthop" changes the nexthop only, ":" nothing.
        if (!util::trim(nexthop).empty())
            route.nexthop = util::trim(nexthop);
        return route;
    }
    return parse_transport(found->value, recipient.domain);
}

}  // namespace routing
