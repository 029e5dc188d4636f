// The IMAP dialogue before log-in: RFC 3501 §6.1 and §6.2, SASL-IR (RFC 4959), without I/O.
#pragma once

#include "imapd/syntax/framer.h"
#include "imapd/syntax/scanner.h"
#include "libipc/login_dialog.h"

#include <string>

namespace imapd {

// Nothing that comes before log-in needs more.
constexpr std::size_t login_line_limit = 16U << 10;     // an AUTHENTICATE response may be long
constexpr std::uint64_t login_literal_limit = 4096;     // a user name or a password

class Login final : public ipc::LoginDialog {
public:
    explicit Login(std::string hostname);

    void greet(const ipc::LoginOffer& offer) override;
    void set_offer(const ipc::LoginOffer& offer) override;
    ipc::LoginStep feed(std::string_view bytes) override;
    void refuse(ipc::LoginRefusal why) override;
    std::string greeting() const override;
    std::string client_name() const override { return client_name_; }
    std::string_view leftover() const override { return framer_.rest(); }
    bool has_leftover() const override { return framer_.waiting() > 0; }
    void say_goodbye(std::string_view reason) override;

private:
    using Step = ipc::LoginStep;
    using Answer = util::Result<Step>;   // an error is a syntax error: tagged BAD

    Answer execute(syntax::Scanner& scanner);
    Answer starttls(syntax::Scanner& arguments);
    Answer log_in(syntax::Scanner& arguments);
    Answer authenticate(syntax::Scanner& arguments);
    Answer id(syntax::Scanner& arguments);
    void literal_announced();
    Step bad(std::string_view text) override;
    void tagged(std::string_view text);
    std::string capabilities() const;
    Step close(std::string_view reason);

    std::string hostname_;
    std::string client_name_;      // by ID
    syntax::Framer framer_;
    std::string tag_;
};

}  // namespace imapd
