// The single restrictions that take more than a line.
#include "smtpd/restrictions.h"

#include "libconf/words.h"
#include "libmail/dsn_status.h"
#include "libutil/log.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

using Kind = Restriction::Kind;

namespace {

// RFC 5321 §4.1.2: labels of letters, digits and inner hyphens (and the underscore that is out there),
// or an address literal.
bool is_host_name(std::string_view name)
{
    auto domain = mail::parse_domain(name);
    return domain.ok();
}

bool is_fully_qualified(std::string_view name)
{
    return name.starts_with('[') || (name.find('.') != std::string_view::npos && is_host_name(name));
}

}  // namespace

// What stands before the @ may be a route for a server behind this one, whatever it is here.
bool Restrictions::is_routed(const mail::Address& recipient, const Destinations::Answer& answer) const
{
    return !*config_.allow_untrusted_routing && !answer.srs && recipient.local_part.find_first_of("@!%") != std::string::npos;
}

Restrictions::Outcome Restrictions::check_destination(const Restriction& restriction, Evaluation& evaluation)
{
    const mail::Address& recipient = *evaluation.request.recipient;
    auto answer = outside_.destinations.find(recipient);
    if (!answer.ok())
        return trouble(answer.error(), evaluation);
    bool ours = answer->ours && !is_routed(recipient, *answer);
    if (restriction.kind == Kind::PermitAuthDestination)
        return ours ? permit(restriction.name, Subject::Recipient, evaluation) : Outcome::Next;
    if (ours)
        return Outcome::Next;
    int code = restriction.kind == Kind::DeferUnauthDestination ? 454 : int(*config_.relay_domains_reject_code);
    return refuse({code, "5.7.1", util::concat('<', mail::to_text(recipient), ">: Relay access denied")}, evaluation);
}

int Restrictions::unknown_reject_code(Destinations::Kind kind) const
{
    switch (kind) {
    case Destinations::Kind::Local:
        return int(*config_.unknown_local_reject_code);
    case Destinations::Kind::Alias:
        return int(*config_.unknown_alias_reject_code);
    case Destinations::Kind::Mailbox:
        return int(*config_.unknown_recipient_reject_code);
    case Destinations::Kind::Relay:
        return int(*config_.unknown_relay_reject_code);
    case Destinations::Kind::Other:
        break;
    }
    return 550;   // transport_maps says so, or relocated_maps
}

Restrictions::Outcome Restrictions::check_listed(const mail::Address& address, Subject subject, Evaluation& evaluation)
{
    auto answer = outside_.destinations.find(address);
    if (!answer.ok())
        return trouble(answer.error(), evaluation);
    bool sender = subject == Subject::Sender;
    const mail::Address* from = evaluation.request.sender;
    if (answer->listed && answer->srs && !sender && from && !from->is_null()) {
        answer->listed = false;
        answer->dsn = "5.7.1";
        answer->reason = "SRS address: for notifications only, whose sender is <>";
    }
    if (answer->listed)
        return Outcome::Next;
    int code = unknown_reject_code(answer->kind);
    // "4.x": the transport retry.  The sender of a message is never a "bad destination".
    if (answer->dsn.starts_with('4'))
        code = 450;
    constexpr std::string_view unknown = "User unknown in ";
    if (!*config_.show_user_unknown_table_name && answer->reason.starts_with(unknown))
        answer->reason = "User unknown";
    std::string dsn = answer->dsn == "5.1.1" && sender ? "5.1.0" : answer->dsn;
    return refuse(
        {code, dsn,
         util::concat(util::concat('<', mail::to_text(address), sender ? ">: Sender" : ">: Recipient", " address rejected"),
                      ": ", answer->reason)},
        evaluation);
}

// RFC 3463 §3.3: 5.2.2, or 4.2.2.  What cannot be found out is left to the delivery.
Restrictions::Outcome Restrictions::check_quota(Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    auto names = outside_.destinations.account_names(*request.recipient);
    if (!names.ok() || names->empty())
        return Outcome::Next;
    std::string why = outside_.quotas->why_full(*names, request.size);
    if (why.empty())
        return Outcome::Next;
    return refuse({int(*config_.over_quota_reject_code), "5.2.2", util::concat(about(Subject::Recipient, request), ": ", why)},
                  evaluation);
}

