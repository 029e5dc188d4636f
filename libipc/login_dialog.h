// The log-in dialogue of a mail protocol, without I/O: what imapd(8) and pop3d(8) have of their own.
//
// The door (door.h) feeds bytes, sends what is in output(), does what the step says, and tells how
// that went.  Between two steps the dialogue consumes nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

// What a client may use now.
struct LoginOffer {
    bool tls_active = false;
    bool starttls = false;          // STARTTLS can be had
    bool plaintext = false;         // passwords may travel as they are
    std::vector<std::string> mechanisms;

    // Those of `mechanisms` that may be used, PLAIN and LOGIN only with `plaintext`.
    std::vector<std::string> usable() const;
    bool is_usable(std::string_view mechanism) const;
};

struct LoginStep {
    enum class Kind : unsigned char {
        Wait,          // for input
        StartTls,      // the answer is in output(); then tls_started()
        Authenticate,  // mechanism, data (the initial response, if there is one)
        Respond,       // data: the client's response to a challenge
        Cancel,        // the client gave the exchange up; the answer is in output()
        Proceed,       // authenticated, and the client has everything: open the session
        Close,         // the last words are in output()
    };
    Kind kind = Kind::Wait;
    std::string mechanism;
    std::optional<std::string> data;
};

enum class LoginRefusal : unsigned char { Failed, Unavailable, Invalid, Disabled };

class LoginDialog {
public:
    virtual ~LoginDialog() = default;

    virtual void greet(const LoginOffer& offer) = 0;
    virtual void tls_started(const LoginOffer& offer) = 0;

    // Takes bytes (none: goes on with what is there) and says what is to be done next.
    virtual LoginStep feed(std::string_view bytes) = 0;
    virtual std::string& output() = 0;

    // After Authenticate and Respond: one of these.  authenticated() with data has the client
    // acknowledge it first (SCRAM's last message); then, and else at once, comes Proceed.
    virtual void challenge(std::string_view data) = 0;
    virtual LoginStep authenticated(std::string_view data) = 0;
    virtual void refuse(LoginRefusal why) = 0;

    // After Proceed: what the session is to say first, and the bytes that are for it.
    virtual std::string greeting() const = 0;
    virtual std::string_view leftover() const = 0;

    // Bytes that came and are not used yet (for STARTTLS there must be none).
    virtual bool has_leftover() const = 0;
    // Last words, whatever the state: time-out, shutdown, too many tries.
    virtual void say_goodbye(std::string_view reason) = 0;
};

}  // namespace ipc
