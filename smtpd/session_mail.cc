// MAIL and RCPT.
#include "smtpd/session.h"

#include "libutil/log.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

namespace smtpd {

namespace log = util::log;

namespace {

// What PREPEND may put before one message.
constexpr std::size_t max_prepended = 16 * 1024;

// The path text behind "FROM:" or "TO:"; nothing when the keyword is not there.
std::optional<std::string_view> behind_keyword(std::string_view argument, std::string_view keyword)
{
    if (!util::starts_with_nocase(argument, keyword))
        return {};
    argument.remove_prefix(keyword.size());
    return argument;
}

std::uint8_t notify_bits(mail::Notify notify)
{
    static_assert(mail::NotifyNever == ipc::NotifyNever && mail::NotifySuccess == ipc::NotifySuccess &&
                  mail::NotifyFailure == ipc::NotifyFailure && mail::NotifyDelay == ipc::NotifyDelay);
    return notify;
}

}  // namespace

mail::Extensions Session::extensions() const
{
    return {.size = offers("SIZE"),
            .eight_bit_mime = offers("8BITMIME"),
            .binary_mime = false,
            .utf8 = *config_.smtputf8_enable && offers("SMTPUTF8"),
            .dsn = offers("DSN"),
            .auth = *config_.sasl_auth_enable && offers("AUTH"),
            .requiretls = tls_ && *config_.requiretls_enable && offers("REQUIRETLS")};
}

RequestView Session::request() const
{
    RequestView view;
    view.client = &client_;
    view.log_id = log_id();
    view.where = where_;
    view.extended = extended_;
    view.helo = helo_;
    view.helo_given = helo_given_;
    view.sasl_username = sasl_username_;
    view.tls = tls_.has_value();
    if (tls_) {
        view.certificate = tls_->client_certificate;
        view.certificate_key = tls_->client_key;
        view.certificate_trusted = tls_->client_trusted;
        view.tls_protocol = tls_->protocol;
        view.tls_cipher = tls_->cipher;
        view.tls_bits = tls_->cipher_bits;
    }
    view.instance = instance_;
    view.sasl_method = sasl_method_;
    view.unauthorized_pipelining = ahead_;
    view.deferral = client_deferral_ ? &*client_deferral_ : helo_deferral_ ? &*helo_deferral_ : nullptr;
    if (transaction_) {
        view.sender = &transaction_->sender;
        view.sender_domain = transaction_->sender_domain;
        view.recipient_count = transaction_->recipients.size();
        if (view.recipient_count == 1) {
            view.recipient = &transaction_->first_recipient;
            view.recipient_domain = transaction_->first_recipient_domain;
        }
        view.size = transaction_->parameters.size.value_or(0);
        view.sasl_sender = transaction_->parameters.auth ? &*transaction_->parameters.auth : nullptr;
        if (!view.deferral && transaction_->deferral)
            view.deferral = &*transaction_->deferral;
    }
    return view;
}

// What policy servers know a message by: process, time, number.
void Session::begin_instance()
{
    instance_ = util::concat(::getpid(), '.', util::unix_seconds(util::wall_now()), '.', ++instances_);
}

mail::Reply Session::mail(std::string_view argument)
{
    if (*config_.helo_required && !helo_given_)
        return {503, "5.5.1", "Error: send HELO/EHLO first"};
    auto text = behind_keyword(argument, "FROM:");
    if (!text)
        return {501, "5.5.4", "Syntax: MAIL FROM:<address>"};
    mail::Extensions offered = extensions();
    auto path = mail::read_reverse_path(*text, {.utf8 = offered.utf8, .strict = *config_.strict_envelopes});
    if (!path.ok())
        return {501, "5.1.7", util::concat("Bad sender address syntax: ", path.error().text)};
    auto parameters = mail::parse_mail_parameters(path->rest, offered);
    if (!parameters.ok()) {
        // RFC 5321 §4.1.1.11
        int code = parameters.error().kind == util::Kind::Permanent ? 555 : 501;
        return {code, "5.5.4", parameters.error().text};
    }
    // RFC 6531 §3.4
    if (path->address.needs_utf8() && !parameters->utf8)
        return {553, "5.6.7", "Must use SMTPUTF8 with such a sender address"};
    std::uint64_t limit = *common_.message_size_limit;
    if (limit && parameters->size.value_or(0) > limit)
        return {552, "5.3.4", "Message size exceeds fixed limit"};  // RFC 1870 §6.1

    if (auto refusal = refuse_event(ipc::AnvilEvent::Message))
        return *refusal;
    begin_instance();
    transaction_.emplace();
    transaction_->forwarded = std::exchange(forwarded_, {});
    transaction_->sender_domain = path->address.domain;
    transaction_->sender = services_.rules.complete(std::move(path->address));
    transaction_->parameters = parameters.take();
    if (!*config_.delay_reject) {
        Ruling ruling = services_.rules.on_sender(request());
        transaction_->deferral = ruling.deferral;
        mail::Reply refusal = ruled(std::move(ruling), "MAIL");
        if (refusal.code) {
            transaction_.reset();
            return refusal;
        }
    }
    if (!*config_.delay_open_until_valid_rcpt) {
        if (auto trouble = name_message()) {
            transaction_.reset();
            return *trouble;
        }
    }
    return {250, "2.1.0", "Ok"};
}

mail::Reply Session::rcpt(std::string_view argument)
{
    auto text = behind_keyword(argument, "TO:");
    if (!text)
        return {501, "5.5.4", "Syntax: RCPT TO:<address>"};
    mail::Extensions offered = extensions();
    auto path = mail::read_forward_path(*text, {.utf8 = offered.utf8, .strict = *config_.strict_envelopes});
    if (!path.ok())
        return {501, "5.1.3", util::concat("Bad recipient address syntax: ", path.error().text)};
    bool utf8 = transaction_->parameters.utf8;
    auto parameters = mail::parse_rcpt_parameters(path->rest, offered, utf8);
    if (!parameters.ok()) {
        int code = parameters.error().kind == util::Kind::Permanent ? 555 : 501;
        return {code, "5.5.4", parameters.error().text};
    }
    if (path->address.needs_utf8() && !utf8)
        return {553, "5.6.7", "Must use SMTPUTF8 with such a recipient address"};
    if (auto refusal = refuse_event(ipc::AnvilEvent::Recipient))
        return *refusal;
    if (transaction_->recipients.size() >= *config_.recipient_limit) {
        mail::Reply reply{452, "4.5.3", "Error: too many recipients"};  // RFC 5321 §4.5.3.1.10
        log_reject("RCPT", reply, &path->address);
        forgiven_ = ++transaction_->excess <= *config_.recipient_overshoot_limit;
        return reply;
    }
    std::string domain = path->address.domain;
    mail::Address address = services_.rules.complete(std::move(path->address));
    RequestView view = request();
    view.recipient = &address;
    view.recipient_domain = domain;
    Ruling ruling = rule_on_recipient(view);
    if (ruling.refused()) {
        ++transaction_->refused;
        if (ruling.refusal->code == 421)
            closing_ = true;
        log_reject("RCPT", *ruling.refusal, &address);
        return std::move(*ruling.refusal);
    }
    obey(std::move(ruling.orders));
    if (transaction_->recipients.empty())
        transaction_->first_recipient_domain = std::move(domain);
    return accept_recipient(std::move(address), *parameters);
}

// With smtpd_delay_reject all stages, else the last.
Ruling Session::rule(std::span<const Stage> stages, RequestView view)
{
    Ruling whole;
    for (Stage stage : *config_.delay_reject ? stages : stages.last(1)) {
        Ruling ruling = (services_.rules.*stage)(view);
        whole.orders.add(std::move(ruling.orders));
        whole.refusal = std::move(ruling.refusal);
        if (whole.refused())
            break;
        if (!whole.deferral)
            whole.deferral = std::move(ruling.deferral);
        if (!view.deferral && whole.deferral)
            view.deferral = &*whole.deferral;
    }
    return whole;
}

// All that is checked at RCPT.
Ruling Session::rule_on_recipient(const RequestView& view)
{
    static constexpr Stage stages[] = {&Rules::on_connect, &Rules::on_helo, &Rules::on_sender, &Rules::on_recipient};
    return rule(stages, view);
}

void Session::obey(Orders orders)
{
    prepend(std::exchange(orders.prepended, {}));
    transaction_->orders.add(std::move(orders));
}

// Each field once: with smtpd_delay_reject what client, helo and sender said comes with every recipient.
void Session::prepend(std::string_view fields)
{
    std::string& all = transaction_->orders.prepended;
    while (!fields.empty()) {
        std::string_view field = fields.substr(0, fields.find('\n') + 1);
        fields.remove_prefix(field.size());
        bool there = all.starts_with(field) || all.find(util::concat('\n', field)) != std::string::npos;
        if (there)
            continue;
        if (all.size() + field.size() <= max_prepended)
            all += field;
        else
            log::warning(log_id(), ": more than ", max_prepended, " bytes to prepend: ", util::printable(field, 100));
    }
}

// Gives the message its queue id, which the log then has; the reply when there is none to be had.
std::optional<mail::Reply> Session::name_message()
{
    if (!transaction_->queue_id.empty() || transaction_->orders.discard)
        return {};
    auto id = services_.intake.next_queue_id();
    if (!id.ok()) {
        log::warning("cleanup: ", id.error().text);
        return mail::Reply{451, "4.3.0", "Error: mail system is not ready"};
    }
    transaction_->queue_id = id.take();
    std::string line = util::concat(transaction_->queue_id, ": client=", client_.log_name());
    if (!sasl_username_.empty())
        util::append(line, ", sasl_method=", sasl_method_, ", sasl_username=", util::printable(sasl_username_, 200));
    log_forwarded(line);
    log::info(line);
    return {};
}

mail::Reply Session::accept_recipient(mail::Address address, const mail::RcptParameters& parameters)
{
    if (auto trouble = name_message())
        return *trouble;
    ipc::Recipient recipient;
    recipient.address = mail::to_text(address);
    recipient.notify = notify_bits(parameters.notify);
    if (!parameters.original_type.empty())
        recipient.original = util::concat(parameters.original_type, ';', parameters.original_recipient);
    if (transaction_->recipients.empty())
        transaction_->first_recipient = std::move(address);
    transaction_->recipients.push_back(std::move(recipient));
    return {250, "2.1.5", "Ok"};
}

// The reply of a refusal, logged; code 0 when there is none.  What else was ruled is noted.
mail::Reply Session::ruled(Ruling ruling, std::string_view stage)
{
    if (transaction_)
        obey(std::move(ruling.orders));
    if (!ruling.refused())
        return {};
    log_reject(stage, *ruling.refusal);
    return std::move(*ruling.refusal);
}

std::string_view Session::log_id() const
{
    return transaction_ && !transaction_->queue_id.empty() ? std::string_view(transaction_->queue_id)
                                                           : "NOQUEUE";
}

void Session::log_reject(std::string_view stage, const mail::Reply& reply, const mail::Address* recipient)
{
    RequestView view = request();
    view.where = stage;
    if (recipient)
        view.recipient = recipient;
    else if (transaction_ && !transaction_->recipients.empty())
        view.recipient = &transaction_->first_recipient;
    log::info(log_line(view, "reject", mail::to_line(reply)));
}

}  // namespace smtpd
