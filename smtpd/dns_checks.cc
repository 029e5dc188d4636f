// The restrictions that ask name servers.
#include "smtpd/restrictions.h"

#include "libmail/dsn_status.h"
#include "libnet/dns_name.h"
#include "libutil/log.h"
#include "smtpd/dns_list.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

using Kind = Restriction::Kind;
using net::dns::Families;
using net::dns::Status;

namespace {

std::string_view domain_of(std::string_view address)
{
    return address.substr(address.rfind('@') + 1);
}

// The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]".
std::optional<conf::IpAddress> literal(std::string_view domain)
{
    if (!domain.starts_with('[') || !domain.ends_with(']'))
        return std::nullopt;
    auto address = conf::IpAddress::parse(domain.substr(1, domain.size() - 2));
    return address.ok() ? std::optional(*address) : std::nullopt;
}

bool is_later(Status status)
{
    return status == Status::TryAgain || status == Status::Bogus;
}

// A name that is there, with records that somebody here does not want to be seen: it is not unknown, whatever else it has.
bool is_hidden(Status status, std::string_view name, std::string_view looked_up)
{
    if (status == Status::Filtered)
        log::warning(util::printable(name, 255), ": ", looked_up, " lookup error: DNS reply filter drops all results");
    return status == Status::Filtered;
}

// "does not exist" of both kinds.
bool is_nothing(Status status)
{
    return status == Status::NoData || status == Status::NoSuchName;
}

net::dns::Answer<std::string> addresses_of(NameService& names, std::string_view host, Families families = Families::Both)
{
    const std::string hosts[] = {std::string(host)};
    return std::move(names.addresses(hosts, families)[0]);
}

constexpr std::string_view class_names[] = {"Client host", "Unverified Client host", "Helo command", "Sender address",
                                            "Recipient address"};

}  // namespace

// Whose name, or address, a restriction is about; empty when it is not known (yet).
std::string Restrictions::named(Restriction::Of of, const RequestView& request) const
{
    auto known = [](const std::string& name) { return name == "unknown" ? std::string() : name; };
    switch (of) {
    case Restriction::Of::Client:
        return known(request.client->name);
    case Restriction::Of::ReverseClient:
        return known(request.client->reverse_name);
    case Restriction::Of::Helo:
        return request.helo_given ? std::string(request.helo) : "";
    case Restriction::Of::Sender:
        return request.sender && !request.sender->is_null() ? mail::to_text(*request.sender) : "";
    case Restriction::Of::Recipient:
        return request.recipient ? mail::to_text(*request.recipient) : "";
    }
    return {};
}

Restrictions::Subject Restrictions::subject_of(Restriction::Of of)
{
    constexpr Subject subjects[] = {Subject::Client, Subject::ReverseClient, Subject::Helo, Subject::Sender,
                                    Subject::Recipient};
    return subjects[std::size_t(of)];
}

// --- names that are not there ----------------------------------------------------------------------

Restrictions::Outcome Restrictions::check_client_name(const Restriction& restriction, Evaluation& evaluation)
{
    const Client& client = *evaluation.request.client;
    bool reverse = restriction.kind == Kind::RejectUnknownReverseClient;
    if ((reverse ? client.reverse_name : client.name) != "unknown")
        return Outcome::Next;
    NameStatus status = reverse ? client.reverse_status : client.name_status;
    int code = status == NameStatus::Temporary ? 450 : int(*config_.unknown_client_reject_code);
    // RFC 7372 §3.3.
    return refuse({code, "5.7.25",
                   util::concat("Client host rejected: cannot find your ", reverse ? "reverse " : "", "hostname, [",
                                client.address, ']')},
                  evaluation);
}

Restrictions::Outcome Restrictions::check_helo_name(Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    if (!request.helo_given)
        return Outcome::Next;
    mail::Reply reply{int(*config_.unknown_hostname_reject_code), "5.7.1", about(Subject::Helo, request) + ": Host not found"};
    if (request.helo.starts_with('[')) {
        if (literal(request.helo))
            return Outcome::Next;
        reply.code = int(*config_.invalid_hostname_reject_code);
        reply.dsn = "5.5.2";
        reply.text = about(Subject::Helo, request) + ": invalid ip address";
        return refuse(std::move(reply), evaluation);
    }
    Status host = addresses_of(outside_.names, request.helo).status;
    Status mx = host == Status::Found ? host : outside_.names.mx(request.helo).status;
    if (mx == Status::Found || is_hidden(host == Status::Filtered ? host : mx, request.helo, "address or MX"))
        return Outcome::Next;
    if (is_later(host) || is_later(mx))
        return defer_unknown(*config_.unknown_helo_tempfail_action, std::move(reply), evaluation);
    return refuse(std::move(reply), evaluation);
}

