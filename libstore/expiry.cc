// Mail that is kept for a time only.
#include "libstore/expiry.h"

#include "libutil/text.h"

namespace store {

namespace {

constexpr std::string_view use_names[] = {"", "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"};

bool fits(const ExpiryRule& rule, const Mailbox& mailbox)
{
    std::string_view wanted = rule.mailbox;
    if (wanted.starts_with('\\'))
        return mailbox.special_use != SpecialUse::None &&
               util::equal_nocase(wanted, use_names[std::size_t(mailbox.special_use)]);
    if (wanted == "*")
        return true;
    if (util::equal_nocase(wanted, "INBOX"))
        return mailbox.name == "INBOX";
    std::string_view name = mailbox.name;
    return name.starts_with(wanted) && (name.size() == wanted.size() || name[wanted.size()] == hierarchy_separator);
}

}  // namespace

const ExpiryRule* rule_for(std::span<const ExpiryRule> rules, const Mailbox& mailbox)
{
    for (const auto& rule : rules)
        if (fits(rule, mailbox))
            return &rule;
    return nullptr;
}

Expiry::Expiry(Store& store, std::vector<ExpiryRule> rules, std::int64_t now) :
    store_(store), rules_(std::move(rules)), now_(now)
{
    for (const auto& [name, id] : store_.mailboxes())
        mailboxes_.push_back(id);
}

util::Result<bool> Expiry::step(std::size_t limit)
{
    if (mailboxes_.empty())
        return true;
    auto found = store_.mailbox(mailboxes_.back());
    if (!found.ok() && found.error().kind != util::Kind::NotFound)
        return found.take_error();
    const auto* rule = found.ok() ? rule_for(rules_, **found) : nullptr;
    std::vector<std::uint32_t> uids;
    std::uint64_t bytes = 0;
    if (rule) {
        // Not by uid: APPEND, COPY and MOVE give both a new uid and the time, but adopted mail may differ.
        for (const auto& entry : (*found)->entries) {
            if (entry.save_seconds >= now_ - rule->seconds)
                continue;
            uids.push_back(entry.uid);
            bytes += entry.size;
            if (uids.size() >= limit)
                break;
        }
    }
    if (uids.size() < limit)
        mailboxes_.pop_back();
    if (uids.empty())
        return mailboxes_.empty();
    lsn_ = TRY(store_.expunge((*found)->id, uids));
    messages_ += uids.size();
    bytes_ += bytes;
    return mailboxes_.empty();
}

}  // namespace store