Restrictions::Outcome Restrictions::check_names(const Restriction& restriction, Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    auto refuse_as = [&](std::uint64_t code, const char* dsn, Subject subject, const char* text) {
        return refuse({int(code), dsn, util::concat(about(subject, request), ": ", text)}, evaluation);
    };
    switch (restriction.kind) {
    case Kind::RejectNonFqdnHelo:
        if (request.helo_given && !is_fully_qualified(request.helo))
            return refuse_as(*config_.non_fqdn_reject_code, "5.5.2", Subject::Helo, "need fully-qualified hostname");
        break;
    case Kind::RejectInvalidHelo:
        if (request.helo_given && !is_host_name(request.helo))
            return refuse_as(*config_.invalid_hostname_reject_code, "5.5.2", Subject::Helo, "Invalid name");
        break;
    case Kind::RejectNonFqdnSender:
        if (request.sender && !request.sender->is_null() &&
            !is_fully_qualified(request.sender_domain))
            return refuse_as(*config_.non_fqdn_reject_code, "5.5.2", Subject::Sender, "need fully-qualified address");
        break;
    case Kind::RejectNonFqdnRecipient:
        // RFC 5321 §4.1.1.3: <postmaster> needs no domain.
        if (request.recipient && !is_fully_qualified(request.recipient_domain) &&
            !(request.recipient_domain.empty() && util::equal_nocase(request.recipient->local_part, "postmaster")))
            return refuse_as(*config_.non_fqdn_reject_code, "5.5.2", Subject::Recipient, "need fully-qualified address");
        break;
    case Kind::RejectUnauthPipelining:
        if (request.unauthorized_pipelining)
            return refuse_as(503, "5.5.0", evaluation.subject, "Improper use of SMTP command pipelining");
        break;
    case Kind::RejectPlaintextSession:
        if (!request.tls)
            return refuse_as(*config_.plaintext_reject_code, "5.7.1", evaluation.subject, "Session encryption is required");
        break;
    case Kind::RejectMultiRecipientBounce:
        // At RCPT the one that is asked about comes on top of those that are in.
        if (request.sender && request.sender->is_null() &&
            request.recipient_count + (evaluation.subject == Subject::Recipient ? 1 : 0) > 1)
            return refuse_as(*config_.multi_recipient_reject_code, "5.5.3", evaluation.subject, "Multi-recipient bounce");
        break;
    default:
        break;
    }
    return Outcome::Next;
}

Restrictions::Outcome Restrictions::check_login(const Restriction& restriction, Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    // Where nobody can log in nobody owns a sender: port 25, when main.cf has the list for all services.
    if (!*config_.sasl_auth_enable)
        return Outcome::Next;
    bool logged_in = !request.sasl_username.empty();
    if (restriction.kind == Kind::RejectAuthenticatedLoginMismatch && !logged_in)
        return Outcome::Next;
    if (restriction.kind == Kind::RejectUnauthenticatedLoginMismatch && logged_in)
        return Outcome::Next;
    if (request.sender->is_null())
        return Outcome::Next;
    // user+ext@domain, user@domain, @domain: the whole address is never partial here.
    auto [user, extension] = mail::split_extension(request.sender->local_part, *common_.recipient_delimiter);
    std::vector<conf::Key> keys = {{mail::to_text(*request.sender), false},
                                   {mail::to_text({std::string(user), request.sender->domain}), true},
                                   {"@" + request.sender->domain, true}};
    auto found = sender_logins_.lookup(keys);
    if (!found.ok())
        return trouble(found.error(), evaluation);
    std::string base = about(Subject::Sender, request);
    if (!logged_in)
        return *found ? refuse({553, "5.7.1", base + ": not logged in"}, evaluation) : Outcome::Next;
    if (!*found && restriction.kind == Kind::RejectKnownLoginMismatch)
        return Outcome::Next;
    if (*found)
        for (std::string_view owner : util::split_words((*found)->value))
            if (util::equal_nocase(owner, request.sasl_username))
                return Outcome::Next;
    return refuse({553, "5.7.1", util::concat(base, ": not owned by user ", util::printable(request.sasl_username, 200))},
                  evaluation);
}

Restrictions::Outcome Restrictions::check_access(const Restriction& restriction, Evaluation& evaluation)
{
    const RequestView& request = evaluation.request;
    std::vector<conf::Key> keys;
    Subject subject = evaluation.subject;
    switch (restriction.kind) {
    case Kind::CheckClient: {
        subject = Subject::Client;
        keys = domain_keys(request.client->name, outside_.parents);
        auto more = address_keys(request.client->address);
        keys.insert(keys.end(), more.begin(), more.end());
        break;
    }
    case Kind::CheckHelo:
        subject = Subject::Helo;
        if (request.helo_given)
            keys = domain_keys(request.helo, outside_.parents);
        break;
    case Kind::CheckSender:
        subject = Subject::Sender;
        if (request.sender)
            keys = mail_keys(*request.sender, *common_.recipient_delimiter, *config_.null_access_lookup_key, outside_.parents);
        break;
    case Kind::CheckRecipient:
        subject = Subject::Recipient;
        if (request.recipient)
            keys =
                mail_keys(*request.recipient, *common_.recipient_delimiter, *config_.null_access_lookup_key, outside_.parents);
        break;
    case Kind::CheckEtrn:
        subject = Subject::Etrn;
        if (!request.etrn.empty())
            keys = domain_keys(request.etrn, outside_.parents);
        break;
    case Kind::CheckSasl:
        subject = Subject::Sasl;
        if (!request.sasl_username.empty())
            keys = {{std::string(request.sasl_username), false}};
        break;
    case Kind::CheckCcert:
        subject = Subject::Client;
        if (!request.certificate.empty())
            keys = {{std::string(request.certificate), false}, {std::string(request.certificate_key), false}};
        break;
    default:
        break;
    }
    return look_up(restriction, keys, subject, evaluation).value_or(Outcome::Next);
}

