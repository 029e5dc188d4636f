// Aliases: what a recipient becomes by $virtual_alias_maps (virtual(5)).
#include "libmail/address_list.h"
#include "librouting/keys.h"
#include "librouting/router.h"
#include "libutil/text.h"

#include <algorithm>
#include <map>

namespace routing {

using util::concat;
using util::Result;

// One expansion: depth first, so that recipients come in the order of the entries, and an address
// that leads back to itself is seen while it is still being worked on.
class Expander {
public:
    Expander(Router& router, const mail::Address& recipient) :
        router_(router), place_(concat("aliases of ", mail::to_text(recipient)))
    {
        const auto& words = *router.config_.propagate_unmatched_extensions;
        keeps_extension_ = std::find(words.begin(), words.end(), "virtual") != words.end();
    }

    Result<void> expand(const mail::Address& address, std::uint64_t depth);
    std::vector<mail::Address> take() { return std::move(recipients_); }

private:
    enum class State : unsigned char { Working, Done };

    Result<std::vector<mail::Address>> targets_of(const mail::Address& address, std::string_view value,
                                                  std::string_view extension) const;
    Result<void> add(const mail::Address& address);
    util::Error fault(std::string_view text) const { return util::temporary(concat(place_, ": ", text)); }

    Router& router_;
    std::string place_;
    bool keeps_extension_ = false;
    std::map<std::string, State> seen_;  // by addresses in lower case
    std::vector<mail::Address> recipients_;
};

Result<void> Expander::add(const mail::Address& address)
{
    if (recipients_.size() >= *router_.config_.virtual_alias_expansion_limit)
        return fault(concat("more than virtual_alias_expansion_limit = ",
                            *router_.config_.virtual_alias_expansion_limit, " recipients"));
    recipients_.push_back(address);
    return {};
}

Result<void> Expander::expand(const mail::Address& address, std::uint64_t depth)
{
    auto [entry, is_new] = seen_.try_emplace(util::lower(mail::to_text(address)), State::Working);
    if (!is_new && entry->second == State::Working)
        return fault(concat(mail::to_text(address), " leads back to itself"));
    if (!is_new)
        return {};  // its recipients are there already
    if (seen_.size() > 10 * *router_.config_.virtual_alias_expansion_limit)
        return fault("too many entries on the way");

    bool bare_names = address.domain == util::lower(*router_.common_.myorigin);
    if (!bare_names)
        bare_names = TRY(router_.is_local(address.domain));
    auto keys = alias_keys(address, *router_.common_.recipient_delimiter, bare_names);
    auto found = TRY(router_.aliases_.lookup(keys.keys));
    if (!found) {
        entry->second = State::Done;
        return add(address);
    }
    if (depth >= *router_.config_.virtual_alias_recursion_limit)
        return fault(concat("more than virtual_alias_recursion_limit = ",
                            *router_.config_.virtual_alias_recursion_limit, " in a row"));
    const conf::Key& key = keys.keys[found->key];
    bool add_extension = keeps_extension_ && key.unextended;
    auto targets = targets_of(address, found->value, add_extension ? keys.extension : "");
    if (!targets)
        return fault(concat(targets.error().text, " in the entry for ", key.text));
    for (const mail::Address& target : *targets) {
        // An entry that names its own key delivers there, too.
        if (mail::equal_nocase(target, address))
            TRY(add(target));
        else
            TRY(expand(target, depth + 1));
    }
    entry->second = State::Done;
    return {};
}

Result<std::vector<mail::Address>> Expander::targets_of(const mail::Address& address, std::string_view value,
                                                        std::string_view extension) const
{
    std::vector<mail::Address> targets;
    std::size_t limit = *router_.config_.virtual_alias_expansion_limit + 1;
    for (const mail::ListEntry& entry : mail::parse_address_list(value, limit)) {
        if (entry.kind != mail::ListEntry::Kind::Address)
            continue;
        mail::Address target{entry.local_part, util::lower(entry.domain)};
        if (target.local_part.empty() && !target.domain.empty())
            target.local_part = address.local_part;  // "@other.example": the same user there
        else
            target.local_part += extension;
        auto checked = mail::parse_address(mail::to_text(router_.complete(std::move(target))));
        if (!checked || checked->is_null())
            return util::temporary("bad address");
        bool twice = std::any_of(targets.begin(), targets.end(), [&](const mail::Address& other) {
            return mail::equal_nocase(other, *checked);
        });
        if (!twice)
            targets.push_back(checked.take());
    }
    if (targets.empty())
        return util::temporary("no address");
    return targets;
}

Result<std::vector<mail::Address>> Router::expand(const mail::Address& recipient)
{
    if (aliases_.empty())
        return std::vector<mail::Address>{recipient};
    Expander expander(*this, recipient);
    TRY(expander.expand(recipient, 0));
    return expander.take();
}

}  // namespace routing
