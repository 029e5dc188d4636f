// Quotas: what usher reads of limits, from main.cf, the accounts file and the file of domains' quotas.
#pragma once

#include "usher/ledger.h"

#include <string>
#include <string_view>
#include <vector>

namespace usher {

// The limits of an account, and whose they are.
struct AccountQuota {
    ipc::QuotaOrder order;        // without the socket
    std::string domain;
    Ledger::Limits of_domain;     // of all its accounts together
    std::string home;

    // What a delivery must be within.
    Ledger::Limits of_account() const;
    // What the account can hold at all: Trash may go beyond that.
    Ledger::Limits at_most() const;
    bool limited() const { return order.storage || order.messages || of_domain.any(); }
};

struct Member {
    std::string account;
    std::string home;
};

// What Usher needs of it; tests have another one.
class Quotas {
public:
    virtual ~Quotas() = default;
    // Looks at once whether files have changed, not only after a second.
    virtual void refresh() {}
    // NotFound, or Temporary when a file cannot be read.
    virtual util::Result<AccountQuota> of(std::string_view account) = 0;
    // All accounts of a domain.
    virtual util::Result<std::vector<Member>> members(std::string_view domain) = 0;
    // Another number when the accounts may have changed.
    virtual std::uint64_t accounts_version() = 0;
    // What a store holds that nobody has open; nothing: only who opens it can say.
    virtual std::optional<ipc::MailUsage> usage_at(const std::string& home) = 0;
    // More than the store can hold in the room that it takes of the disk, copies of messages aside.
    virtual ipc::MailUsage room_at(const std::string& home) = 0;
};

// Nobody has a limit.
class NoQuotas final : public Quotas {
public:
    util::Result<AccountQuota> of(std::string_view) override { return AccountQuota(); }
    util::Result<std::vector<Member>> members(std::string_view) override { return std::vector<Member>(); }
    std::uint64_t accounts_version() override { return 0; }
    std::optional<ipc::MailUsage> usage_at(const std::string&) override { return std::nullopt; }
    ipc::MailUsage room_at(const std::string&) override { return {}; }
};

}  // namespace usher