Restrictions::Outcome Restrictions::check_mail_domain(const mail::Address& address, Subject subject, Evaluation& evaluation)
{
    if (address.domain.empty() || address.domain.starts_with('['))
        return Outcome::Next;
    auto destination = outside_.destinations.find(address);
    if (!destination.ok())
        return trouble(destination.error(), evaluation);
    if (destination->final)
        return Outcome::Next;
    bool sender = subject == Subject::Sender;
    std::string base = about(subject, evaluation.request);
    auto mx = outside_.names.mx(address.domain);
    if (net::dns::is_null_mx(mx))
        return refuse({sender ? 550 : 556, sender ? "5.7.27" : "5.1.10",
                       util::concat(base, ": Domain ", address.domain, " does not accept mail (nullMX)")}, evaluation);
    // An address is enough even if nobody can say now whether there are MX hosts.
    bool look_on = is_nothing(mx.status) || is_later(mx.status);
    Status host = look_on ? addresses_of(outside_.names, address.domain).status : mx.status;
    if (host == Status::Found || is_hidden(host, address.domain, "MX or address"))
        return Outcome::Next;
    mail::Reply reply{int(*config_.unknown_address_reject_code), sender ? "5.1.8" : "5.1.2", base + ": Domain not found"};
    if (is_later(host) || is_later(mx.status))
        return defer_unknown(*config_.unknown_address_tempfail_action, std::move(reply), evaluation);
    return refuse(std::move(reply), evaluation);
}

// Nobody knows now whether there is such a name.
Restrictions::Outcome Restrictions::defer_unknown(TempfailAction action, mail::Reply reply, Evaluation& evaluation)
{
    reply.code = 450;
    reply.dsn = mail::with_class(reply.dsn, reply.code);
    return action == TempfailAction::Defer ? refuse(std::move(reply), evaluation)
                                           : defer_if_permitted(std::move(reply), evaluation);
}

// --- tables of servers -----------------------------------------------------------------------------

// What the table says of the first key that it has; nothing if it has none.
std::optional<Restrictions::Outcome> Restrictions::look_up(const Restriction& restriction, const std::vector<conf::Key>& keys,
                                                           Subject subject, Evaluation& evaluation)
{
    for (const conf::Key& key : keys) {
        if (key.partial && restriction.table->is_pattern())
            continue;
        auto answer = restriction.table->lookup(key.text);
        if (!answer.ok())
            return trouble(answer.error(), evaluation);
        if (*answer)
            return act(parse_access(**answer), restriction, subject, **answer, evaluation);
    }
    return std::nullopt;
}

// Whoever controls names and servers may not give himself a permission.
Restrictions::Outcome Restrictions::without_permission(const Restriction& restriction, std::string_view what, Outcome outcome,
                                                       Evaluation& evaluation)
{
    if (outcome != Outcome::Permit || evaluation.ruling.orders.discard)
        return outcome;
    log::warning("restriction ", restriction.name, " returns OK for ", util::printable(what, 255),
                 ": this is not allowed for security reasons; use DUNNO instead of OK if you want to make an exception");
    return refuse({451, "4.3.5", about(evaluation.subject, evaluation.request) + ": Server configuration error"}, evaluation);
}

Restrictions::Outcome Restrictions::check_reverse_client(const Restriction& restriction, Evaluation& evaluation)
{
    const Client& client = *evaluation.request.client;
    auto keys = domain_keys(client.reverse_name, outside_.parents);
    auto more = address_keys(client.address);
    keys.insert(keys.end(), more.begin(), more.end());
    auto outcome = look_up(restriction, keys, Subject::ReverseClient, evaluation);
    return without_permission(restriction, client.reverse_name, outcome.value_or(Outcome::Next), evaluation);
}

