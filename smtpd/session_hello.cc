// HELO, EHLO, STARTTLS, NOOP, RSET, VRFY, QUIT.
#include "smtpd/session.h"

#include "libutil/log.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

bool Session::offers(std::string_view keyword) const
{
    return std::ranges::none_of(discarded_keywords_, [&](const std::string& word) {
        return util::equal_nocase(word, keyword);
    });
}

bool Session::offers_starttls() const
{
    return services_.tls && !tls_ && *config_.tls_security_level != TlsLevel::None && offers("STARTTLS");
}

bool Session::offers_auth() const
{
    return services_.authenticator && *config_.sasl_auth_enable && offers("AUTH") &&
           (tls_ || !*config_.tls_auth_only);
}

mail::Reply Session::helo(std::string_view argument)
{
    return hello(argument, false);
}

mail::Reply Session::ehlo(std::string_view argument)
{
    return hello(argument, true);
}

mail::Reply Session::hello(std::string_view argument, bool extended)
{
    std::string_view name = argument.substr(0, argument.find_first_of(" \t"));
    if (name.empty())
        return {501, "", util::concat("Syntax: ", extended ? "EHLO" : "HELO", " hostname")};
    if (name.size() > mail::max_domain_length || !util::is_utf8(name))
        return {501, "5.5.2", "Error: bad hostname"};
    // RFC 5321 §4.1.4: a new EHLO is also a RSET; what it said before is forgotten.
    rset({});
    helo_deferral_.reset();
    std::string before = std::exchange(helo_, std::string(name));
    bool given_before = std::exchange(helo_given_, true);
    if (!*config_.delay_reject) {
        Ruling ruling = services_.rules.on_helo(request());
        helo_deferral_ = ruling.deferral;
        mail::Reply refusal = ruled(std::move(ruling), extended ? "EHLO" : "HELO");
        if (refusal.code) {
            helo_ = std::move(before);
            helo_given_ = given_before;
            return refusal;
        }
    }
    extended_ = extended;
    return {250, "", extended ? ehlo_text() : *common_.myhostname};
}

// RFC 5321 §4.1.1.1: the host, then one keyword on each line.
std::string Session::ehlo_text()
{
    std::string text = *common_.myhostname;
    auto offer = [&](std::string_view keyword, std::string_view rest = {}) {
        if (offers(keyword))
            util::append(text, '\n', keyword, rest.empty() ? "" : " ", rest);
    };
    offer("PIPELINING");
    offer("SIZE", *common_.message_size_limit ? util::concat(*common_.message_size_limit) : std::string());
    if (!*config_.disable_vrfy_command)
        offer("VRFY");
    if (services_.flush)
        offer("ETRN");
    if (offers_starttls())
        offer("STARTTLS");
    if (offers_auth() && sasl_username_.empty()) {
        std::string names;
        for (const std::string& name : offered_mechanisms())
            util::append(names, names.empty() ? "" : " ", name);
        if (!names.empty()) {
            offer("AUTH", names);
            if (*config_.broken_sasl_auth_clients)
                util::append(text, "\nAUTH=", names);
        }
    }
    offer("ENHANCEDSTATUSCODES");
    offer("8BITMIME");
    offer("DSN");
    if (*config_.smtputf8_enable)
        offer("SMTPUTF8");
    offer("CHUNKING");
    if (tls_ && *config_.requiretls_enable)
        offer("REQUIRETLS");
    if (may_xclient_)
        offer("XCLIENT", mail::client_attribute_names(mail::ClientCommand::Xclient));
    if (may_xforward_)
        offer("XFORWARD", mail::client_attribute_names(mail::ClientCommand::Xforward));
    offer("LIMITS", util::concat("RCPTMAX=", *config_.recipient_limit));  // RFC 9422
    return text;
}

