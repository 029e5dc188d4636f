// Which policy of MTA-STS a domain has.
#include "sts/discovery.h"

#include "libutil/log.h"
#include "libutil/random.h"
#include "libutil/text.h"

#include <algorithm>

namespace sts {

Entry Discovery::known(const std::string& domain) const
{
    auto entry = store_.load(domain);
    if (!entry.ok())
        util::log::warning("the policy of ", domain, " cannot be read: ", entry.error().text);
    if (entry.ok() && *entry)
        return std::move(**entry);
    Entry fresh;
    fresh.domain = domain;
    return fresh;
}

void Discovery::keep(const Entry& entry) const
{
    auto saved = store_.save(entry);
    if (!saved.ok())
        util::log::warning("the policy of ", entry.domain, " is not kept: ", saved.error().text);
}

// The policy is replaced if a new one comes; else the entry says what failed.
void Discovery::fetch(Entry& entry, const std::string& id)
{
    auto fetched = sources_.fetch(entry.domain);
    if (fetched.failure == trust::StsFailure::None) {
        entry.id = id;
        entry.fetched = sources_.clock();
        entry.policy = std::move(fetched.policy);
        entry.failed = 0;
        entry.failed_id.clear();
        entry.failure = trust::StsFailure::None;
        util::log::info("domain=", entry.domain, ", mode=", trust::name_of(entry.policy->mode), ", id=", id,
                        ", max_age=", entry.policy->max_age, ", status=fetched");
    } else {
        entry.failed = sources_.clock();
        entry.failed_id = id;
        entry.failure = fetched.failure;
        if (sources_.failed)
            sources_.failed(entry.domain, fetched);
        // RFC 8461 §3.3 wants administrators to hear of it, but for policies that say nothing.
        bool matters = entry.policy && entry.policy->mode != trust::StsMode::None;
        util::log::write(matters ? util::log::Level::Warning : util::log::Level::Info,
                         util::concat("domain=", entry.domain, ", id=", id, ", status=", trust::name_of(fetched.failure), " (",
                                      fetched.text, ')', matters ? "; an older policy holds as long as its max_age says" : ""));
    }
    keep(entry);
}

ipc::StsReply Discovery::answer(const std::string& domain)
{
    ipc::StsReply reply;
    if (!trust::may_have_sts(domain))
        return reply;
    Entry entry = known(domain);
    if (auto used = store_.use(domain); !used.ok())
        util::log::warning("the policy of ", domain, ": ", used.error().text);
    auto record = sources_.record(domain);
    std::int64_t now = sources_.clock();
    // Without a record nothing new is looked for, and what is kept holds all the same (RFC 8461 §3.3).
    if (record.status == trust::StsRecordAnswer::Status::Found) {
        bool current = entry.holds(now) && entry.id == record.id;
        bool waits = entry.failed && entry.failed_id == record.id && now >= entry.failed && now < entry.failed + times_.failure;
        if (!current && !waits)
            fetch(entry, record.id);
        if (!current && entry.failed)
            reply.failure = trust::name_of(entry.failure);
    } else {
        reply.text = record.text;
        if (record.status == trust::StsRecordAnswer::Status::Broken)
            reply.failure = trust::name_of(trust::StsFailure::Invalid);
    }
    if (!entry.holds(sources_.clock()))
        return reply;
    reply.result = ipc::StsReply::Result::Found;
    reply.policy = trust::to_text(*entry.policy);
    reply.id = entry.id;
    reply.fetched = entry.fetched;
    return reply;
}

void Discovery::refresh_one(const std::string& domain)
{
    Entry entry = known(domain);
    std::int64_t now = sources_.clock();
    if (!entry.holds(now)) {
        // What has failed is remembered as long as it keeps from asking again.
        if (entry.failed == 0 || now >= entry.failed + times_.failure) {
            auto removed = store_.remove(domain);
            if (!removed.ok())
                util::log::warning("the policy of ", domain, " is not removed: ", removed.error().text);
        }
        return;
    }
    if (now < entry.fetched + times_.refresh || (entry.failed && now < entry.failed + times_.failure))
        return;
    auto record = sources_.record(domain);
    if (record.status == trust::StsRecordAnswer::Status::Found)
        fetch(entry, record.id);
    else if (entry.policy->mode != trust::StsMode::None)
        util::log::warning("domain=", domain, ", status=no record (", record.text, "); the policy runs out ",
                           entry.fetched + std::int64_t(entry.policy->max_age) - now, " seconds from now");
}

void Discovery::refresh()
{
    auto domains = store_.domains();
    if (!domains.ok()) {
        util::log::warning("the policies cannot be listed: ", domains.error().text);
        return;
    }
    if (domains->empty())
        return;
    std::ranges::rotate(*domains, domains->begin() + std::ptrdiff_t(util::random_u64() % domains->size()));
    std::int64_t end = sources_.clock() + times_.pass;
    for (const std::string& domain : *domains) {
        if (sources_.wants_stop() || sources_.clock() >= end)
            return;
        refresh_one(domain);
    }
}

}  // namespace sts
