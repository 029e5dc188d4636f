// Restrictions: opening the lists, their order, and going through one.
#include "smtpd/restrictions.h"

#include "libipc/overrides.h"
#include "libutil/log.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

using Kind = Restriction::Kind;

namespace {

// No stage follows that could refuse: what DEFER_IF_PERMIT said here, or before, is the answer.
Ruling last_word(Ruling ruling, const mail::Reply* earlier)
{
    if (!ruling.refused())
        ruling.refusal = earlier ? *earlier : std::exchange(ruling.deferral, {});
    return ruling;
}

util::Result<bool> contains(conf::Networks& list, const Client& client)
{
    auto address = conf::IpAddress::parse(client.address);
    if (!address.ok())
        return false;
    return list.contains(*address);
}

}  // namespace

util::Result<std::unique_ptr<Restrictions>> Restrictions::open(const Config& config,
                                                               const conf::Common& common,
                                                               RestrictionLists lists, Outside outside)
{
    auto clients = [](const conf::Words& parameter) -> util::Result<conf::Networks> {
        auto list = conf::Networks::parse(*parameter);
        if (!list.ok())
            return std::move(list).take_error().in(parameter.name());
        return list;
    };
    std::unique_ptr<Restrictions> rules(new Restrictions(config, common, std::move(lists), std::move(outside)));
    rules->mynetworks_ = TRY(clients(common.mynetworks));
    for (auto [privilege, parameter] : {std::pair<Privilege, const conf::Words*>
                                        {Privilege::BareNewlines, &config.forbid_bare_newline_exclusions},
                                        {Privilege::Xclient, &config.authorized_xclient_hosts},
                                        {Privilege::Xforward, &config.authorized_xforward_hosts},
                                        {Privilege::NoEventLimits, &config.client_event_limit_exceptions}}) {
        auto list = conf::Clients::parse(**parameter);
        if (!list.ok())
            return std::move(list).take_error().in(parameter->name());
        rules->privileged_[std::size_t(privilege)] = {parameter->name(), list.take()};
    }
    rules->header_clients_ = TRY(parse_header_clients(config.local_header_rewrite_clients));
    rules->overrides_ = TRY(ipc::parse_overrides(*config.receive_override_options));
    TRY(ipc::check_content_filter(*config.content_filter));
    TRY(rules->open_policy_servers());
    auto domains = conf::Domains::parse(*config.fast_flush_domains, rules->outside_.flush_subdomains);
    if (!domains.ok())
        return domains.take_error().in(config.fast_flush_domains.name());
    rules->flush_domains_ = domains.take();
    auto backups = conf::Clients::parse(*config.permit_mx_backup_networks, rules->outside_.backup_subdomains);
    if (!backups.ok())
        return backups.take_error().in(config.permit_mx_backup_networks.name());
    rules->mx_backup_networks_ = backups.take();
    rules->sender_logins_ = TRY(conf::Tables::open(*config.sender_login_maps));
    rules->relay_clientcerts_ = TRY(conf::Tables::open(*config.relay_clientcerts));
    rules->command_filter_ = TRY(conf::Tables::open(*config.command_filter));
    rules->discarded_keywords_ = TRY(conf::Tables::open(*config.discard_ehlo_keyword_address_maps));
    rules->rbl_replies_ = TRY(conf::Tables::open(*config.rbl_reply_maps));
    rules->footers_ = TRY(conf::Tables::open(*config.reject_footer_maps));
    return rules;
}

util::Result<std::vector<Restrictions::HeaderClients>> Restrictions::parse_header_clients(const conf::Words& words)
{
    using Who = HeaderClients::Kind;
    std::vector<HeaderClients> clients;
    for (const std::string& word : *words) {
        if (word == "check_address_map")  // the table follows
            continue;
        if (word == "permit_inet_interfaces") {
            clients.push_back({Who::Own, nullptr});
        } else if (word == "permit_mynetworks") {
            clients.push_back({Who::Mynetworks, nullptr});
        } else if (word == "permit_sasl_authenticated") {
            clients.push_back({Who::Authenticated, nullptr});
        } else {
            auto table = conf::open_table(word);
            if (!table.ok())
                return std::move(table).take_error().in(words.name());
            clients.push_back({Who::Table, table.take()});
        }
    }
    return clients;
}

