// The log-in dialogue of a mail protocol, without I/O.
//
// The door (door.h) feeds bytes, sends what is in output(), does what the step says, and tells how
// that went.  Between two steps the dialogue consumes nothing.  Here is what the protocols share: how
// a SASL exchange travels in lines of base64 (RFC 3501 §6.2.2, RFC 5034 §4).  imapd(8) and pop3d(8)
// have the commands and the texts.
#pragma once

#include "libutil/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

// Does the mechanism show the password to who listens: PLAIN or LOGIN?
bool is_bare_password(std::string_view mechanism);

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
        StartTls,      // the answer is in output(); then set_offer()
        Authenticate,  // mechanism, data (the initial response, if there is one)
        Respond,       // data: the client's response to a challenge
        Cancel,        // the client gave the exchange up; the answer is in output()
        Proceed,       // authenticated, and the client has everything: open the session
        Close,         // the last words are in output()
    };
    LoginStep() = default;
    LoginStep(Kind step) : kind(step) {}

    Kind kind = Kind::Wait;
    std::string mechanism;
    std::optional<std::string> data;
};

enum class LoginRefusal : unsigned char { Failed, NotAuthorized, Unavailable, TooSoon, Invalid, Disabled };

// With so many commands that are not understood the connection ends.
constexpr int max_login_bad_commands = 10;

class LoginDialog {
public:
    virtual ~LoginDialog() = default;

    virtual void greet(const LoginOffer& offer) = 0;
    // What there is to be had from now on: TLS has begun, or a connection goes on without a user.
    virtual void set_offer(const LoginOffer& offer) = 0;

    // Takes bytes (none: goes on with what is there) and says what is to be done next.
    virtual LoginStep feed(std::string_view bytes) = 0;
    std::string& output() { return output_; }

    // After Authenticate and Respond: one of these.  authenticated() with data has the client
    // acknowledge it first (SCRAM's last message); then, and else at once, comes Proceed.
    void challenge(std::string_view data);
    LoginStep authenticated(std::string_view data);
    virtual void refuse(LoginRefusal why) = 0;

    // After Proceed: what the session is to say first, and the bytes that are for it.
    virtual std::string greeting() const = 0;
    virtual std::string_view leftover() const = 0;

    // What the door can do and the session must announce, too, as their protocol writes it.
    virtual std::string login_capabilities() const { return {}; }

    // Has the client asked for UTF-8?
    virtual bool utf8() const { return false; }

    // What the client calls itself, if it has said.
    virtual std::string client_name() const { return {}; }

    // Bytes that came and are not used yet (for STARTTLS there must be none).
    virtual bool has_leftover() const = 0;
    // Last words, whatever the state: time-out, shutdown, too many tries.
    virtual void say_goodbye(std::string_view reason) = 0;

protected:
    // Puts an error into output().  Wait; or Close, when it was one too many.
    virtual LoginStep bad(std::string_view text) = 0;
    bool is_one_too_many() { return ++bad_ >= max_login_bad_commands; }

    // Is the next line no command, but part of an exchange?  Then respond() takes it.
    bool is_responding() const { return challenged_ || acknowledging_; }
    void stop_responding() { challenged_ = acknowledging_ = false; }
    LoginStep respond(std::string_view line);

    // Authenticate with a name and a password that came in commands of their own.
    static LoginStep plain(std::string_view user, std::string_view password);
    // An initial response as it stands in a command.  Invalid when it is not base64.
    static util::Result<std::string> initial_response(std::string_view text);

    LoginOffer offer_;
    std::string output_;

private:
    bool challenged_ = false;     // the next line answers a challenge
    bool acknowledging_ = false;  // it acknowledges the last message of a mechanism
    int bad_ = 0;
};

}  // namespace ipc
