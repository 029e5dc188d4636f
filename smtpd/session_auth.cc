// AUTH: RFC 4954.  The mechanisms are auth(8)'s; here is only their way through SMTP.
#include "smtpd/session.h"

#include "libutil/log.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

namespace {

constexpr std::size_t longest_response = 12'288;  // RFC 4954 §4

}  // namespace

mail::Reply Session::auth(std::string_view argument)
{
    if (!services_.authenticator || !*config_.sasl_auth_enable || !offers("AUTH"))
        return {503, "5.5.1", "Error: authentication not enabled"};
    if (!extended_)
        return {503, "5.5.1", "Error: send EHLO first"};
    if (!sasl_username_.empty())
        return {503, "5.5.1", "Error: already authenticated"};
    if (*config_.tls_auth_only && !tls_)
        return {538, "5.7.11", "Encryption required for requested authentication mechanism"};
    if (auto refusal = refuse_event(ipc::AnvilEvent::Auth))
        return *refusal;
    auto words = util::split_words(argument, " \t");
    if (words.empty() || words.size() > 2)
        return {501, "5.5.4", "Syntax: AUTH mechanism [initial-response]"};
    std::string mechanism = util::upper(words[0]);
    auto names = offered_mechanisms();
    if (std::ranges::find(names, mechanism) == names.end()) {
        if (!tls_ && (mechanism == "PLAIN" || mechanism == "LOGIN"))
            return {538, "5.7.11", "Encryption required for requested authentication mechanism"};
        return {504, "5.5.4", "Error: unrecognized authentication mechanism"};
    }
    std::optional<std::string> initial;
    if (words.size() == 2) {
        if (words[1] == "=") {
            initial.emplace();  // there, and empty
        } else {
            auto decoded = util::decode_base64(words[1]);
            if (!decoded.ok())
                return {501, "5.5.2", "Error: malformed authentication response"};
            initial = decoded.take();
        }
    }
    return converse(mechanism, std::move(initial));
}

// A response line of the client, decoded; nothing when `failure` says why not, or the client is gone.
std::optional<std::string> Session::read_response(mail::Reply& failure)
{
    begin_request();
    auto line = stream_.read_line(longest_response);
    if (!line.ok()) {
        end("AUTH", line.error());
        return {};
    }
    if (auto refusal = refuse_bare_lf(*line)) {
        failure = *refusal;
        return {};
    }
    if (line->too_long) {
        failure = {500, "5.5.6", "Error: authentication exchange line is too long"};
        return {};
    }
    if (line->text == "*") {
        failure = {501, "5.7.0", "Authentication aborted"};
        return {};
    }
    auto decoded = util::decode_base64(line->text);
    if (!decoded.ok()) {
        failure = {501, "5.5.2", "Error: malformed authentication response"};
        return {};
    }
    return decoded.take();
}

mail::Reply Session::converse(std::string_view mechanism, std::optional<std::string> initial)
{
    using Outcome = ipc::AuthenticationResult::Kind;
    ipc::Authenticate start;
    start.service = ipc::Service::Smtp;
    start.mechanism = mechanism;
    start.initial = std::move(initial);
    start.client_address = client_.address;
    start.tls = tls_.has_value();
    if (tls_ && !tls_->exporter.empty()) {
        start.channel_binding_type = "tls-exporter";
        start.channel_binding = tls_->exporter;
    }
    auto result = services_.authenticator->start(std::move(start));
    while (result.ok() && (result->kind == Outcome::Challenge || (result->kind == Outcome::Success && !result->data.empty()))) {
        send({334, "", util::encode_base64(result->data)});
        mail::Reply failure;
        auto response = read_response(failure);
        if (result->kind == Outcome::Success) {
            // The server's last word (SCRAM) went as a challenge; the client answers with nothing
            // (RFC 4954 §4, RFC 4422 §5).
            if (!response || !response->empty())
                return gone_ || failure.code ? failure : mail::Reply{501, "5.5.2", "Error: malformed authentication response"};
            result->data.clear();
            break;
        }
        ipc::AuthenticationResponse message;
        message.response = response.value_or("");
        message.cancelled = !response.has_value();
        result = services_.authenticator->respond(std::move(message));
        if (!response)
            return failure;
    }
    if (!result.ok()) {
        log::warning("auth: ", result.error().text);
        return {454, "4.7.0", "Temporary authentication failure"};
    }
    if (result->kind != Outcome::Success)
        return auth_failed(mechanism, *result);
    sasl_method_ = mechanism;
    sasl_username_ = result->account;
    app_password_ = result->app_password;
    return {235, "2.7.0", "Authentication successful"};
}

mail::Reply Session::auth_failed(std::string_view mechanism, const ipc::AuthenticationResult& result)
{
    using Outcome = ipc::AuthenticationResult::Kind;
    std::string line = util::concat(client_.log_name(), ": SASL ", mechanism,
                                    result.not_authorized ? " authorization failed: " : " authentication failed: ",
                                    util::printable(result.text, 200));
    if (!result.account.empty())
        util::append(line, ", sasl_username=", util::printable(result.account, 200));
    log::warning(line);
    if (result.kind == Outcome::Unavailable)
        return {454, "4.7.0", "Temporary authentication failure"};
    if (result.kind == Outcome::Invalid)
        return {501, "5.5.2", "Error: malformed authentication response"};
    if (result.not_authorized)
        return {535, "5.7.8", "Error: you may not act as another user"};
    if (services_.sleep && result.delay > 0) {
        (void)stream_.flush();
        services_.sleep(std::min<util::Duration>(util::Duration(result.delay), std::chrono::seconds(60)));
    }
    return {535, "5.7.8", "Error: authentication failed"};
}

}  // namespace smtpd