// A table that cannot be read leaves headers as they are: nothing is lost by that.
bool Restrictions::rewrites_headers(const RequestView& request)
{
    using Who = HeaderClients::Kind;
    for (const HeaderClients& clients : header_clients_) {
        bool found = false;
        if (clients.kind == Who::Own) {
            auto address = conf::IpAddress::parse(request.client->address);
            found = address.ok() && outside_.destinations.is_own(*address);
        } else if (clients.kind == Who::Mynetworks) {
            found = in_mynetworks(*request.client);
        } else if (clients.kind == Who::Authenticated) {
            found = !request.sasl_username.empty();
        } else {
            auto answer = clients.table->lookup(request.client->address);
            if (!answer.ok())
                log::warning("local_header_rewrite_clients: ", answer.error().text);
            found = answer.ok() && *answer;
        }
        if (found)
            return true;
    }
    return false;
}

Ruling Restrictions::on_connect(const RequestView& request)
{
    return evaluate(lists_.client, Subject::Client, request);
}

Ruling Restrictions::on_helo(const RequestView& request)
{
    return request.helo_given ? evaluate(lists_.helo, Subject::Helo, request) : Ruling();
}

Ruling Restrictions::on_sender(const RequestView& request)
{
    Evaluation evaluation{.request = request, .subject = Subject::Sender};
    Outcome outcome = run(lists_.sender, evaluation);
    if (outcome != Outcome::Refuse && *config_.reject_unlisted_sender && request.sender && !request.sender->is_null())
        check_listed(*request.sender, Subject::Sender, evaluation);
    return finish(std::move(evaluation));
}

Ruling Restrictions::on_recipient(const RequestView& request)
{
    Evaluation evaluation{.request = request, .subject = Subject::Recipient};
    bool relay_first = *config_.relay_before_recipient;
    Outcome outcome = run(relay_first ? lists_.relay : lists_.recipient, evaluation);
    if (outcome != Outcome::Refuse)
        outcome = run(relay_first ? lists_.recipient : lists_.relay, evaluation);
    if (outcome != Outcome::Refuse && *config_.reject_unlisted_recipient && !evaluation.recipient_checked &&
        !(overrides_ & ipc::NoUnknownRecipientChecks))
        outcome = check_listed(*request.recipient, Subject::Recipient, evaluation);
    if (outcome != Outcome::Refuse && *config_.reject_over_quota && outside_.quotas)
        check_quota(evaluation);
    return last_word(finish(std::move(evaluation)), request.deferral);
}

Ruling Restrictions::on_data(const RequestView& request)
{
    return last_word(evaluate(lists_.data, Subject::Data, request), nullptr);
}

Ruling Restrictions::on_end_of_data(const RequestView& request)
{
    return last_word(evaluate(lists_.end_of_data, Subject::EndOfData, request), nullptr);
}

Ruling Restrictions::on_etrn(const RequestView& request)
{
    return last_word(evaluate(lists_.etrn, Subject::Etrn, request), request.deferral);
}

bool Restrictions::in_mynetworks(const Client& client)
{
    auto answer = contains(mynetworks_, client);
    if (!answer.ok())
        log::warning("mynetworks: ", answer.error().text);
    return answer.ok() && *answer;
}

Restrictions::Outcome Restrictions::permit(std::string_view name, Subject subject, const Evaluation& evaluation) const
{
    for (std::string_view word : *config_.log_access_permit_actions) {
        bool without = word.starts_with('!');
        if (without)
            word.remove_prefix(1);
        if (word != "static:all" && !util::equal_nocase(word, name))
            continue;
        if (!without) {
            static constexpr std::string_view classes[] = {"Client host", "Helo command", "Sender address",
                                                           "Recipient address", "Data command", "End-of-data",
                                                           "Unverified Client host", "SASL login name", "Etrn command"};
            std::string base = about(subject, evaluation.request);  // "<what>: Client host rejected"
            base = base.substr(1, base.find(">: ") - 1);
            log::info(log_line(evaluation.request, "permit",
                               util::concat("action=", name, " for ", classes[std::size_t(subject)], '=', base)));
        }
        break;
    }
    return Outcome::Permit;
}

Ruling Restrictions::evaluate(const RestrictionList& list, Subject subject, const RequestView& request)
{
    Evaluation evaluation{.request = request, .subject = subject};
    run(list, evaluation);
    return finish(std::move(evaluation));
}

// What DEFER_IF_REJECT makes of the outcome.
Ruling Restrictions::finish(Evaluation evaluation) const
{
    Ruling ruling = std::move(evaluation.ruling);
    if (ruling.refused() && ruling.refusal->code >= 500 && evaluation.if_rejected)
        ruling.refusal = std::move(evaluation.if_rejected);
    return ruling;
}

