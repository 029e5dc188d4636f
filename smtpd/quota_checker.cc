// Quotas at RCPT.
#include "smtpd/quota_checker.h"

#include "libipc/quota.h"
#include "libutil/log.h"
#include "libutil/text.h"

namespace smtpd {

namespace {

// Longer than usher waits for a mailbox that it has to start.
constexpr util::Duration answer_timeout{5'000'000};

bool limits(const conf::QuotaLimits& quota)
{
    return quota.storage.value_or(conf::no_limit) != conf::no_limit ||
           quota.messages.value_or(conf::no_limit) != conf::no_limit;
}

}  // namespace

QuotaChecker::QuotaChecker(const std::string& config_directory, std::string usher_socket, const conf::QuotaConfig& defaults)
    : accounts_(config_directory + "/accounts"), domains_(config_directory + "/quotas"), socket_(std::move(usher_socket)),
      defaults_(defaults)
{
}

util::Result<bool> QuotaChecker::is_limited(const conf::Account& account)
{
    if (*defaults_.quota_bytes > 0 || *defaults_.quota_messages > 0 || limits(TRY(conf::quota_among(account.flags))))
        return true;
    const conf::DomainQuota* domain =
        TRY(domains_.find(std::string_view(account.address).substr(account.address.rfind('@') + 1)));
    return domain && (limits(domain->all()) || limits(domain->each()));
}

util::Result<std::string> QuotaChecker::ask(const std::string& account, std::uint64_t size)
{
    ipc::QuotaAsked asked{.request = ++request_, .account = account, .size = size};
    for (bool kept = connection_.valid();; kept = false) {
        if (!connection_.valid())
            connection_ = TRY(ipc::Connection::connect(socket_, answer_timeout));
        auto answer = connection_.call<ipc::QuotaAnswer>(asked);
        if (answer.ok() && answer->request == asked.request)
            return answer->full ? std::move(answer->text) : std::string();
        connection_.close();
        // It may have ended since, as at a reload.
        if (!kept)
            return answer.ok() ? util::temporary("an answer to another question") : answer.take_error();
    }
}

util::Result<std::string> QuotaChecker::look_up(const std::vector<std::string>& names, std::uint64_t size)
{
    for (const std::string& name : names) {
        auto account = TRY(accounts_.find(name));
        if (!account)
            continue;
        return TRY(is_limited(*account)) ? ask(account->address, size) : std::string();
    }
    return std::string();
}

std::string QuotaChecker::why_full(const std::vector<std::string>& names, std::uint64_t size)
{
    auto why = look_up(names, size);
    if (why.ok())
        return why.take();
    util::log::warning("quota of ", names.empty() ? std::string() : util::printable(names.front(), 320), ": ", why.error().text,
                       "; the recipient is taken");
    return {};
}

}  // namespace smtpd
