// The POP3 dialogue before log-in: RFC 1939 §4, STLS (RFC 2595 §4), AUTH (RFC 5034), UTF8 and LANG
// (RFC 6856), without I/O.
#pragma once

#include "libipc/login_dialog.h"

#include <optional>
#include <string>

namespace pop3d {

constexpr std::size_t command_limit = 255;             // RFC 2449 §4, with CRLF
constexpr std::size_t response_limit = 16U << 10;      // a line of AUTH

// What clients hear of the maildrop before they see it.
struct MaildropFacts {
    std::int64_t login_delay = 0;   // seconds (RFC 2449 §6.5); 0: not told
    std::optional<std::int64_t> expire;   // days for which mail is kept (RFC 2449 §6.7); nothing: for ever
};

class Login final : public ipc::LoginDialog {
public:
    explicit Login(std::string hostname, MaildropFacts maildrop = {});

    void greet(const ipc::LoginOffer& offer) override;
    void set_offer(const ipc::LoginOffer& offer) override;
    ipc::LoginStep feed(std::string_view bytes) override;
    void refuse(ipc::LoginRefusal why) override;
    std::string greeting() const override;
    std::string login_capabilities() const override;
    bool utf8() const override { return utf8_; }
    std::string_view leftover() const override { return input_; }
    bool has_leftover() const override { return !input_.empty(); }
    void say_goodbye(std::string_view reason) override;

private:
    using Step = ipc::LoginStep;

    Step execute(std::string_view line);
    Step user(std::string_view name);
    Step pass(std::string_view password);
    Step auth(std::string_view arguments);
    Step stls();
    Step lang(std::string_view argument);
    Step use_utf8();
    void capa();
    void ok(std::string_view text);
    Step bad(std::string_view text) override;

    std::string hostname_;
    MaildropFacts maildrop_;
    std::string input_;
    std::string user_;
    bool utf8_ = false;           // UTF8 was given
    bool skipping_ = false;       // the rest of a line that was too long
};

}  // namespace pop3d
