// The IMAP dialogue before log-in.
#include "imapd/login.h"

#include "imapd/syntax/bye.h"
#include "imapd/syntax/capability.h"
#include "libutil/text.h"

namespace imapd {

using ipc::LoginRefusal;
using ipc::LoginStep;
using syntax::Scanner;

namespace {

// RFC 2971 §3.3.
constexpr int max_id_pairs = 30;
constexpr std::size_t max_client_name = 1024;

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
void Login::set_offer(const ipc::LoginOffer& offer)
{
    offer_ = offer;
}

void Login::tagged(std::string_view text)
{
    util::append(output_, tag_, " ", text, "\r\n");
}

LoginStep Login::close(std::string_view reason)
{
    output_ += syntax::bye(reason);
    return LoginStep::Kind::Close;
}

LoginStep Login::bad(std::string_view text)
{
    tagged(util::concat("BAD ", text));
    if (is_one_too_many())
        return close("Too many commands that are not understood");
    return {};
}

void Login::say_goodbye(std::string_view reason)
{
    output_ += syntax::bye(reason);
}

LoginStep Login::feed(std::string_view bytes)
{
    using Event = syntax::Framer::Event;
    framer_.feed(bytes);
    for (;;) {
        LoginStep next;
        switch (is_responding() ? framer_.next_line() : framer_.next()) {
        case Event::NeedInput:
            return {};
        case Event::TooLong:
        case Event::BadLiteral:
            stop_responding();
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
            if (is_responding()) {
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
        output_ += syntax::bye("Logging out");
        tagged("OK LOGOUT completed");
        return LoginStep::Kind::Close;
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
    return LoginStep(LoginStep::Kind::StartTls);
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
    return plain(user, password);
}

Login::Answer Login::authenticate(Scanner& arguments)
{
    TRY(arguments.space());
    auto mechanism = TRY(arguments.atom());
    LoginStep next = LoginStep::Kind::Authenticate;
    next.mechanism = util::upper(mechanism);
    if (arguments.skip(' '))
        next.data = TRY(initial_response(arguments.rest()));
    if (!offer_.is_usable(mechanism)) {
        tagged(ipc::is_bare_password(mechanism) && !offer_.plaintext ? "NO [PRIVACYREQUIRED] Log in over TLS"
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
            bool is_name = util::equal_nocase(TRY(arguments.string()), "name");
            TRY(arguments.space());
            auto value = TRY(arguments.nstring(nil));
            if (is_name)
                client_name_ = value.substr(0, max_client_name);
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

void Login::refuse(LoginRefusal why)
{
    switch (why) {
    case LoginRefusal::Failed:
        return tagged("NO [AUTHENTICATIONFAILED] Authentication failed");
    case LoginRefusal::NotAuthorized:  // RFC 5530 §3
        return tagged("NO [AUTHORIZATIONFAILED] You may not act as another user");
    case LoginRefusal::Unavailable:
    case LoginRefusal::TooSoon:
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