Restrictions::Outcome Restrictions::run(const RestrictionList& list, Evaluation& evaluation)
{
    if (evaluation.depth == max_restriction_depth)
        return trouble(util::permanent("restriction classes are nested too deeply"), evaluation);
    ++evaluation.depth;
    Outcome outcome = Outcome::Next;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Restriction& restriction = list[i];
        if (restriction.list)
            ask_lists(std::span(list).subspan(i), evaluation);
        bool only_warn = std::exchange(evaluation.only_warn, false);
        bool deferred = evaluation.ruling.deferral.has_value(), if_rejected = evaluation.if_rejected.has_value();
        outcome = apply(restriction, evaluation);
        // What would be for later is only told, too.
        auto only_tell = [&](std::optional<mail::Reply>& reply) {
            log::info(log_line(evaluation.request, "reject_warning", mail::to_line(*reply)));
            reply.reset();
        };
        if (only_warn && !deferred && evaluation.ruling.deferral)
            only_tell(evaluation.ruling.deferral);
        if (only_warn && !if_rejected && evaluation.if_rejected)
            only_tell(evaluation.if_rejected);
        if (outcome == Outcome::Refuse && only_warn) {
            log::info(log_line(evaluation.request, "reject_warning", mail::to_line(*evaluation.ruling.refusal)));
            evaluation.ruling.refusal.reset();
            outcome = Outcome::Next;
        }
        if (outcome != Outcome::Next)
            break;
    }
    --evaluation.depth;
    return outcome;
}

Restrictions::Outcome Restrictions::apply(const Restriction& restriction, Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    auto permit_if = [&](bool condition, Subject subject = Subject::Client) {
        return condition ? permit(restriction.name, subject, evaluation) : Outcome::Next;
    };
    switch (restriction.kind) {
    case Kind::Permit:
        return permit(restriction.name, evaluation.subject, evaluation);
    case Kind::Reject:
        return refuse({int(*config_.reject_code), "5.7.1", about(evaluation.subject, request) + ": Access denied"}, evaluation);
    case Kind::Defer:
        return refuse({int(*config_.defer_code), "4.3.2", about(evaluation.subject, request) + ": Try again later"},
                      evaluation);
    case Kind::DeferIfPermit:
        return defer_if_permitted({int(*config_.defer_code), "4.7.0",
                                   about(evaluation.subject, request) + ": defer_if_permit requested"}, evaluation);
    case Kind::DeferIfReject:
        return defer_if_rejected({int(*config_.defer_code), "4.7.0",
                                  about(evaluation.subject, request) + ": defer_if_reject requested"}, evaluation);
    case Kind::WarnIfReject:
        evaluation.only_warn = true;
        return Outcome::Next;
    case Kind::Sleep:
        if (outside_.sleep)
            outside_.sleep(std::chrono::seconds(restriction.seconds));
        return Outcome::Next;
    case Kind::PermitMynetworks: {
        auto inside = contains(mynetworks_, *request.client);
        return inside.ok() ? permit_if(*inside) : trouble(inside.error(), evaluation);
    }
    case Kind::PermitInetInterfaces: {
        auto address = conf::IpAddress::parse(request.client->address);
        return permit_if(address.ok() && outside_.destinations.is_own(*address));
    }
    case Kind::PermitTlsClientcerts: {
        if (request.certificate.empty())
            return Outcome::Next;
        auto found = relay_clientcerts_.lookup(
            {{std::string(request.certificate), false}, {std::string(request.certificate_key), false}});
        return found.ok() ? permit_if(found->has_value()) : trouble(found.error(), evaluation);
    }
    case Kind::PermitTlsAllClientcerts:
        return permit_if(request.certificate_trusted);
    case Kind::PermitSasl:
        return permit_if(!request.sasl_username.empty());
    case Kind::PermitAuthDestination:
    case Kind::RejectUnauthDestination:
    case Kind::DeferUnauthDestination:
        return request.recipient ? check_destination(restriction, evaluation) : Outcome::Next;
    case Kind::PermitMxBackup:
        return request.recipient ? check_mx_backup(restriction, evaluation) : Outcome::Next;
    case Kind::RejectUnlistedRecipient:
        evaluation.recipient_checked = evaluation.recipient_checked || request.recipient;
        return request.recipient ? check_listed(*request.recipient, Subject::Recipient, evaluation) : Outcome::Next;
    case Kind::RejectUnlistedSender:
        return request.sender && !request.sender->is_null()
                   ? check_listed(*request.sender, Subject::Sender, evaluation) : Outcome::Next;
    case Kind::RejectNonFqdnHelo:
    case Kind::RejectInvalidHelo:
    case Kind::RejectNonFqdnSender:
    case Kind::RejectNonFqdnRecipient:
    case Kind::RejectUnauthPipelining:
    case Kind::RejectPlaintextSession:
    case Kind::RejectMultiRecipientBounce:
        return check_names(restriction, evaluation);
    case Kind::RejectSenderLoginMismatch:
    case Kind::RejectAuthenticatedLoginMismatch:
    case Kind::RejectUnauthenticatedLoginMismatch:
    case Kind::RejectKnownLoginMismatch:
        return request.sender ? check_login(restriction, evaluation) : Outcome::Next;
    case Kind::CheckClient:
    case Kind::CheckHelo:
    case Kind::CheckSender:
    case Kind::CheckRecipient:
    case Kind::CheckSasl:
    case Kind::CheckCcert:
    case Kind::CheckEtrn:
        return check_access(restriction, evaluation);
    case Kind::RejectUnknownClient:
    case Kind::RejectUnknownReverseClient:
        return check_client_name(restriction, evaluation);
    case Kind::RejectUnknownHelo:
        return check_helo_name(evaluation);
    case Kind::RejectUnknownSenderDomain:
        return request.sender && !request.sender->is_null() ? check_mail_domain(*request.sender, Subject::Sender, evaluation)
                                                            : Outcome::Next;
    case Kind::RejectUnknownRecipientDomain:
        return request.recipient ? check_mail_domain(*request.recipient, Subject::Recipient, evaluation) : Outcome::Next;
    case Kind::CheckReverseClient:
        return check_reverse_client(restriction, evaluation);
    case Kind::CheckServers:
        return check_servers(restriction, evaluation);
    case Kind::RejectRblClient:
    case Kind::RejectRhsbl:
    case Kind::PermitDnswlClient:
    case Kind::PermitRhswlClient:
        return check_list(restriction, evaluation);
    case Kind::RejectUnverifiedSender:
        return request.sender && !request.sender->is_null()
                   ? check_verified(*request.sender, Subject::Sender, evaluation) : Outcome::Next;
    case Kind::RejectUnverifiedRecipient:
        return request.recipient ? check_verified(*request.recipient, Subject::Recipient, evaluation) : Outcome::Next;
    case Kind::CheckPolicy:
        return check_policy(restriction, evaluation);
    case Kind::Class: {
        auto found = lists_.classes.find(restriction.name);
        CHECK(found != lists_.classes.end());
        return run(found->second, evaluation);
    }
    }
    return Outcome::Next;
}

