// QuotaChecker: has a recipient's mailbox room for a message?  What is over quota for certain is refused at
// RCPT, before the message is sent; exact is the mailbox itself, when the message comes to it.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/quota.h"
#include "libconf/quota_config.h"
#include "libipc/connection.h"

#include <string>
#include <vector>

namespace smtpd {

class QuotaJudge {
public:
    virtual ~QuotaJudge() = default;
    // The first of these names that is an account's counts.  Empty: there is room, or nobody can say; else why
    // there is none.
    virtual std::string why_full(const std::vector<std::string>& names, std::uint64_t size) = 0;
};

// Reads whose limits there are, and asks usher(8) only of accounts that have some.
class QuotaChecker final : public QuotaJudge {
public:
    // `defaults` outlives it.
    QuotaChecker(const std::string& config_directory, std::string usher_socket, const conf::QuotaConfig& defaults);

    std::string why_full(const std::vector<std::string>& names, std::uint64_t size) override;

private:
    util::Result<bool> is_limited(const conf::Account& account);
    util::Result<std::string> look_up(const std::vector<std::string>& names, std::uint64_t size);
    util::Result<std::string> ask(const std::string& account, std::uint64_t size);

    conf::AccountsReader accounts_;
    conf::DomainQuotasReader domains_;
    std::string socket_;
    const conf::QuotaConfig& defaults_;
    ipc::Connection connection_;
    std::uint64_t request_ = 0;
};

}  // namespace smtpd
