// Verifier: does mail for an address arrive?  VerifyClient asks verify(8).
#pragma once

#include "libipc/connection.h"
#include "libipc/verification.h"

#include <string>

namespace smtpd {

class Verifier {
public:
    virtual ~Verifier() = default;
    // Waits for a probe at most `patience`.  Temporary: nobody can say.
    virtual util::Result<ipc::VerifyAnswer> ask(const std::string& address, util::Duration patience) = 0;
};

class VerifyClient final : public Verifier {
public:
    explicit VerifyClient(std::string socket) : socket_(std::move(socket)) {}
    util::Result<ipc::VerifyAnswer> ask(const std::string& address, util::Duration patience) override;

private:
    util::Result<ipc::VerifyAnswer> exchange(const ipc::VerifyQuery& query);

    std::string socket_;
    ipc::Connection connection_;
};

}  // namespace smtpd