// What auth(8) would take now; nothing when it is away: then AUTH is not offered.
std::vector<std::string> Session::offered_mechanisms()
{
    ipc::MechanismsWanted wanted;
    wanted.service = ipc::Service::Smtp;
    wanted.tls = tls_.has_value();
    wanted.channel_binding = tls_ && !tls_->exporter.empty();
    auto names = services_.authenticator->mechanisms(wanted);
    if (!names.ok()) {
        log::warning("AUTH is not offered to ", client_.log_name(), ": ", names.error().text);
        return {};
    }
    bool loopback = client_.address == "::1" || client_.address.starts_with("127.");
    if (!tls_ && !(*common_.allow_plaintext_login && loopback))
        std::erase_if(*names, [](const std::string& name) { return name == "PLAIN" || name == "LOGIN"; });
    return names.take();
}

bool Session::begin_tls()
{
    if (!services_.tls) {
        log::warning("TLS is wanted by ", client_.log_name(), " but there is no certificate");
        gone_ = true;
        return false;
    }
    if (*config_.tls_wrappermode && refuse_event(ipc::AnvilEvent::NewTls)) {
        gone_ = true;  // there is no way to say it
        return false;
    }
    stream_.set_timeout(*config_.starttls_timeout);
    auto facts = stream_.start_tls(*services_.tls);
    stream_.set_timeout(config_.timeout);
    if (!facts.ok()) {
        gone_ = true;
        log::info("SSL_accept error from ", client_.log_name(), ": ", facts.error().text);
        return false;
    }
    tls_ = facts.take();
    if (*config_.tls_loglevel >= 1)
        log::info(tls_->client_certificate.empty() ? "Anonymous" : tls_->client_trusted ? "Trusted" : "Untrusted",
                  " TLS connection established from ", client_.log_name(), ": ", tls_->protocol,
                  " with cipher ", tls_->cipher, " (", tls_->cipher_bits, '/', tls_->algorithm_bits,
                  " bits)", tls_->server_name.empty() ? "" : " to ", tls_->server_name);
    if (*config_.tls_loglevel >= 1 && !tls_->client_certificate.empty())
        log::info(client_.log_name(), ": fingerprint=", tls_->client_certificate, ", pkey_fingerprint=", tls_->client_key);
    if (*config_.tls_req_ccert && !tls_->client_trusted) {
        gone_ = true;
        log::info("NOQUEUE: abort: TLS from ", client_.log_name(), ": ",
                  tls_->client_certificate.empty() ? "No client certificate presented" : "Client certificate not trusted");
        return false;
    }
    return true;
}

mail::Reply Session::starttls(std::string_view argument)
{
    if (!argument.empty())
        return {501, "5.5.4", "Syntax: STARTTLS"};
    if (tls_)
        return {554, "5.5.1", "Error: TLS already active"};
    if (!offers_starttls()) {
        if (*config_.tls_security_level != TlsLevel::None && offers("STARTTLS"))
            return {454, "4.7.0", "TLS not available due to local problem"};
        return {502, "5.5.1", "Error: command not implemented"};
    }
    // RFC 3207 §4.2 and CVE-2011-0411: what was sent ahead in the clear is not from behind the
    // handshake; such a client is cut off.
    if (!stream_.buffered().empty()) {
        log::warning("plaintext behind STARTTLS from ", client_.log_name(), ": ",
                     util::printable(stream_.buffered(), 100));
        closing_ = true;
        return {554, "5.5.0", "Error: SMTP protocol synchronization"};
    }
    if (auto refusal = refuse_event(ipc::AnvilEvent::NewTls))
        return *refusal;
    send({220, "2.0.0", "Ready to start TLS"});
    if (!begin_tls())
        return {};
    // All that was said before counts no more.
    helo_.clear();
    helo_given_ = false;
    extended_ = false;
    sasl_method_.clear();
    sasl_username_.clear();
    app_password_.clear();
    return {};
}

mail::Reply Session::noop(std::string_view)
{
    return {250, "2.0.0", "Ok"};
}

mail::Reply Session::rset(std::string_view argument)
{
    if (!argument.empty())
        return {501, "5.5.4", "Syntax: RSET"};
    if (transaction_)
        services_.intake.abandon();
    transaction_.reset();
    forwarded_ = {};
    return {250, "2.0.0", "Ok"};
}