Restrictions::Outcome Restrictions::act(const AccessAction& action, const Restriction& restriction, Subject subject,
                                        std::string_view value, Evaluation& evaluation)
{
    using Action = AccessAction::Kind;
    auto log_action = [&](std::string_view word) {
        std::string base = about(subject, evaluation.request);
        base = base.substr(0, base.rfind(" rejected"));
        log::info(log_line(evaluation.request, word,
                           util::concat(base, ' ', action.text.empty() ? util::concat("triggers ", util::upper(word), " action")
                                                                       : util::printable(action.text, 500))));
    };
    auto log_note = [&](std::string_view word) {
        if (action.text.empty())
            return log_action(word);
        log::info(log_line(evaluation.request, word, util::printable(action.text, 500)));
    };
    // As in Postfix: what is decided before there is a message orders nothing for those that follow.
    const RequestView& request = evaluation.request;
    std::string_view order = order_name(action.kind);
    if (!order.empty() && !request.sender && !request.recipient) {
        log::warning(restriction.source(), ": with smtpd_delay_reject = no, ", order,
                     " is always skipped in smtpd_client_restrictions and smtpd_helo_restrictions");
        return Outcome::Next;
    }
    switch (action.kind) {
    case Action::Permit:
        return permit(restriction.name, subject, evaluation);
    case Action::Dunno:
        return Outcome::Next;
    case Action::Discard:
        log_action("discard");
        evaluation.ruling.orders.discard = true;
        return Outcome::Permit;
    case Action::Warn:
        log_note("warn");
        return Outcome::Next;
    case Action::Info:
        log_note("info");
        return Outcome::Next;
    case Action::Prepend: {
        std::size_t colon = action.text.find(':');
        bool good = colon != std::string::npos && colon > 0 && action.text.size() <= 900 &&
                    std::ranges::all_of(action.text.substr(0, colon), [](char c) { return c > ' ' && c < 127; }) &&
                    std::ranges::all_of(action.text, [](char c) { return static_cast<unsigned char>(c) >= ' ' || c == '\t'; });
        if (good)
            util::append(evaluation.ruling.orders.prepended, action.text, "\r\n");
        else
            log::warning(restriction.source(), ": PREPEND without a header field does nothing");
        return Outcome::Next;
    }
    case Action::Hold:
        log_action("hold");
        evaluation.ruling.orders.hold = true;
        return Outcome::Next;
    case Action::Filter: {
        std::size_t colon = action.text.find(':');
        if (colon == std::string::npos || colon == 0 || action.text.size() > 1000)
            return trouble(util::permanent(util::concat(restriction.source(), ": FILTER without transport:destination")),
                           evaluation);
        log_action("filter");
        evaluation.ruling.orders.content_filter = action.text;
        return Outcome::Next;
    }
    case Action::Redirect:
    case Action::Bcc: {
        bool redirect = action.kind == Action::Redirect;
        auto address = mail::parse_address(action.text);
        if (!address.ok() || address->domain.empty())
            return trouble(util::permanent(util::concat(restriction.source(), redirect ? ": REDIRECT" : ": BCC",
                                                        " without user@domain")), evaluation);
        log_action(redirect ? "redirect" : "bcc");
        if (redirect)
            evaluation.ruling.orders.redirect = mail::to_text(*address);
        else
            evaluation.ruling.orders.add({.bcc = {mail::to_text(*address)}});
        return Outcome::Next;
    }
    case Action::Restrictions: {
        auto list = parse_restrictions(value, *config_.restriction_classes, false);
        if (!list.ok())
            return trouble(util::permanent(util::concat(restriction.source(), ": ", list.error().text)), evaluation);
        return run(*list, evaluation);
    }
    default:
        return act_refusing(action, subject, evaluation);
    }
}

Restrictions::Outcome Restrictions::act_refusing(const AccessAction& action, Subject subject, Evaluation& evaluation)
{
    using Action = AccessAction::Kind;
    bool if_permitted = action.kind == Action::DeferIfPermit || action.kind == Action::DeferIfReject;
    std::string text = !action.text.empty() ? action.text : if_permitted ? "Service unavailable" : "Access denied";
    mail::Reply reply{action.code, action.dsn, util::concat(about(subject, evaluation.request), ": ", text)};
    switch (action.kind) {
    case Action::Reject:
        reply.code = int(*config_.access_map_reject_code);
        break;
    case Action::Defer:
    case Action::DeferIfPermit:
    case Action::DeferIfReject:
        reply.code = int(*config_.access_map_defer_code);
        break;
    default:
        break;
    }
    reply.dsn = mail::with_class(reply.dsn.empty() ? "5.7.1" : reply.dsn, reply.code);
    if (action.kind == Action::DeferIfPermit)
        return defer_if_permitted(std::move(reply), evaluation);
    if (action.kind == Action::DeferIfReject)
        return defer_if_rejected(std::move(reply), evaluation);
    return refuse(std::move(reply), evaluation);
}

}  // namespace smtpd
