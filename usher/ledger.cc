// What accounts and domains hold.
#include "usher/ledger.h"

#include <algorithm>
#include <unordered_set>

namespace usher {

namespace {

// 65536 accounts of a domain that say so are still a number.
constexpr std::uint64_t most_believed = std::uint64_t(1) << 48;

}  // namespace

bool Ledger::fits(const Limits& limits, const ipc::MailUsage& used, const ipc::MailUsage& more)
{
    // Without overflow: what is told by a mailbox may be anything.
    auto within = [](const std::optional<std::uint64_t>& limit, std::uint64_t is, std::uint64_t comes) {
        return !limit || (is <= *limit && comes <= *limit - is);
    };
    return within(limits.storage, used.bytes, more.bytes) && within(limits.messages, used.messages, more.messages);
}

void Ledger::set(Entry& entry, std::optional<ipc::MailUsage> usage)
{
    auto domain = domains_.find(entry.domain);
    if (domain != domains_.end()) {
        ipc::MailUsage before = entry.usage.value_or(ipc::MailUsage());
        ipc::MailUsage now = usage.value_or(ipc::MailUsage());
        domain->second.total.bytes += now.bytes - before.bytes;
        domain->second.total.messages += now.messages - before.messages;
        domain->second.total.mailboxes += now.mailboxes - before.mailboxes;
        domain->second.unknown += std::size_t(entry.usage.has_value()) - std::size_t(usage.has_value());
    }
    entry.usage = usage;
}

void Ledger::told(const std::string& account, const ipc::MailUsage& usage)
{
    // A mailbox says what it likes; sums must not wrap around.
    set(entries_[account], ipc::MailUsage{std::min(usage.bytes, most_believed), std::min(usage.messages, most_believed),
                                          std::min(usage.mailboxes, most_believed)});
}

void Ledger::forget(const std::string& account)
{
    auto found = entries_.find(account);
    if (found == entries_.end())
        return;
    set(found->second, std::nullopt);
    if (found->second.domain.empty())
        entries_.erase(found);
}

std::optional<ipc::MailUsage> Ledger::usage(const std::string& account) const
{
    auto found = entries_.find(account);
    return found == entries_.end() ? std::nullopt : found->second.usage;
}

bool Ledger::is_member(const std::string& account) const
{
    auto found = entries_.find(account);
    return found != entries_.end() && !found->second.domain.empty();
}

void Ledger::drop_domain(const std::string& domain)
{
    auto found = domains_.find(domain);
    if (found == domains_.end())
        return;
    for (const std::string& account : found->second.members) {
        auto entry = entries_.find(account);
        if (entry == entries_.end() || entry->second.domain != domain)
            continue;
        entry->second.domain.clear();
        if (!entry->second.usage)
            entries_.erase(entry);
    }
    domains_.erase(found);
}

void Ledger::set_members(const std::string& domain, const std::vector<std::string>& accounts)
{
    if (auto found = domains_.find(domain); found != domains_.end()) {
        // Those that have gone are forgotten.
        std::unordered_set<std::string_view> stay(accounts.begin(), accounts.end());
        std::vector<std::string> before = found->second.members;
        drop_domain(domain);
        for (const std::string& account : before)
            if (!stay.contains(account))
                forget(account);
    }
    Domain& entry = domains_[domain];
    entry.members = accounts;
    for (const std::string& account : accounts) {
        Entry& member = entries_[account];
        auto usage = std::exchange(member.usage, std::nullopt);
        member.domain = domain;
        ++entry.unknown;
        set(member, usage);
    }
}

std::vector<std::string> Ledger::unknown_members(std::string_view domain, std::size_t most) const
{
    std::vector<std::string> accounts;
    auto found = domains_.find(domain);
    if (found == domains_.end() || found->second.unknown == 0)
        return accounts;
    for (const std::string& account : found->second.members) {
        if (accounts.size() == most)
            break;
        if (!usage(account))
            accounts.push_back(account);
    }
    return accounts;
}

ipc::MailUsage Ledger::total(std::string_view domain) const
{
    auto found = domains_.find(domain);
    return found == domains_.end() ? ipc::MailUsage() : found->second.total;
}

ipc::Room Ledger::judge(const std::string& domain, const Limits& limits, const ipc::MailUsage& more) const
{
    if (!limits.any())
        return ipc::Room::Granted;
    auto found = domains_.find(domain);
    if (found == domains_.end())
        return ipc::Room::Unknown;
    // What is known may be too much already.
    if (!fits(limits, found->second.total, more))
        return ipc::Room::Full;
    return found->second.unknown > 0 ? ipc::Room::Unknown : ipc::Room::Granted;
}

ipc::Room Ledger::grant(const std::string& account, const std::string& domain, const Limits& limits, const ipc::MailUsage& used,
                        const ipc::MailUsage& more)
{
    told(account, used);
    ipc::Room room = judge(domain, limits, more);
    if (room == ipc::Room::Granted)
        told(account, {used.bytes + more.bytes, used.messages + more.messages, used.mailboxes});
    return room;
}

}  // namespace usher
