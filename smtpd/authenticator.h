// Authenticator: who checks passwords for AUTH.  AuthClient asks auth(8).
#pragma once

#include "libipc/authentication.h"
#include "libipc/connection.h"

#include <functional>

namespace smtpd {

class Authenticator {
public:
    virtual ~Authenticator() = default;

    // What may be offered now, in order of preference.
    virtual util::Result<std::vector<std::string>> mechanisms(const ipc::MechanismsWanted& wanted) = 0;
    virtual util::Result<ipc::AuthenticationResult> start(ipc::Authenticate request) = 0;
    virtual util::Result<ipc::AuthenticationResult> respond(ipc::AuthenticationResponse response) = 0;
};

// Over one standing connection, made when it is first wanted and again when it is lost.
class AuthClient final : public Authenticator {
public:
    using Connect = std::function<util::Result<ipc::Connection>()>;

    explicit AuthClient(Connect connect) : connect_(std::move(connect)) {}

    util::Result<std::vector<std::string>> mechanisms(const ipc::MechanismsWanted& wanted) override;
    util::Result<ipc::AuthenticationResult> start(ipc::Authenticate request) override;
    util::Result<ipc::AuthenticationResult> respond(ipc::AuthenticationResponse response) override;

private:
    template <typename Answer, typename Message>
    util::Result<Answer> call(const Message& message, bool may_repeat);

    Connect connect_;
    ipc::Connection connection_;
    std::uint64_t exchange_ = 0;
};

}  // namespace smtpd
