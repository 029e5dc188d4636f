// sendmail -bs.
#include "tools/sendmail/smtp_session.h"

#include "libmail/esmtp.h"
#include "libutil/text.h"
#include "libutil/time.h"

namespace sendmail {

namespace {

constexpr std::size_t read_size = 16 * 1024;
constexpr mail::Extensions extensions{
    .size = true, .eight_bit_mime = true, .binary_mime = false, .utf8 = true, .dsn = true, .auth = false};

mail::Reply syntax_error(std::string text) { return {501, "5.5.4", std::move(text)}; }

mail::Reply reply_to(const util::Error& error)
{
    bool temporary = error.kind == util::Kind::Temporary || error.kind == util::Kind::NotFound;
    return {temporary ? 451 : 554, temporary ? "4.3.0" : "5.3.0", util::concat("Error: ", error.text)};
}

mail::Reply parameter_error(const util::Error& error)
{
    // RFC 5321 §4.1.1.11: unknown ones are 555, wrong values 501.
    return {error.kind == util::Kind::Permanent ? 555 : 501, "5.5.4", error.text};
}

}  // namespace

bool SmtpSession::run()
{
    streams_.write(mail::to_wire({220, "", util::concat(*config_.myhostname, " ESMTP ", *config_.mail_name)}));
    unsigned errors = 0;
    while (!ended_) {
        auto line = read_line(max_command);
        if (!line)
            return true;
        mail::Reply reply;
        if (line->whole) {
            reply = execute(line->text);
        } else {
            while (line && !line->whole)
                line = read_line(max_command);
            reply = {500, "5.5.2", "Error: the line is too long"};
        }
        errors += reply.is_permanent();
        if (errors >= max_errors) {
            streams_.write(mail::to_wire({421, "4.7.0", util::concat(*config_.myhostname, " Error: too many errors")}));
            return false;
        }
        if (reply.code != 0)
            streams_.write(mail::to_wire(reply));
    }
    return true;
}

// A line, or the first `limit` bytes of it; nothing at the end of input, which is no line without its end.
std::optional<SmtpSession::Line> SmtpSession::read_line(std::size_t limit)
{
    for (;;) {
        std::size_t end = buffer_.find('\n', at_);
        if (end != std::string::npos && end - at_ <= limit + 1) {
            Line line{buffer_.substr(at_, end - at_), true};
            at_ = end + 1;
            if (line.text.ends_with('\r'))
                line.text.pop_back();
            return line;
        }
        if (buffer_.size() - at_ > limit + 1) {
            // One byte stays: it may be the CR of the line's end.
            Line line{buffer_.substr(at_, limit), false};
            at_ += limit;
            return line;
        }
        buffer_.erase(0, at_);
        at_ = 0;
        std::size_t before = buffer_.size();
        buffer_.resize(before + read_size);
        auto got = streams_.read(std::span(buffer_).subspan(before));
        buffer_.resize(before + (got ? *got : 0));
        if (!got || *got == 0) {
            ended_ = true;
            return {};
        }
    }
}

mail::Reply SmtpSession::execute(std::string_view line)
{
    auto [verb, argument] = util::split_first(line, ' ');
    std::string command = util::upper(verb);
    if (command == "EHLO" || command == "HELO")
        return hello(util::trim(argument), command == "EHLO");
    if (command == "MAIL")
        return mail_from(argument);
    if (command == "RCPT")
        return rcpt_to(argument);
    if (command == "DATA")
        return util::trim(argument).empty() ? data() : syntax_error("Syntax: DATA");
    if (command == "RSET") {
        transaction_.reset();
        return {250, "2.0.0", "Ok"};
    }
    if (command == "NOOP")
        return {250, "2.0.0", "Ok"};
    if (command == "VRFY")
        return {252, "2.0.0", "send some mail, and see"};
    if (command == "QUIT") {
        ended_ = true;
        return {221, "2.0.0", "Bye"};
    }
    return {502, "5.5.2", "Error: command not recognized"};
}

mail::Reply SmtpSession::hello(std::string_view argument, bool extended)
{
    if (argument.empty())
        return syntax_error("Syntax: EHLO hostname");
    greeted_ = true;
    transaction_.reset();
    if (!extended)
        return {250, "", *config_.myhostname};
    return {250, "",
            util::concat(*config_.myhostname, "\nPIPELINING\nSIZE ", *config_.message_size_limit,
                         "\nENHANCEDSTATUSCODES\n8BITMIME\nDSN\nSMTPUTF8")};
}

mail::Reply SmtpSession::mail_from(std::string_view argument)
{
    if (!util::starts_with_nocase(argument, "FROM:"))
        return syntax_error("Syntax: MAIL FROM:<address>");
    if (!greeted_)
        return {503, "5.5.1", "Error: send HELO/EHLO first"};
    if (transaction_)
        return {503, "5.5.1", "Error: nested MAIL command"};
    bool utf8 = mail::has_smtputf8(argument);
    auto path = mail::read_reverse_path(argument.substr(5), {.utf8 = utf8, .strict = false});
    if (!path)
        return {501, "5.1.7", path.error().text};
    auto parameters = mail::parse_mail_parameters(path->rest, extensions);
    if (!parameters)
        return parameter_error(parameters.error());
    std::uint64_t limit = *config_.message_size_limit;
    if (limit > 0 && parameters->size.value_or(0) > limit)
        return {552, "5.3.4", "Message size exceeds fixed limit"};
    mail::Address sender = path->address;
    if (!sender.is_null() && sender.domain.empty())
        sender.domain = *config_.myorigin;
    Transaction fresh;
    fresh.envelope.sender = mail::to_text(sender);
    fresh.envelope.origin = ipc::Origin::Local;
    fresh.envelope.complete_header = true;
    fresh.envelope.smtputf8 = parameters->utf8;
    fresh.envelope.envelope_id = parameters->envelope_id;
    fresh.envelope.return_part = parameters->ret == mail::Return::Full      ? ipc::ReturnPart::Full
                                 : parameters->ret == mail::Return::Headers ? ipc::ReturnPart::Headers
                                                                            : ipc::ReturnPart::Default;
    transaction_ = std::move(fresh);
    return {250, "2.1.0", "Ok"};
}

mail::Reply SmtpSession::rcpt_to(std::string_view argument)
{
    if (!util::starts_with_nocase(argument, "TO:"))
        return syntax_error("Syntax: RCPT TO:<address>");
    if (!transaction_)
        return {503, "5.5.1", "Error: need MAIL command"};
    if (transaction_->recipients.size() >= max_recipients)
        return {452, "4.5.3", "Error: too many recipients"};
    bool utf8 = transaction_->envelope.smtputf8;
    auto path = mail::read_forward_path(argument.substr(3), {.utf8 = utf8, .strict = false});
    if (!path)
        return {501, "5.1.3", path.error().text};
    auto parameters = mail::parse_rcpt_parameters(path->rest, extensions, utf8);
    if (!parameters)
        return parameter_error(parameters.error());
    mail::Address address = path->address;
    if (address.domain.empty())
        address.domain = *config_.myorigin;
    ipc::Recipient recipient;
    recipient.address = mail::to_text(address);
    recipient.notify = parameters->notify;
    if (!parameters->original_type.empty())
        recipient.original = util::concat(parameters->original_type, ';', parameters->original_recipient);
    transaction_->recipients.push_back(std::move(recipient));
    return {250, "2.1.5", "Ok"};
}

mail::Reply SmtpSession::data()
{
    if (!transaction_ || transaction_->recipients.empty())
        return {503, "5.5.1", transaction_ ? "Error: need RCPT command" : "Error: need MAIL command"};
    auto sink = open_sink_();
    if (!sink)
        return reply_to(sink.error());
    Transaction message = std::move(*transaction_);
    transaction_.reset();
    message.envelope.arrival = util::wall_now().time_since_epoch().count();
    streams_.write(mail::to_wire({354, "", "End data with <CR><LF>.<CR><LF>"}));
    (*sink)->begin(std::move(message.envelope), message.recipients);
    if (auto refused = read_content(**sink))
        return *refused;
    auto done = (*sink)->finish();
    return done ? mail::Reply{250, "2.0.0", "Ok: queued"} : reply_to(done.error());
}

// Up to the dot; nothing when all is handed on.  At an end of input before that the message is dropped.
std::optional<mail::Reply> SmtpSession::read_content(Sink& sink)
{
    bool line_start = true;
    for (;;) {
        auto line = read_line(max_piece);
        if (!line)
            return mail::Reply{};  // nobody is there to hear it
        std::string_view text = line->text;
        if (line_start && line->whole && text == ".")
            return {};
        if (line_start && text.starts_with('.'))
            text.remove_prefix(1);
        sink.write(text);
        if (line->whole)
            sink.write("\r\n");
        line_start = line->whole;
    }
}

}  // namespace sendmail
