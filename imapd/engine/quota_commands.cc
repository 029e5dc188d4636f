// GETQUOTA, GETQUOTAROOT, SETQUOTA and the warning: RFC 9208.
//
// All mailboxes of a user have one root, "#user/ACCOUNT", which is the administrator's to set.  A mailbox
// with limits of its own has a second, "#mailbox/NAME", which who has the right to administer the mailbox may make,
// change and remove, unless the administrator of the system has fixed it.  Guests hear nothing of what the owner
// of a mailbox holds besides it (RFC 9208 §8).
#include "imapd/engine/session.h"

#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

constexpr std::string_view user_prefix = "#user/";

// RFC 9208 §5.1: in units of 1024 octets.
constexpr std::uint64_t storage_unit = 1024;
// RFC 9208 §3.1.2: 63 bits.
constexpr std::uint64_t max_limit = std::uint64_t(INT64_MAX);

std::uint64_t units(std::uint64_t bytes)
{
    return bytes / storage_unit + (bytes % storage_unit != 0);
}

struct Resources {
    std::string text;

    void add(std::string_view name, std::uint64_t used, std::uint64_t limit)
    {
        util::append(text, text.empty() ? "" : " ", name, " ", used, " ", limit);
    }
    void add(const store::Limits& limits, std::uint64_t bytes, std::uint64_t messages)
    {
        if (limits.bytes)
            add("STORAGE", units(bytes), units(*limits.bytes));
        if (limits.messages)
            add("MESSAGE", messages, *limits.messages);
    }
};

// The name of a root, which may be any astring (RFC 9208 §3.2).  Ours are written as names of mailboxes are;
// what is no such name is no root of ours.
util::Result<std::string> parse_root(Scanner& arguments, syntax::Form form)
{
    TRY(arguments.space());
    auto root = TRY(arguments.astring());
    auto name = syntax::decode_mailbox_name(root, form);
    return name.ok() ? name.take() : std::string();
}

}  // namespace

std::string Session::user_root() const
{
    return util::concat(user_prefix, facts_.user);
}

// The mailbox whose own root this is; null when there is none such.
const store::MailboxFacts* Session::mailbox_of_root(std::string_view root)
{
    if (!root.starts_with(mailbox_quota_prefix))
        return nullptr;
    auto mailbox = store_.facts(known_name(std::string(root.substr(mailbox_quota_prefix.size()))));
    return mailbox.ok() ? *mailbox : nullptr;
}

void Session::tell_user_quota()
{
    store::QuotaUsage used = store_.usage();
    const store::Quota& quota = store_.quota();
    Resources resources;
    resources.add(quota.limits, used.bytes, used.messages);
    // RFC 9208 §3.2: limits that are the system's own SHOULD be told, too.
    resources.add("MAILBOX", used.mailboxes, quota.mailboxes.value_or(store::Options().max_mailboxes));
    output_ += "* QUOTA ";
    syntax::append_mailbox_name(output_, user_root(), form());
    util::append(output_, " (", resources.text, ")\r\n");
}

void Session::append_mailbox_root(const store::MailboxFacts& mailbox)
{
    syntax::append_mailbox_name(
        output_, util::concat(mailbox_quota_prefix, is_guest() ? facts_.guest_prefix : "", mailbox.name), form());
}

void Session::tell_mailbox_quota(const store::MailboxFacts& mailbox)
{
    Resources resources;
    resources.add(mailbox.limits, mailbox.bytes, mailbox.message_count());
    output_ += "* QUOTA ";
    append_mailbox_root(mailbox);
    util::append(output_, " (", resources.text, ")\r\n");
}

// RFC 9208 §4.1.1.
Session::Answer Session::get_quota(Scanner& arguments)
{
    auto root = TRY(parse_root(arguments, form()));
    TRY(arguments.end());
    bool is_users = root == user_root() && !is_guest();
    const store::MailboxFacts* mailbox = is_users ? nullptr : mailbox_of_root(root);
    if (is_users) {
        tell_user_quota();
    } else if (mailbox && mailbox->limits.any() && (rights_on(*mailbox) & right::Read)) {   // RFC 9208 §6
        tell_mailbox_quota(*mailbox);
    } else {
        no("[NONEXISTENT] There is no such quota root");
        return {};
    }
    ok("GETQUOTA completed");
    return {};
}

