// Quotas: what a store holds, what it may hold, and what that says of a growth (RFC 9208).
//
// What is counted is the sizes of messages as clients see them, a copy like any other message although it
// shares its bytes; deleted mail that can still be restored does not count.
#include "libstore/journal.h"

#include <algorithm>
#include <cerrno>

namespace store {

namespace {

// A limit and so many percent of it.
std::uint64_t extended(std::uint64_t limit, unsigned percent)
{
    percent = std::min(percent, max_quota_percent);
    if (limit > UINT64_MAX / (100 + max_quota_percent))
        return limit;
    return limit + limit * percent / 100;
}

bool fits_quota(const Limits& limits, unsigned percent, const QuotaUsage& used, const QuotaUsage& more)
{
    return (!limits.bytes || used.bytes + more.bytes <= extended(*limits.bytes, percent)) &&
           (!limits.messages || used.messages + more.messages <= extended(*limits.messages, percent));
}

}  // namespace

QuotaUsage LogStore::usage() const
{
    QuotaUsage used;
    for (const auto& [id, folder] : state_.folders) {
        used.bytes += folder->bytes;
        used.messages += folder->message_count();
    }
    used.mailboxes = state_.names.size();
    return used;
}

util::Result<void> LogStore::check_quota(const Folder& target, const QuotaUsage& more, Growth growth) const
{
    QuotaUsage there{.bytes = target.bytes, .messages = target.message_count()};
    if (!fits_quota(target.limits, 0, there, more))
        return util::Error{util::Kind::Permanent, "this mailbox is full (over quota)", EDQUOT};
    if (growth == Growth::Move || (!quota_.limits.any() && !permit_growth_))
        return {};
    unsigned percent = growth == Growth::Delivery                                             ? quota_.grace_percent
                       : growth == Growth::Copy && target.special_use == SpecialUse::Trash ? quota_.trash_percent
                                                                                              : 0;
    QuotaUsage used = usage();
    if (!fits_quota(quota_.limits, percent, used, more))
        return util::Error{util::Kind::Permanent, "mailbox is full (over quota)", EDQUOT};
    return permit_growth_ ? permit_growth_(used, more) : util::Result<void>();
}

util::Result<void> LogStore::check_mailbox_count(std::size_t more) const
{
    std::size_t wanted = state_.names.size() + more;
    if (quota_.mailboxes && wanted > *quota_.mailboxes && more > 0)
        return util::Error{util::Kind::Permanent, "too many mailboxes (over quota)", EDQUOT};
    if (wanted > options_.max_mailboxes)
        return util::permanent("too many mailboxes");
    return {};
}

util::Result<Lsn> LogStore::limit_mailbox(MailboxId mailbox, const Limits& limits, bool fixed)
{
    Folder* folder = TRY(target(mailbox));
    if (folder->limits == limits && folder->limits_fixed == fixed)
        return durable_;
    MailboxRecord record = record_of(*folder);
    record.limits = limits;
    record.limits_fixed = fixed;
    TRY(prepare(max_mailbox_name_length + max_keywords * (max_keyword_length + 4) + 128, 1, Room::Growth));
    add(record);
    strict();
    changed(0);
    return state_.last;
}

}  // namespace store