// The hosts whose names and addresses a check_*_mx_access and its kin look up; nothing where there are none.
std::optional<std::vector<std::string>> Restrictions::servers_of(Restriction::Servers servers, std::string_view domain)
{
    if (servers == Restriction::Servers::A)
        return std::vector<std::string>{std::string(domain)};
    std::string text;
    if (servers == Restriction::Servers::Mx) {
        auto mx = outside_.names.mx(domain);
        if (net::dns::is_null_mx(mx))
            return std::nullopt;
        if (is_nothing(mx.status))
            return std::vector<std::string>{std::string(domain)};
        std::vector<std::string> hosts;
        for (const auto& record : mx.records)
            hosts.push_back(record.host);
        if (mx.found())
            return hosts;
        text = std::move(mx.text);
    } else {
        // The name servers of the zone that the domain is in.
        while (true) {
            auto ns = outside_.names.ns(domain);
            if (ns.found())
                return std::move(ns.records);
            text = std::move(ns.text);
            auto dot = domain.find('.');
            if (!is_nothing(ns.status) || dot == std::string_view::npos || dot + 1 == domain.size())
                break;
            domain.remove_prefix(dot + 1);
        }
    }
    log::warning("Unable to look up ", servers == Restriction::Servers::Mx ? "MX" : "NS", " host for ",
                 util::printable(domain, 255), ": ", text);
    return std::nullopt;
}

Restrictions::Outcome Restrictions::check_servers(const Restriction& restriction, Evaluation& evaluation)
{
    std::string name = named(restriction.of, evaluation.request);
    std::string_view domain = domain_of(name);
    if (domain.empty())
        return Outcome::Next;
    Subject subject = subject_of(restriction.of);
    auto conclude = [&](Outcome outcome) { return without_permission(restriction, name, outcome, evaluation); };
    if (domain.starts_with('[')) {
        auto address = literal(domain);
        auto outcome = address ? look_up(restriction, address_keys(address->to_text()), subject, evaluation) : std::nullopt;
        return conclude(outcome.value_or(Outcome::Next));
    }
    auto hosts = servers_of(restriction.servers, domain);
    if (!hosts)
        return Outcome::Next;
    auto addresses = outside_.names.addresses(*hosts, Families::Both);
    for (std::size_t i = 0; i < hosts->size(); ++i) {
        const std::string& host = (*hosts)[i];
        // Some write an address where a name belongs.
        bool is_address = conf::IpAddress::parse(host).ok();
        std::vector<conf::Key> keys = is_address ? address_keys(host) : std::vector<conf::Key>();
        if (restriction.servers != Restriction::Servers::A && !is_address)
            keys = domain_keys(host, outside_.parents);
        for (const std::string& address : addresses[i].records) {
            auto more = address_keys(address);
            keys.insert(keys.end(), more.begin(), more.end());
        }
        if (addresses[i].temporary() && restriction.servers != Restriction::Servers::A)
            log::warning("Unable to look up host ", host, " for ", util::printable(domain, 255), ": ", addresses[i].text);
        if (auto outcome = look_up(restriction, keys, subject, evaluation))
            return conclude(*outcome);
    }
    return Outcome::Next;
}

// --- lists -----------------------------------------------------------------------------------------

// The name that a list is asked for; empty when there is nothing to ask.
std::string Restrictions::listed_name(const Restriction& restriction, std::string_view what) const
{
    bool by_address = restriction.kind == Kind::RejectRblClient || restriction.kind == Kind::PermitDnswlClient;
    if (by_address) {
        auto address = conf::IpAddress::parse(what);
        return address.ok() ? restriction.list->name_for(*address) : "";
    }
    auto domain = net::dns::question_name(domain_of(what));
    return domain ? restriction.list->name_for(*domain) : "";
}

// The question that a restriction puts to its list now; empty when it has none.
util::Result<std::string> Restrictions::list_question(const Restriction& restriction, const Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    bool permits = restriction.kind == Kind::PermitDnswlClient || restriction.kind == Kind::PermitRhswlClient;
    bool by_address = restriction.kind == Kind::RejectRblClient || restriction.kind == Kind::PermitDnswlClient;
    std::string asked = listed_name(restriction, by_address ? request.client->address : named(restriction.of, request));
    // A list of good clients makes nobody a relay.
    if (!asked.empty() && permits && request.recipient) {
        auto destination = TRY(outside_.destinations.find(*request.recipient));
        if (!destination.ours)
            asked.clear();
    }
    return asked;
}

// Lists that stand in a row are asked at the same time: one waits for the slowest, not for each.
void Restrictions::ask_lists(std::span<const Restriction> row, Evaluation& evaluation)
{
    std::vector<std::string> names;
    for (const Restriction& restriction : row) {
        if (restriction.kind == Kind::WarnIfReject)
            continue;
        if (!restriction.list)
            break;
        auto asked = list_question(restriction, evaluation);
        bool known = !asked.ok() || asked->empty() || evaluation.list_answers.contains(*asked);
        // The first one's answer was asked for with those before it.
        if (known && &restriction == &row.front())
            return;
        if (!known && std::ranges::find(names, *asked) == names.end())
            names.push_back(asked.take());
    }
    auto answers = outside_.names.addresses(names, Families::V4);
    for (std::size_t i = 0; i < names.size(); ++i)
        evaluation.list_answers.emplace(std::move(names[i]), std::move(answers[i]));
}

