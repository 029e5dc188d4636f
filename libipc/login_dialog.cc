// What the log-in dialogues of all protocols share.
#include "libipc/login_dialog.h"

#include "libutil/text.h"

#include <algorithm>

namespace ipc {

bool is_bare_password(std::string_view mechanism)
{
    return util::equal_nocase(mechanism, "PLAIN") || util::equal_nocase(mechanism, "LOGIN");
}

std::vector<std::string> LoginOffer::usable() const
{
    std::vector<std::string> out;
    for (const auto& name : mechanisms)
        if (is_usable(name))
            out.push_back(name);
    return out;
}

bool LoginOffer::is_usable(std::string_view mechanism) const
{
    bool offered = std::any_of(mechanisms.begin(), mechanisms.end(), [&](const std::string& name) {
        return util::equal_nocase(name, mechanism);
    });
    return offered && (plaintext || !is_bare_password(mechanism));
}

void LoginDialog::challenge(std::string_view data)
{
    challenged_ = true;
    util::append(output_, "+ ", util::encode_base64(data), "\r\n");
}

// Neither protocol has a place for data beside success: it goes as one more challenge.
LoginStep LoginDialog::authenticated(std::string_view data)
{
    if (data.empty())
        return LoginStep::Kind::Proceed;
    acknowledging_ = true;
    util::append(output_, "+ ", util::encode_base64(data), "\r\n");
    return {};
}

// RFC 3501 §6.2.2, RFC 5034 §4: a line of base64, or "*" to cancel.
LoginStep LoginDialog::respond(std::string_view line)
{
    if (acknowledging_) {
        acknowledging_ = false;
        return line.empty() ? LoginStep(LoginStep::Kind::Proceed) : bad("The exchange was over");
    }
    challenged_ = false;
    auto data = util::decode_base64(line);
    if (line == "*" || !data.ok()) {
        LoginStep next = bad(line == "*" ? "Authentication cancelled" : "Invalid base64");
        return next.kind == LoginStep::Kind::Close ? next : LoginStep(LoginStep::Kind::Cancel);
    }
    LoginStep next = LoginStep::Kind::Respond;
    next.data = data.take();
    return next;
}

LoginStep LoginDialog::plain(std::string_view user, std::string_view password)
{
    LoginStep next = LoginStep::Kind::Authenticate;
    next.mechanism = "PLAIN";
    next.data = util::concat('\0', user, '\0', password);
    return next;
}

// RFC 4959 §3, RFC 5034 §4: "=" is an initial response that is empty.
util::Result<std::string> LoginDialog::initial_response(std::string_view text)
{
    if (text == "=")
        return std::string();
    if (text.empty())
        return util::invalid("Invalid base64");
    auto data = util::decode_base64(text);
    return data.ok() ? std::move(data) : util::invalid("Invalid base64");
}

}  // namespace ipc