// The first reason counts.
Restrictions::Outcome Restrictions::defer_if_permitted(mail::Reply reply, Evaluation& evaluation) const
{
    if (!evaluation.ruling.deferral)
        evaluation.ruling.deferral = std::move(reply);
    return Outcome::Next;
}

Restrictions::Outcome Restrictions::defer_if_rejected(mail::Reply reply, Evaluation& evaluation) const
{
    if (!evaluation.if_rejected)
        evaluation.if_rejected = std::move(reply);
    return Outcome::Next;
}

Restrictions::Outcome Restrictions::refuse(mail::Reply reply, Evaluation& evaluation)
{
    // Parameters may make a 4xx of a 5xx and the other way round: the status code follows.
    if (!reply.dsn.empty())
        reply.dsn[0] = reply.code >= 500 ? '5' : '4';
    evaluation.ruling.refusal = std::move(reply);
    return Outcome::Refuse;
}

Restrictions::Outcome Restrictions::trouble(const util::Error& error, Evaluation& evaluation)
{
    bool temporary = error.kind == util::Kind::Temporary;
    log::warning("restrictions: ", error.text);
    return refuse({451, temporary ? "4.3.0" : "4.3.5",
                   util::concat(about(evaluation.subject, evaluation.request),
                                temporary ? ": Temporary lookup failure" : ": Server configuration error")},
                  evaluation);
}

std::string Restrictions::about(Subject subject, const RequestView& request) const
{
    switch (subject) {
    case Subject::Client:
        return util::concat('<', request.client->log_name(), ">: Client host rejected");
    case Subject::ReverseClient:
        return util::concat('<', request.client->reverse_name, ">: Unverified Client host rejected");
    case Subject::Helo:
        return util::concat('<', util::printable(request.helo, 255), ">: Helo command rejected");
    case Subject::Sender:
        return util::concat('<', request.sender ? mail::to_text(*request.sender) : "", ">: Sender address rejected");
    case Subject::Recipient:
        return util::concat('<', request.recipient ? mail::to_text(*request.recipient) : "",
                            ">: Recipient address rejected");
    case Subject::Data:
        return "<DATA>: Data command rejected";
    case Subject::EndOfData:
        return "<END-OF-MESSAGE>: End-of-data rejected";
    case Subject::Etrn:
        return util::concat('<', request.etrn, ">: Etrn command rejected");
    case Subject::Sasl:
        return util::concat('<', util::printable(request.sasl_username, 255), ">: SASL login name rejected");
    }
    return {};
}

}  // namespace smtpd
