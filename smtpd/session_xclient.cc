// XCLIENT and XFORWARD: clients that speak for others (Postfix's XCLIENT_README, XFORWARD_README).
#include "smtpd/session.h"

#include "libutil/log.h"

namespace smtpd {

namespace log = util::log;

namespace {

std::string text_or(const std::optional<mail::ClientAttribute>& attribute, std::string otherwise)
{
    if (!attribute)
        return otherwise;
    return attribute->kind == mail::ClientAttribute::Kind::Known ? attribute->text : "unknown";
}

NameStatus status_or(const std::optional<mail::ClientAttribute>& attribute, NameStatus otherwise)
{
    if (!attribute)
        return otherwise;
    using Kind = mail::ClientAttribute::Kind;
    return attribute->kind == Kind::Known ? NameStatus::Ok
           : attribute->kind == Kind::Temporary ? NameStatus::Temporary : NameStatus::Permanent;
}

std::uint16_t port_or(const std::optional<mail::ClientAttribute>& attribute, std::uint16_t otherwise)
{
    return attribute ? std::uint16_t(util::parse_unsigned(attribute->text, 65535).value_or(0)) : otherwise;
}

}  // namespace

// The session stands as after the connection of that client: the greeting follows, or its refusal.
mail::Reply Session::xclient(std::string_view argument)
{
    if (!may_xclient_ || !offers("XCLIENT"))
        return {550, "5.7.0", "Error: insufficient authorization"};
    auto attributes = mail::parse_client_attributes(mail::ClientCommand::Xclient, argument);
    if (!attributes.ok())
        return {501, "5.5.4", attributes.error().text};
    std::string before = client_.log_name();
    become(*attributes);
    log::info("XCLIENT from ", before, ": client=", client_.log_name(), ", server=[", client_.server_address,
              "]:", client_.server_port,
              sasl_username_.empty() ? "" : ", sasl_username=", util::printable(sasl_username_, 200));
    begin_client();
    return greeting();
}

void Session::become(const mail::ClientAttributes& attributes)
{
    rset({});
    denied_.reset();
    client_deferral_.reset();
    helo_deferral_.reset();
    client_.name = text_or(attributes.name, std::move(client_.name));
    client_.name_status = status_or(attributes.name, client_.name_status);
    client_.reverse_name = text_or(attributes.reverse_name, std::move(client_.reverse_name));
    client_.reverse_status = status_or(attributes.reverse_name, client_.reverse_status);
    client_.address = text_or(attributes.address, std::move(client_.address));
    client_.port = port_or(attributes.port, client_.port);
    client_.server_address = text_or(attributes.destination_address, std::move(client_.server_address));
    client_.server_port = port_or(attributes.destination_port, client_.server_port);
    using Kind = mail::ClientAttribute::Kind;
    helo_given_ = attributes.helo && attributes.helo->kind == Kind::Known;
    helo_ = helo_given_ ? attributes.helo->text : "";
    extended_ = attributes.protocol && attributes.protocol->text == "ESMTP";
    // Without LOGIN nobody is logged in, whoever was before.
    bool logged_in = attributes.login && attributes.login->kind == Kind::Known;
    sasl_username_ = logged_in ? attributes.login->text : "";
    app_password_.clear();
    sasl_method_ = logged_in ? "XCLIENT" : "";
}

mail::Reply Session::xforward(std::string_view argument)
{
    if (!may_xforward_ || !offers("XFORWARD"))
        return {550, "5.7.0", "Error: insufficient authorization"};
    auto attributes = mail::parse_client_attributes(mail::ClientCommand::Xforward, argument);
    if (!attributes.ok())
        return {501, "5.5.4", attributes.error().text};
    forwarded_.merge(attributes.take());
    return {250, "2.0.0", "Ok"};
}

// The end of the line that says whose message an id is.
void Session::log_forwarded(std::string& line) const
{
    const mail::ClientAttributes& forwarded = transaction_->forwarded;
    if (forwarded.ident)
        util::append(line, ", orig_queue_id=", text_or(forwarded.ident, ""));
    if (forwarded.name || forwarded.address)
        util::append(line, ", orig_client=", text_or(forwarded.name, "unknown"), '[', text_or(forwarded.address, "unknown"),
                     ']');
}

// For the queue file: where the message came from in the first place.
void Session::fill_client(ipc::Envelope& envelope) const
{
    const mail::ClientAttributes& forwarded = transaction_->forwarded;
    envelope.client_name = text_or(forwarded.name, client_.name);
    envelope.client_address = text_or(forwarded.address, client_.address);
    // Of an address that was forwarded, only the port that was forwarded with it.
    std::uint16_t port = port_or(forwarded.port, forwarded.address ? std::uint16_t(0) : client_.port);
    envelope.client_port = port > 0 ? util::concat(port) : std::string();
    envelope.helo_name = text_or(forwarded.helo, helo_);
    envelope.protocol_name = text_or(forwarded.protocol, protocol());
    // SOURCE=LOCAL: mail of this system's own people, wherever it was meanwhile.
    if (forwarded.source)
        envelope.local_header = forwarded.source->text == "LOCAL";
}

}  // namespace smtpd
