// permit_mx_backup: mail for domains that have named this system as a backup MX host.
#include "smtpd/restrictions.h"

#include "libutil/log.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

namespace {

struct Exchangers {
    std::vector<std::string> primaries, backups;
};

// The primaries are those of the best preference.
Exchangers sort_exchangers(const std::vector<net::dns::Mx>& records)
{
    Exchangers sorted;
    auto best = std::ranges::min_element(records, {}, &net::dns::Mx::preference);
    for (const net::dns::Mx& record : records)
        (record.preference == best->preference ? sorted.primaries : sorted.backups).push_back(record.host);
    return sorted;
}

}  // namespace

// Nobody knows now whether it would be permitted: a refusal further on is one for now.
void Restrictions::defer_exchanger(std::string_view what, Evaluation& evaluation) const
{
    defer_if_rejected({450, "4.4.4", util::concat(about(Subject::Recipient, evaluation.request), ": ", what)}, evaluation);
}

Restrictions::Outcome Restrictions::check_mx_backup(const Restriction& restriction, Evaluation& evaluation)
{
    const mail::Address& recipient = *evaluation.request.recipient;
    auto answer = outside_.destinations.find(recipient);
    if (!answer.ok())
        return trouble(answer.error(), evaluation);
    if (is_routed(recipient, *answer))
        return Outcome::Next;
    bool good = answer->ours ||
                (!recipient.is_literal() && !recipient.domain.empty() && serves_as_backup(recipient.domain, evaluation));
    return good ? permit(restriction.name, Subject::Recipient, evaluation) : Outcome::Next;
}

// Is this system one of the domain's MX hosts, but none of the first, and are those good enough?
bool Restrictions::serves_as_backup(std::string_view domain, Evaluation& evaluation)
{
    auto mx = outside_.names.mx(domain);
    if (mx.temporary())
        defer_exchanger(util::concat("Unable to look up mail exchanger information: ", mx.text), evaluation);
    if (!mx.found() || net::dns::is_null_mx(mx))
        return false;
    auto [primaries, backups] = sort_exchangers(mx.records);
    if (any_is_mine(primaries, evaluation) || !any_is_mine(backups, evaluation))
        return false;
    return mx_backup_networks_.empty() || in_backup_networks(primaries, evaluation);
}

bool Restrictions::is_mine(const std::string& host, const net::dns::Answer<std::string>& addresses, Evaluation& evaluation)
{
    if (!addresses.found())
        defer_exchanger(
            util::concat("Unable to look up mail exchanger host ", util::printable(host, 255), ": ", addresses.text),
            evaluation);
    return std::ranges::any_of(addresses.records, [&](const std::string& text) {
        auto address = conf::IpAddress::parse(text);
        return address.ok() && outside_.destinations.is_reached_at(*address);
    });
}

// Names first: they cost nothing.
bool Restrictions::any_is_mine(const std::vector<std::string>& hosts, Evaluation& evaluation)
{
    for (const std::string& host : hosts) {
        auto local = outside_.destinations.is_local(host);
        if (local.ok() && *local)
            return true;
    }
    if (hosts.empty())
        return false;
    auto addresses = outside_.names.addresses(hosts, net::dns::Families::Both);
    for (std::size_t i = 0; i < hosts.size(); ++i)
        if (is_mine(hosts[i], addresses[i], evaluation))
            return true;
    return false;
}

bool Restrictions::in_backup_networks(const std::vector<std::string>& hosts, Evaluation& evaluation)
{
    auto addresses = outside_.names.addresses(hosts, net::dns::Families::Both);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (!addresses[i].found()) {
            defer_exchanger(util::concat("Unable to look up host ", util::printable(hosts[i], 255),
                                         " as mail exchanger: ", addresses[i].text),
                            evaluation);
            return false;
        }
        for (const std::string& address : addresses[i].records) {
            auto inside = mx_backup_networks_.contains(hosts[i], address);
            if (!inside.ok()) {
                log::warning(config_.permit_mx_backup_networks.name(), ": ", inside.error().text);
                defer_exchanger(util::concat("Unable to verify host ", util::printable(hosts[i], 255), " as mail exchanger"),
                                evaluation);
            }
            if (!inside.ok() || !*inside)
                return false;
        }
    }
    return true;
}

}  // namespace smtpd
