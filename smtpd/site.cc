// Site: our domains and their recipients.
#include "smtpd/site.h"

#include "librouting/keys.h"

namespace smtpd {

namespace {

Destinations::Kind kind_of(routing::AddressClass address_class)
{
    switch (address_class) {
    case routing::AddressClass::Local:
        return Destinations::Kind::Local;
    case routing::AddressClass::VirtualAlias:
        return Destinations::Kind::Alias;
    case routing::AddressClass::VirtualMailbox:
        return Destinations::Kind::Mailbox;
    case routing::AddressClass::Relay:
        return Destinations::Kind::Relay;
    case routing::AddressClass::Default:
        break;
    }
    return Destinations::Kind::Other;
}

}  // namespace

util::Result<std::unique_ptr<Site>> Site::open(const conf::Common& common, const routing::Config& config)
{
    auto router = TRY(routing::Router::open(common, config));
    TRY(router->open_srs());
    return std::unique_ptr<Site>(new Site(std::move(router)));
}

// As local(8) looks for them.
util::Result<std::vector<std::string>> Site::account_names(const mail::Address& address)
{
    std::vector<std::string> names;
    auto ends = TRY(router_->expand(address));
    if (ends.size() != 1)
        return names;
    auto address_class = TRY(router_->class_of(ends[0].domain));
    if (address_class == routing::AddressClass::Default || address_class == routing::AddressClass::Relay)
        return names;
    auto keys = routing::alias_keys(ends[0], router_->recipient_delimiter(), address_class == routing::AddressClass::Local);
    for (conf::Key& key : keys.keys)
        if (!key.text.starts_with('@'))
            names.push_back(std::move(key.text));
    return names;
}

util::Result<Destinations::Answer> Site::find(const mail::Address& address)
{
    auto found = TRY(router_->find(address));
    Answer answer;
    answer.kind = kind_of(found.address_class);
    answer.ours = answer.kind != Kind::Other;
    answer.final = answer.ours && answer.kind != Kind::Relay;
    answer.srs = found.srs;
    answer.listed = found.listed;
    answer.dsn = std::move(found.refusal.dsn);
    answer.reason = std::move(found.refusal.text);
    return answer;
}

}  // namespace smtpd
