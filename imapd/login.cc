// The IMAP dialogue before log-in.
#include "imapd/login.h"

#include "imapd/syntax/capability.h"
#include "libutil/text.h"

namespace imapd {

using ipc::LoginRefusal;
using ipc::LoginStep;
using syntax::Scanner;

namespace {

// RFC 2971 §3.3.
constexpr int max_id_pairs = 30;

LoginStep step(LoginStep::Kind kind)
{
    return {.kind = kind, .mechanism = {}, .data = {}};
}

}  // namespace

Login::Login(std::string hostname)
    : hostname_(std::move(hostname)), framer_({.line = login_line_limit, .skip = 64 * 1024})
{
}

std::string Login::capabilities() const
{
    std::string text(syntax::greeting_capabilities);
    if (offer_.starttls)
        text += " STARTTLS";
    // RFC 3501 §6.2.3.
    if (!offer_.plaintext)
        text += " LOGINDISABLED";
    for (const auto& mechanism : offer_.usable())
        util::append(text, " AUTH=", mechanism);
    return text;
}

void Login::greet(const ipc::LoginOffer& offer)
{
    offer_ = offer;
    util::append(output_, "* OK [CAPABILITY ", capabilities(), "] ", hostname_, " ready\r\n");
}

// The client asks for the capabilities anew (RFC 3501 §6.2.1).
void Login::tls_started(const ipc::LoginOffer& offer)
{
    offer_ = offer;
}

void Login::tagged(std::string_view text)
{
    util::append(output_, tag_, " ", text, "\r\n");
}

LoginStep Login::close(std::string_view bye)
{
    util::append(output_, "* BYE ", bye, "\r\n");
    return step(LoginStep::Kind::Close);
}

LoginStep Login::bad(std::string_view text)
{
    tagged(util::concat("BAD ", text));
    if (++bad_ >= max_login_bad_commands)
        return close("Too many commands that are not understood");
    return {};
}

void Login::say_goodbye(std::string_view reason)
{
    util::append(output_, "* BYE ", reason, "\r\n");
}

LoginStep Login::feed(std::string_view bytes)
{
    using Event = syntax::Framer::Event;
    framer_.feed(bytes);
    for (;;) {
        LoginStep next;
        switch (challenged_ || acknowledging_ ? framer_.next_line() : framer_.next()) {
        case Event::NeedInput:
            return {};
        case Event::TooLong:
        case Event::BadLiteral:
            challenged_ = acknowledging_ = false;
            tag_ = "*";
            next = bad("[TOOBIG] The command is too long");
            framer_.release();
            break;
        case Event::Fatal:
            return close("[TOOBIG] The literal is too large");
        case Event::Literal:
            literal_announced();
            break;
        case Event::Command: {
            if (challenged_ || acknowledging_) {
                next = respond(framer_.command());
            } else {
                Scanner scanner(framer_.command());
                auto answer = execute(scanner);
                next = answer.ok() ? answer.take() : bad(answer.error().text);
            }
            framer_.release();
            break;
        }
        }
        if (next.kind != LoginStep::Kind::Wait)
            return next;
    }
}

void Login::literal_announced()
{
    Scanner scanner(framer_.command());
    auto tag = scanner.tag();
    tag_ = tag.ok() ? std::string(*tag) : "*";
    auto literal = framer_.literal();
    if (framer_.literal_bytes() + literal.size <= login_literal_limit) {
        framer_.accept_literal();
        if (literal.synchronizing)
            output_ += "+ OK\r\n";
        return;
    }
    tagged("BAD [TOOBIG] The literal is too large");
    // What cannot be skipped shows as Fatal.
    (void)framer_.refuse_literal();
}

Login::Answer Login::execute(Scanner& scanner)
{
    tag_ = "*";
    auto tag = TRY(scanner.tag());
    TRY(scanner.space());
    tag_ = tag;
    auto verb = TRY(scanner.atom());
    auto is = [&](std::string_view name) { return util::equal_nocase(verb, name); };
    if (is("LOGIN"))
        return log_in(scanner);
    if (is("AUTHENTICATE"))
        return authenticate(scanner);
    if (is("STARTTLS"))
        return starttls(scanner);
    if (is("ID"))
        return id(scanner);
    if (is("CAPABILITY")) {
        TRY(scanner.end());
        util::append(output_, "* CAPABILITY ", capabilities(), "\r\n");
        tagged("OK CAPABILITY completed");
        return LoginStep{};
    }
    if (is("NOOP")) {
        TRY(scanner.end());
        tagged("OK NOOP completed");
        return LoginStep{};
    }
    if (is("LOGOUT")) {
        TRY(scanner.end());
        output_ += "* BYE Logging out\r\n";
        tagged("OK LOGOUT completed");
        return step(LoginStep::Kind::Close);
    }
    return util::invalid("Log in first");
}

Login::Answer Login::starttls(Scanner& arguments)
{
    TRY(arguments.end());
    if (offer_.tls_active)
        return util::invalid("TLS is active already");
    if (!offer_.starttls) {
        tagged("NO [UNAVAILABLE] TLS cannot be had");
        return LoginStep{};
    }
    tagged("OK Begin TLS negotiation now");
    return step(LoginStep::Kind::StartTls);
}

Login::Answer Login::log_in(Scanner& arguments)
{
    TRY(arguments.space());
    auto user = TRY(arguments.astring());
    TRY(arguments.space());
    auto password = TRY(arguments.astring());
    TRY(arguments.end());
    if (!offer_.plaintext) {
        // RFC 5530: the client has just sent its password in the clear, for whoever listens.
        tagged("NO [PRIVACYREQUIRED] Log in over TLS");
        return LoginStep{};
    }
    LoginStep next = step(LoginStep::Kind::Authenticate);
    next.mechanism = "PLAIN";
    next.data = util::concat('\0', user, '\0', password);
    return next;
}

Login::Answer Login::authenticate(Scanner& arguments)
{
    TRY(arguments.space());
    auto mechanism = TRY(arguments.atom());
    LoginStep next = step(LoginStep::Kind::Authenticate);
    next.mechanism = util::upper(mechanism);
    if (arguments.skip(' ')) {
        // RFC 4959 §3: "=" is an initial response that is empty.
        auto text = arguments.rest();
        auto initial = text == "=" ? util::Result<std::string>(std::string()) : util::decode_base64(text);
        if (!initial.ok() || text.empty())
            return util::invalid("Invalid base64");
        next.data = initial.take();
    }
    if (!offer_.is_usable(mechanism)) {
        bool bare = util::equal_nocase(mechanism, "PLAIN") || util::equal_nocase(mechanism, "LOGIN");
        tagged(bare && !offer_.plaintext ? "NO [PRIVACYREQUIRED] Log in over TLS"
                                         : "NO [CANNOT] This mechanism is not offered");
        return LoginStep{};
    }
    return next;
}

Login::Answer Login::id(Scanner& arguments)
{
    TRY(arguments.space());
    bool nil = false;
    if (arguments.skip('(')) {
        for (int pairs = 0; !arguments.skip(')'); ++pairs) {
            if (pairs >= max_id_pairs)
                return util::invalid("Too many ID fields");
            if (pairs > 0)
                TRY(arguments.space());
            TRY(arguments.string());
            TRY(arguments.space());
            TRY(arguments.nstring(nil));
        }
    } else {
        TRY(arguments.nstring(nil));
        if (!nil)
            return util::invalid("List or NIL expected");
    }
    TRY(arguments.end());
    output_ += "* ID (\"name\" \"Tern\")\r\n";
    tagged("OK ID completed");
    return LoginStep{};
}

// RFC 3501 §6.2.2: a line of base64, or "*" to cancel.
LoginStep Login::respond(std::string_view line)
{
    if (acknowledging_) {
        acknowledging_ = false;
        if (line.empty())
            return step(LoginStep::Kind::Proceed);
        LoginStep cancelled = bad("The exchange was over");
        return cancelled;
    }
    challenged_ = false;
    if (line == "*") {
        LoginStep next = bad("Authentication cancelled");
        return next.kind == LoginStep::Kind::Close ? next : step(LoginStep::Kind::Cancel);
    }
    auto data = util::decode_base64(line);
    if (!data.ok()) {
        LoginStep next = bad("Invalid base64");
        return next.kind == LoginStep::Kind::Close ? next : step(LoginStep::Kind::Cancel);
    }
    LoginStep next = step(LoginStep::Kind::Respond);
    next.data = data.take();
    return next;
}

void Login::challenge(std::string_view data)
{
    challenged_ = true;
    util::append(output_, "+ ", util::encode_base64(data), "\r\n");
}

// IMAP has no place for data beside success: it goes as one more challenge.
LoginStep Login::authenticated(std::string_view data)
{
    if (data.empty())
        return step(LoginStep::Kind::Proceed);
    acknowledging_ = true;
    util::append(output_, "+ ", util::encode_base64(data), "\r\n");
    return {};
}

void Login::refuse(LoginRefusal why)
{
    switch (why) {
    case LoginRefusal::Failed:
        return tagged("NO [AUTHENTICATIONFAILED] Authentication failed");
    case LoginRefusal::Unavailable:
        return tagged("NO [UNAVAILABLE] Log-in is not possible now, try again later");
    case LoginRefusal::Invalid:
        return tagged("BAD Authentication exchange broken");
    case LoginRefusal::Disabled:
        return tagged("NO [CONTACTADMIN] The mailbox cannot be opened");
    }
}

std::string Login::greeting() const
{
    return util::concat(tag_, " OK [CAPABILITY ", syntax::session_capabilities, "] Logged in\r\n");
}

}  // namespace imapd
