// Limits from files.
#include "usher/quota_files.h"

#include "libmail/quota_notice.h"
#include "libstore/usage_file.h"
#include "libutil/log.h"
#include "libutil/sys.h"

namespace usher {

namespace {

std::optional<std::uint64_t> limit(const std::optional<std::uint64_t>& said, std::uint64_t parameter)
{
    std::uint64_t value = said.value_or(parameter == 0 ? conf::no_limit : parameter);
    return value == conf::no_limit ? std::nullopt : std::optional(value);
}

// A limit and so many percent of it.
std::optional<std::uint64_t> extended(const std::optional<std::uint64_t>& limit, unsigned percent)
{
    return limit ? std::optional(*limit + *limit / 100 * percent + *limit % 100 * percent / 100) : std::nullopt;
}

}  // namespace

Ledger::Limits AccountQuota::of_account() const
{
    return {extended(order.storage, order.grace_percent), extended(order.messages, order.grace_percent)};
}

Ledger::Limits AccountQuota::at_most() const
{
    unsigned percent = order.grace_percent + order.trash_percent;
    return {extended(order.storage, percent), extended(order.messages, percent)};
}

QuotaFiles::QuotaFiles(conf::AccountsReader& accounts, std::string config_directory, std::string hostname, const Config& config)
    : accounts_(accounts), domains_(std::move(config_directory) + "/quotas"), config_(config)
{
    reread(std::move(hostname));
}

void QuotaFiles::reread(std::string hostname)
{
    hostname_ = std::move(hostname);
    domains_.refresh();
    auto warnings = parse_warnings(*config_.quota_warnings);
    if (warnings.ok())
        warnings_ = warnings.take();
    template_.clear();
    if (config_.quota_warning_template_file->empty())
        return;
    auto text = util::sys::read_file(*config_.quota_warning_template_file, mail::max_quota_notice);
    if (text.ok()) {
        auto notice = mail::QuotaNotice::parse(*text);
        if (notice.ok()) {
            template_ = text.take();
            return;
        }
        text = notice.take_error();
    }
    util::log::warning(config_.quota_warning_template_file.name(), ": ", *config_.quota_warning_template_file, ": ",
                       text.error().text, "; the built-in words are used");
}

util::Result<AccountQuota> QuotaFiles::of(std::string_view name)
{
    auto account = TRY(accounts_.find(name));
    if (!account)
        return util::not_found("no such account");
    AccountQuota quota;
    quota.domain = account->address.substr(account->address.rfind('@') + 1);
    quota.home = account->home;
    conf::QuotaLimits limits = TRY(conf::quota_among(account->flags));
    const conf::DomainQuota* domain = TRY(domains_.find(quota.domain));
    if (domain) {
        limits = limits.or_else(domain->each());
        conf::QuotaLimits all = domain->all();
        quota.of_domain = {limit(all.storage, 0), limit(all.messages, 0)};
    }
    ipc::QuotaOrder& order = quota.order;
    order.storage = limit(limits.storage, *config_.quota_bytes);
    order.messages = limit(limits.messages, *config_.quota_messages);
    if (auto mailboxes = limit(limits.mailboxes, *config_.quota_mailboxes))
        order.mailboxes = static_cast<std::uint32_t>(std::min<std::uint64_t>(*mailboxes, UINT32_MAX));
    order.grace_percent = static_cast<std::uint32_t>(*config_.quota_grace);
    order.trash_percent = static_cast<std::uint32_t>(*config_.quota_trash);
    order.warnings = warnings_;
    order.warning_template = template_;
    order.hostname = hostname_;
    order.shared = quota.of_domain.any();
    return quota;
}

util::Result<std::vector<Member>> QuotaFiles::members(std::string_view domain)
{
    std::vector<Member> members;
    for (conf::Account& account : TRY(accounts_.of_domain(domain)))
        members.push_back({std::move(account.address), std::move(account.home)});
    return members;
}

std::optional<ipc::MailUsage> QuotaFiles::usage_at(const std::string& home)
{
    auto usage = store::read_usage(home);
    return usage ? std::optional(ipc::MailUsage{usage->bytes, usage->messages, usage->mailboxes}) : std::nullopt;
}

ipc::MailUsage QuotaFiles::room_at(const std::string& home)
{
    std::uint64_t bytes = store::disk_use(home);
    return {.bytes = bytes, .messages = bytes / store::least_message, .mailboxes = 0};
}

}  // namespace usher
