// Parameters of maildrops.
#include "libipc/maildrop_config.h"

#include "libutil/text.h"

#include <algorithm>
#include <iterator>

namespace ipc {

namespace {

constexpr std::string_view uses[] = {"\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"};
constexpr std::int64_t seconds_of_day = 86'400;

}  // namespace

util::Result<std::vector<ExpiryRule>> ExpiryRules::parse(std::string_view text) const
{
    std::vector<ExpiryRule> rules;
    for (auto piece : util::split(text, ',')) {
        piece = util::trim(piece);
        if (piece.empty())
            continue;
        // A name may hold blanks: the time is the last word.
        auto blank = piece.find_last_of(" \t\n");
        auto name = util::trim(piece.substr(0, blank == std::string_view::npos ? 0 : blank));
        if (name.empty())
            return util::invalid(util::concat("a mailbox and a time are wanted, not \"", util::printable(piece, 100), "\""));
        if (name.starts_with('\\') &&
            std::ranges::none_of(uses, [&](std::string_view use) { return util::equal_nocase(use, name); }))
            return util::invalid(util::concat("there is no special use ", util::printable(name, 100)));
        auto time = TRY(conf::parse_duration(piece.substr(blank + 1), "d"));
        ExpiryRule rule;
        rule.mailbox = name;
        rule.seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
        if (rule.seconds < 1)
            return util::invalid(util::concat(util::printable(name, 100), ": a time of at least 1s is wanted"));
        rules.push_back(std::move(rule));
    }
    if (rules.size() > max_expiry_rules)
        return util::invalid(util::concat("more than ", max_expiry_rules, " mailboxes"));
    return rules;
}

std::optional<std::int64_t> MaildropConfig::inbox_days() const
{
    for (const auto& rule : *expiry)
        if (util::equal_nocase(rule.mailbox, "INBOX") || rule.mailbox == "*")
            return rule.seconds / seconds_of_day;
    return std::nullopt;
}

}  // namespace ipc
