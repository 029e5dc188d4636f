// The POP3 dialogue before log-in: RFC 1939 §4, STLS (RFC 2595 §4), AUTH (RFC 5034), without I/O.
#pragma once

#include "libipc/login_dialog.h"

#include <string>

namespace pop3d {

constexpr std::size_t command_limit = 255;             // RFC 2449 §4, with CRLF
constexpr std::size_t response_limit = 16U << 10;      // a line of AUTH

class Login final : public ipc::LoginDialog {
public:
    explicit Login(std::string hostname);

    void greet(const ipc::LoginOffer& offer) override;
    void tls_started(const ipc::LoginOffer& offer) override;
    ipc::LoginStep feed(std::string_view bytes) override;
    void refuse(ipc::LoginRefusal why) override;
    std::string greeting() const override;
    std::string login_capabilities() const override;
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
    void capa();
    void ok(std::string_view text);
    Step bad(std::string_view text) override;

    std::string hostname_;
    std::string input_;
    std::string user_;
    bool skipping_ = false;       // the rest of a line that was too long
};

}  // namespace pop3d
