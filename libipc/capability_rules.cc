// Capabilities of IMAP that some do not hear of.
#include "libipc/capability_rules.h"

#include "libutil/text.h"

#include <algorithm>

namespace ipc {

namespace {

bool is_capability(std::string_view word)
{
    return std::ranges::all_of(word, [](char c) {
        return util::is_printable(c) && std::string_view(" (){%*\"\\]").find(c) == std::string_view::npos;
    });
}

}  // namespace

util::Result<std::vector<CapabilityRule>> CapabilityRules::parse(std::string_view text) const
{
    std::vector<CapabilityRule> rules;
    for (auto piece : util::split(text, ',')) {
        CapabilityRule rule;
        bool first = true;
        for (auto word : util::split_words(piece)) {
            bool user = first && util::starts_with_nocase(word, "user=");
            bool client = first && util::starts_with_nocase(word, "client=");
            first = false;
            if (user || client) {
                rule.whom = user ? CapabilityRule::Whom::User : CapabilityRule::Whom::Client;
                rule.pattern = word.substr(word.find('=') + 1);
                if (rule.pattern.empty())
                    return util::invalid(util::concat("a pattern is missing behind ", util::printable(word, 20)));
                continue;
            }
            if (!is_capability(word) || util::equal_nocase(word, "IMAP4rev1"))
                return util::invalid(util::concat(util::printable(word, 100), " is no capability that clients can do without"));
            rule.names.push_back(util::upper(word));
        }
        if (first)
            continue;
        if (rule.names.empty())
            return util::invalid(util::concat("which capabilities, behind ", util::printable(util::trim(piece), 100), "?"));
        rules.push_back(std::move(rule));
    }
    if (rules.size() > max_capability_rules)
        return util::invalid(util::concat("more than ", max_capability_rules, " rules"));
    return rules;
}

}  // namespace ipc
