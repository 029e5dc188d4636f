// Role names: postmaster and others who have mail in every domain.
#include "librouting/keys.h"
#include "librouting/probe_sender.h"
#include "librouting/router.h"
#include "libutil/text.h"

#include <algorithm>

namespace routing {

using util::Result;

Result<std::optional<conf::Found>> Router::find_alias(std::string_view name)
{
    return local_aliases_.lookup(std::vector<conf::Key>{{std::string(name)}});
}

// Root's own mailbox counts for nothing: nobody may read mail as root.
Result<bool> Router::takes_role_mail(const mail::Address& address)
{
    AddressClass address_class = TRY(class_of(address.domain));
    bool local = address_class == AddressClass::Local;
    bool bare_names = TRY(names_alone(address.domain));
    bool replaced = TRY(is_in(aliases_, address, bare_names));
    if (replaced)
        return true;
    if (local) {
        auto alias = TRY(find_alias(address.local_part));
        if (alias)
            return true;
        if (util::equal_nocase(address.local_part, "root"))
            return false;
        return is_in(local_recipients_, address, true);
    }
    if (address_class == AddressClass::VirtualMailbox)
        return is_in(mailboxes_, address, false);
    return false;
}

bool Router::is_probe_sender(const mail::Address& address) const
{
    std::string_view begin = std::string_view(*config_.probe_sender).substr(0, config_.probe_sender->rfind('@'));
    if (begin.empty() || !util::starts_with_nocase(address.local_part, begin))
        return false;
    auto probes = ProbeSender::of(*config_.probe_sender, *common_.myorigin, *config_.probe_sender_ttl);
    return probes.is_base(address) || probes.is_one(address, util::wall_now());
}

// Sites that ask whether there is a sender of probes should hear that there is; nobody reads mail for it.
Result<bool> Router::is_for_nobody(const mail::Address& address)
{
    if (!is_probe_sender(address))
        return false;
    AddressClass address_class = TRY(class_of(address.domain));
    if (address_class == AddressClass::Local) {
        bool own = TRY(takes_role_mail(address));
        return !own && !local_recipients_.empty();
    }
    if (address_class == AddressClass::VirtualMailbox) {
        bool own = TRY(is_in(mailboxes_, address, false));
        return !own;
    }
    return address_class == AddressClass::VirtualAlias;
}

Result<std::optional<mail::Address>> Router::role_recipient(const mail::Address& address)
{
    using MaybeAddress = std::optional<mail::Address>;
    const auto& roles = *config_.role_names;
    bool is_role = std::ranges::any_of(roles, [&](const std::string& role) {
        return util::equal_nocase(role, address.local_part);
    });
    if (!is_role)
        return MaybeAddress();
    AddressClass address_class = TRY(class_of(address.domain));
    if (address_class == AddressClass::Relay || address_class == AddressClass::Default)
        return MaybeAddress();
    // Who has an entry or a mailbox is no business of ours.
    bool has_own = TRY(takes_role_mail(address));
    if (has_own)
        return MaybeAddress();
    if (!config_.role_address->empty()) {
        auto given = mail::parse_address(*config_.role_address);
        if (!given.ok())
            return util::temporary(util::concat("role_address: ", given.error().text));
        mail::Address other = complete(given.take());
        return mail::equal_nocase(other, address) ? MaybeAddress() : MaybeAddress(std::move(other));
    }
    for (std::string_view name :
         {std::string_view(address.local_part), std::string_view("postmaster"), std::string_view("root")}) {
        for (const std::string& domain : {*common_.myorigin, *common_.myhostname}) {
            mail::Address other{std::string(name), util::lower(domain)};
            if (mail::equal_nocase(other, address))
                continue;
            bool takes = TRY(takes_role_mail(other));
            if (takes)
                return MaybeAddress(std::move(other));
        }
    }
    return MaybeAddress();
}

std::vector<std::string> alias_directories(const Config& config)
{
    std::vector<std::string> directories;
    for (const std::string& table : *config.alias_maps) {
        std::string_view path = util::split_first(table, ':').second;
        if (path.starts_with('/'))
            directories.emplace_back(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
    }
    return directories;
}

std::vector<std::string> visible_tables(const std::vector<std::string>& tables, std::string_view config_directory)
{
    std::vector<std::string> visible;
    for (const std::string& table : tables) {
        std::string_view path = util::split_first(table, ':').second;
        bool inside = path.starts_with(config_directory) && path.substr(config_directory.size()).starts_with('/');
        visible.push_back(path.starts_with('/') && !inside ? util::concat("proxy:", table) : table);
    }
    return visible;
}

mail::Address Router::complete_forward_path(mail::Address address)
{
    bool bare_postmaster = address.domain.empty() && util::equal_nocase(address.local_part, "postmaster");
    mail::Address whole = complete(std::move(address));
    if (!bare_postmaster)
        return whole;
    auto origin_is_ours = is_ours(whole.domain);
    auto host_is_ours = is_ours(*common_.myhostname);
    if (origin_is_ours.ok() && !*origin_is_ours && host_is_ours.ok() && *host_is_ours)
        whole.domain = util::lower(*common_.myhostname);
    return whole;
}

}  // namespace routing
