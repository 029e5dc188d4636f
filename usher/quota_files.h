// QuotaFiles: Quotas as the administrator has written them.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/quota.h"
#include "usher/config.h"
#include "usher/quotas.h"

namespace usher {

class QuotaFiles final : public Quotas {
public:
    // Both outlive it.
    QuotaFiles(conf::AccountsReader& accounts, std::string config_directory, std::string hostname, const Config& config);

    void refresh() override
    {
        accounts_.refresh();
        domains_.refresh();
    }
    util::Result<AccountQuota> of(std::string_view account) override;
    util::Result<std::vector<Member>> members(std::string_view domain) override;
    std::uint64_t accounts_version() override { return accounts_.version(); }
    std::optional<ipc::MailUsage> usage_at(const std::string& home) override;
    ipc::MailUsage room_at(const std::string& home) override;
    // Parameters may have changed; reads the file of the warning's words.
    void reread(std::string hostname);

private:
    conf::AccountsReader& accounts_;
    conf::DomainQuotasReader domains_;
    const Config& config_;
    std::string hostname_;
    std::string template_;
    std::vector<std::uint32_t> warnings_;
};

}  // namespace usher
