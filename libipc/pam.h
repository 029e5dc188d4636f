// auth(8) -> auth-pam(8): users of the system, as PAM has them.
//
// A connection carries many questions at once, told apart by their number.  Each has an answer, or the
// connection ends.
#pragma once

#include "libipc/wire.h"

#include <optional>
#include <string>

namespace ipc {

struct CheckUser {
    static constexpr std::string_view message_name = "check-user";
    std::uint64_t request = 0;
    std::string user;
    std::optional<std::string> password;   // absent: only whether the user may log in at all
    std::string protocol;                  // imap, pop3, submission
    std::string client_address;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("user", message.user);
        visit("password", message.password);
        visit("protocol", message.protocol);
        visit("client_address", message.client_address);
    }
};

struct UserChecked {
    static constexpr std::string_view message_name = "user-checked";
    enum class Verdict : std::uint8_t { Good, Bad, Unavailable, last_ = Unavailable };
    std::uint64_t request = 0;
    Verdict verdict = Verdict::Unavailable;
    std::uint32_t uid = 0;                 // Good: whose
    std::string text;                      // why not, for the log

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("verdict", message.verdict);
        visit("uid", message.uid);
        visit("text", message.text);
    }
};

}  // namespace ipc
