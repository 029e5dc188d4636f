// The POP3 dialogue before log-in.
#include "pop3d/login.h"

#include "libutil/text.h"
#include "pop3d/engine/language.h"

namespace pop3d {

using ipc::LoginRefusal;
using ipc::LoginStep;

Login::Login(std::string hostname, MaildropFacts maildrop) : hostname_(std::move(hostname)), maildrop_(maildrop) {}

void Login::greet(const ipc::LoginOffer& offer)
{
    offer_ = offer;
    ok(util::concat(hostname_, " ready"));
}

void Login::set_offer(const ipc::LoginOffer& offer)
{
    offer_ = offer;
    user_.clear();
}

void Login::ok(std::string_view text)
{
    util::append(output_, "+OK ", text, "\r\n");
}

LoginStep Login::bad(std::string_view text)
{
    util::append(output_, "-ERR ", text, "\r\n");
    return is_one_too_many() ? LoginStep::Kind::Close : LoginStep::Kind::Wait;
}

void Login::say_goodbye(std::string_view reason)
{
    util::append(output_, "-ERR [SYS/TEMP] ", reason, "\r\n");
}

LoginStep Login::feed(std::string_view bytes)
{
    input_.append(bytes);
    for (;;) {
        auto limit = is_responding() ? response_limit : command_limit;
        auto end = input_.find('\n');
        if (end == std::string::npos) {
            // RFC 5034 §4: a response of AUTH may be long, and come with its command.
            if (skipping_ || input_.size() > response_limit) {
                skipping_ = true;
                input_.clear();
            }
            return {};
        }
        auto line = input_.substr(0, end);
        input_.erase(0, end + 1);
        if (util::starts_with_nocase(line, "AUTH "))
            limit = response_limit;
        LoginStep next;
        if (skipping_ || line.size() + 1 > limit) {
            skipping_ = false;
            stop_responding();
            next = bad("The command line is too long");
        } else {
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            next = is_responding() ? respond(line) : execute(line);
        }
        if (next.kind != LoginStep::Kind::Wait)
            return next;
    }
}

LoginStep Login::execute(std::string_view line)
{
    auto [verb, argument] = util::split_first(line, ' ');
    auto is = [verb = verb](std::string_view name) { return util::equal_nocase(verb, name); };
    if (is("USER"))
        return user(argument);
    if (is("PASS"))
        return pass(argument);
    if (is("AUTH"))
        return auth(util::trim(argument));
    if (is("LANG"))
        return lang(util::trim(argument));
    if (!argument.empty() && (is("CAPA") || is("STLS") || is("UTF8") || is("QUIT")))
        return bad("Unexpected argument");
    if (is("STLS"))
        return stls();
    if (is("UTF8"))
        return use_utf8();
    if (is("CAPA")) {
        capa();
        return {};
    }
    if (is("QUIT")) {
        ok("Goodbye");
        return LoginStep::Kind::Close;
    }
    return bad("Log in first");
}

// RFC 2449 §5: what can be had before log-in is announced after it, too.
std::string Login::login_capabilities() const
{
    std::string lines;
    if (offer_.plaintext)
        lines += "USER\r\n";
    if (offer_.starttls)
        lines += "STLS\r\n";
    if (auto usable = offer_.usable(); !usable.empty()) {
        lines += "SASL";
        for (const auto& mechanism : usable)
            util::append(lines, " ", mechanism);
        lines += "\r\n";
    }
    if (maildrop_.expire)
        util::append(lines, "EXPIRE ", *maildrop_.expire, "\r\n");
    else
        lines += "EXPIRE NEVER\r\n";
    if (maildrop_.login_delay > 0)
        util::append(lines, "LOGIN-DELAY ", maildrop_.login_delay, "\r\n");
    return lines;
}

void Login::capa()
{
    ok("Capabilities follow");
    util::append(output_, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                          "UTF8 USER\r\nLANG\r\nIMPLEMENTATION Tern\r\n", login_capabilities(), ".\r\n");
}

LoginStep Login::stls()
{
    if (offer_.tls_active)
        return bad("TLS is active already");
    if (!offer_.starttls)
        return bad("TLS cannot be had");
    if (utf8_)  // RFC 6856 §2.1
        return bad("STLS comes before UTF8");
    ok("Begin TLS negotiation now");
    return LoginStep::Kind::StartTls;
}

LoginStep Login::lang(std::string_view argument)
{
    return append_language(output_, argument) ? LoginStep() : bad("This language is not spoken here");
}

LoginStep Login::use_utf8()
{
    utf8_ = true;
    ok("UTF-8 from here on");
    return {};
}

// RFC 6856 §2.2: UTF-8 may be in names and passwords, with UTF8 and without; auth(8) has them in one form.
LoginStep Login::user(std::string_view name)
{
    if (!util::is_utf8(name))
        return bad("The name is not in UTF-8");
    if (!offer_.plaintext)
        return bad("[AUTH] Log in over TLS");
    if (name.empty())
        return bad("Name expected");
    user_ = name;
    ok("Name taken, password wanted");
    return {};
}

// A password may hold spaces, so the rest of the line is it (RFC 1939 §7).
LoginStep Login::pass(std::string_view password)
{
    if (user_.empty())
        return bad("USER comes first");
    if (password.empty())
        return bad("Password expected");
    if (!util::is_utf8(password))
        return bad("The password is not in UTF-8");
    LoginStep next = plain(user_, password);
    user_.clear();
    return next;
}

LoginStep Login::auth(std::string_view arguments)
{
    auto [mechanism, initial] = util::split_first(arguments, ' ');
    if (mechanism.empty())
        return bad("Mechanism expected");
    if (!offer_.is_usable(mechanism))
        return bad("[AUTH] This mechanism is not offered");
    LoginStep next = LoginStep::Kind::Authenticate;
    next.mechanism = util::upper(mechanism);
    if (!initial.empty()) {
        auto data = initial_response(initial);
        if (!data.ok())
            return bad(data.error().text);
        next.data = data.take();
    }
    return next;
}

void Login::refuse(LoginRefusal why)
{
    std::string_view text;
    switch (why) {
    case LoginRefusal::Failed:
        text = "[AUTH] Authentication failed";
        break;
    case LoginRefusal::NotAuthorized:
        text = "[AUTH] You may not act as another user";
        break;
    case LoginRefusal::Unavailable:
        text = "[SYS/TEMP] Log-in is not possible now, try again later";
        break;
    case LoginRefusal::TooSoon:  // RFC 2449 §8.1.1: only for who has given the password
        text = "[LOGIN-DELAY] The last log-in was a moment ago, try again later";
        break;
    case LoginRefusal::Invalid:
        text = "Authentication exchange broken";
        break;
    case LoginRefusal::Disabled:
        text = "[SYS/PERM] The maildrop cannot be opened";
        break;
    }
    util::append(output_, "-ERR ", text, "\r\n");
}

std::string Login::greeting() const
{
    return "+OK Logged in\r\n";
}

}  // namespace pop3d