mail::Reply Session::vrfy(std::string_view argument)
{
    if (*config_.disable_vrfy_command || !offers("VRFY"))
        return {502, "5.5.1", "VRFY command is disabled"};
    if (argument.empty())
        return {501, "5.5.4", "Syntax: VRFY address [SMTPUTF8]"};
    bool in_brackets = argument.front() == '<';
    // RFC 6531 §3.7.4.2: the address may be followed by SMTPUTF8.
    bool utf8 = *config_.smtputf8_enable;
    auto path = mail::read_forward_path(argument, {.utf8 = utf8});
    if (!path.ok())
        return {501, "5.1.3", "Bad recipient address syntax"};
    std::string_view rest = util::trim(path->rest);
    if (!rest.empty() && !(utf8 && util::equal_nocase(rest, "SMTPUTF8")))
        return {501, "5.5.4", "Syntax: VRFY address [SMTPUTF8]"};
    if (path->address.needs_utf8() && rest.empty())
        return {553, "5.6.7", "Must use SMTPUTF8 with such an address"};
    std::string domain = path->address.domain;
    mail::Address address = services_.rules.complete(std::move(path->address));
    RequestView view = request();
    view.recipient = &address;
    view.recipient_domain = domain;
    // Who may not send to it is not told whether it is there.
    Ruling ruling = rule_on_recipient(view);
    if (ruling.refused()) {
        log_reject("VRFY", *ruling.refusal, &address);
        return std::move(*ruling.refusal);
    }
    if (address.needs_utf8())
        return {252, "2.0.0", "Ok"};  // the reply itself may not hold it (RFC 6531 §3.7.4.2)
    // As it was asked for, in angle brackets or without.
    return {252, "2.0.0", in_brackets ? util::concat('<', mail::to_text(address), '>') : mail::to_text(address)};
}

// RFC 1985: mail for a domain that waits goes out now, to those who may have it so.
mail::Reply Session::etrn(std::string_view argument)
{
    if (!services_.flush || !offers("ETRN"))
        return {502, "5.5.1", "Error: command not implemented"};
    if (*config_.helo_required && !helo_given_)
        return {503, "", "Error: send HELO/EHLO first"};
    if (argument.empty() || argument.find_first_of(" \t") != std::string_view::npos)
        return {500, "", "Syntax: ETRN domain"};
    // RFC 1985 §5.3: @ asks for subdomains, # names a queue; as in Postfix it is the domain alone.
    if (!util::is_alnum(argument.front()) && argument.front() != '[')
        argument.remove_prefix(1);
    auto domain = mail::parse_domain(argument);
    if (!domain.ok())
        return {501, "", "Error: invalid parameter syntax"};
    RequestView view = request();
    view.etrn = *domain;
    static constexpr Stage stages[] = {&Rules::on_connect, &Rules::on_helo, &Rules::on_etrn};
    if (Ruling ruling = rule(stages, view); ruling.refused()) {
        log_reject("ETRN", *ruling.refusal);
        return std::move(*ruling.refusal);
    }
    auto flushes = services_.rules.flushes(*domain);
    if (flushes.ok() && !*flushes) {
        log::warning("reject: ETRN ", util::printable(*domain, 100), " from ", client_.log_name());
        return {459, "", util::concat('<', *domain, ">: service unavailable")};
    }
    util::Result<void> asked = flushes.ok() ? services_.flush(*domain) : flushes.take_error();
    if (asked.ok())
        return {250, "", "Queuing started"};
    log::warning("ETRN ", util::printable(*domain, 100), ": ", asked.error().text);
    return {458, "", "Unable to queue messages"};
}

mail::Reply Session::quit(std::string_view argument)
{
    if (!argument.empty())
        return {501, "5.5.4", "Syntax: QUIT"};
    closing_ = true;
    return {221, "2.0.0", "Bye"};
}

}  // namespace smtpd