Restrictions::Outcome Restrictions::check_list(const Restriction& restriction, Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    bool permits = restriction.kind == Kind::PermitDnswlClient || restriction.kind == Kind::PermitRhswlClient;
    bool by_address = restriction.kind == Kind::RejectRblClient || restriction.kind == Kind::PermitDnswlClient;
    std::string what = by_address ? request.client->address : named(restriction.of, request);
    auto question = list_question(restriction, evaluation);
    if (!question.ok())
        return trouble(question.error(), evaluation);
    const std::string& asked = *question;
    if (asked.empty())
        return Outcome::Next;
    auto found = evaluation.list_answers.find(asked);
    if (found == evaluation.list_answers.end())   // a moment ago it could not be said whether to ask
        found = evaluation.list_answers.emplace(asked, addresses_of(outside_.names, asked, Families::V4)).first;
    const net::dns::Answer<std::string>& answer = found->second;
    if (answer.status == Status::Found) {
        if (!restriction.list->is_listing(answer.records))
            return Outcome::Next;
        return permits ? permit(restriction.name, subject_of(restriction.of), evaluation)
                       : refuse_listed(restriction, asked, what, evaluation);
    }
    if (!is_nothing(answer.status))
        log::warning(asked, permits ? ": DNSWL" : ": RBL", " lookup error: ", answer.text);
    if (permits && answer.temporary())
        return defer_if_rejected({450, "4.7.1",
                                  util::concat('<', util::printable(what, 255), ">: ", class_names[std::size_t(restriction.of)],
                                               " rejected: DNSWL lookup error")},
                                 evaluation);
    return Outcome::Next;
}

Restrictions::Outcome Restrictions::refuse_listed(const Restriction& restriction, const std::string& asked,
                                                  std::string_view what, Evaluation& evaluation)
{
    std::string reason;   // all records that there are, as in Postfix
    for (const std::string& record : outside_.names.txt(asked).records)
        util::append(reason, reason.empty() ? "" : " / ", record);
    ListedFacts facts;
    facts.code = int(*config_.maps_rbl_reject_code);
    facts.list_domain = restriction.list->domain;
    facts.reason = reason;
    facts.what = what;
    facts.class_name = class_names[std::size_t(restriction.of)];
    facts.session = macros(evaluation.request);
    auto found = rbl_replies_.lookup({{restriction.list->text, false}, {restriction.list->domain, false}});
    if (!found.ok())
        return trouble(found.error(), evaluation);
    std::string reply_template = *found ? (*found)->value : *config_.default_rbl_reply;
    auto reply = expand_listed(reply_template, facts);
    if (!reply.ok()) {
        log::warning(*found ? rbl_reply_maps_name : "default_rbl_reply", ": ", reply.error().text);
        return refuse({facts.code, "5.7.1", "Service unavailable"}, evaluation);
    }
    return refuse({reply->code, reply->dsn.empty() ? "5.7.1" : reply->dsn, reply->text}, evaluation);
}

// Facts of the session, as Postfix names them in templates.
std::vector<std::pair<std::string_view, std::string>> Restrictions::macros(const RequestView& request) const
{
    auto shown = [](std::string_view text) { return util::printable(text, 500); };
    std::string sender = request.sender ? mail::to_text(*request.sender) : "";
    std::string recipient = request.recipient ? mail::to_text(*request.recipient) : "";
    auto local = [](const mail::Address* address) { return address ? address->local_part : std::string(); };
    auto domain = [](const mail::Address* address) { return address ? address->domain : std::string(); };
    return {{"client", util::concat(request.client->name, '[', request.client->address, ']')},
            {"client_address", request.client->address},
            {"client_name", request.client->name},
            {"client_port", util::concat(request.client->port)},
            {"reverse_client_name", request.client->reverse_name},
            {"helo_name", shown(request.helo)},
            {"sender", shown(sender)},
            {"sender_name", shown(local(request.sender))},
            {"sender_domain", shown(domain(request.sender))},
            {"recipient", shown(recipient)},
            {"recipient_name", shown(local(request.recipient))},
            {"recipient_domain", shown(domain(request.recipient))},
            {"sasl_username", shown(request.sasl_username)},
            {"server_name", *common_.myhostname}};
}

}  // namespace smtpd