// RFC 9208 §4.1.2: the mailbox need not exist.
Session::Answer Session::get_quota_root(Scanner& arguments)
{
    TRY(arguments.space());
    auto name = known_name(TRY(arguments.mailbox()));
    TRY(arguments.end());
    auto found = store_.facts(name);
    if (!found.ok() && found.error().kind != util::Kind::NotFound) {
        refuse(found.error());
        return {};
    }
    if (is_guest() && !found.ok()) {
        no("[NONEXISTENT] There is no such mailbox");
        return {};
    }
    if (is_guest() && !permitted(**found, right::Read))
        return {};
    bool told = found.ok() && (*found)->limits.any() && (rights_on(**found) & right::Read);
    const store::MailboxFacts* mailbox = told ? *found : nullptr;
    output_ += "* QUOTAROOT ";
    append_name(output_, found.ok() ? std::string_view((*found)->name) : std::string_view(name));
    if (!is_guest()) {
        output_ += ' ';
        syntax::append_mailbox_name(output_, user_root(), form());
    }
    if (mailbox) {
        output_ += ' ';
        append_mailbox_root(*mailbox);
    }
    output_ += "\r\n";
    if (!is_guest())
        tell_user_quota();
    if (mailbox)
        tell_mailbox_quota(*mailbox);
    ok("GETQUOTAROOT completed");
    return {};
}

namespace {

struct WantedLimits {
    store::Limits limits;
    bool unknown = false;   // a resource that cannot be limited here
};

// setquota-list of RFC 9208 §7.
util::Result<WantedLimits> parse_limits(Scanner& arguments)
{
    WantedLimits wanted;
    TRY(arguments.expect('('));
    for (bool first = true; !arguments.skip(')'); first = false) {
        if (!first)
            TRY(arguments.space());
        auto resource = TRY(arguments.atom());
        TRY(arguments.space());
        auto limit = TRY(arguments.number(max_limit));
        auto set = [&](std::optional<std::uint64_t>& place, std::uint64_t value) -> util::Result<void> {
            if (place)
                return util::invalid("A resource is named twice");
            place = value;
            return {};
        };
        if (util::equal_nocase(resource, "STORAGE"))
            TRY(set(wanted.limits.bytes, std::min(limit, max_limit / storage_unit) * storage_unit));
        else if (util::equal_nocase(resource, "MESSAGE"))
            TRY(set(wanted.limits.messages, limit));
        else
            wanted.unknown = true;
    }
    return wanted;
}

}  // namespace

// RFC 9208 §4.1.3: what is not named is no longer limited.
Session::Answer Session::set_quota(Scanner& arguments)
{
    auto root = TRY(parse_root(arguments, form()));
    TRY(arguments.space());
    auto wanted = TRY(parse_limits(arguments));
    TRY(arguments.end());
    if (root == user_root() && !is_guest()) {
        no("[NOPERM] This quota is the administrator's to set");
        return {};
    }
    const store::MailboxFacts* mailbox = mailbox_of_root(root);
    if (!mailbox || !(rights_on(*mailbox) & right::Lookup)) {
        no(util::concat("[NONEXISTENT] There is no such quota root; of a mailbox it is ", mailbox_quota_prefix, "NAME"));
        return {};
    }
    if (!permitted(*mailbox, right::Administer))   // RFC 9208 §6
        return {};
    if (mailbox->limits_fixed) {
        no("[NOPERM] The administrator has fixed the quota of this mailbox");
        return {};
    }
    if (wanted.unknown) {
        no("[CANNOT] Of a mailbox only STORAGE and MESSAGE can be limited");
        return {};
    }
    auto lsn = store_.limit_mailbox(mailbox->id, wanted.limits, false);
    if (!lsn.ok()) {
        refuse(lsn.error());
        return {};
    }
    await(*lsn, [this, id = mailbox->id] {
        if (auto changed = store_.facts(id); changed.ok())
            tell_mailbox_quota(**changed);
        ok("SETQUOTA completed");
    });
    return {};
}

// RFC 9208 §4.3.1: told once each time that the soft limit is passed, where a mailbox is selected or something
// was just added.
void Session::tell_over_quota()
{
    if (store_.last() == quota_looked_at_ || is_guest())
        return;
    quota_looked_at_ = store_.last();
    const store::Quota& quota = store_.quota();
    if (!quota.limits.any()) {
        quota_told_ = false;
        return;
    }
    store::QuotaUsage used = store_.usage();
    auto over = [&](const std::optional<std::uint64_t>& limit, std::uint64_t is) {
        return limit && is > 0 && static_cast<long double>(is) * 100 >= static_cast<long double>(*limit) * quota.soft_percent;
    };
    bool is_over = over(quota.limits.bytes, used.bytes) || over(quota.limits.messages, used.messages);
    if (!is_over) {
        quota_told_ = false;
        return;
    }
    bool adds = verb_ == "APPEND" || verb_ == "COPY" || verb_ == "REPLACE";
    if (quota_told_ || !(view_ || adds)) {
        if (!quota_told_)
            quota_looked_at_ = 0;   // another time
        return;
    }
    quota_told_ = true;
    std::string text = "NO [OVERQUOTA] Little is left of your quota:";
    if (quota.limits.bytes)
        util::append(text, " ", units(used.bytes), " of ", units(*quota.limits.bytes), " KB");
    if (quota.limits.messages)
        util::append(text, quota.limits.bytes ? ", " : " ", used.messages, " of ", *quota.limits.messages, " messages");
    untagged(text);
}

}  // namespace imapd::engine
