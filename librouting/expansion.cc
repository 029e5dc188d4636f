// What an address becomes: recipients by $virtual_alias_maps (virtual(5)), one address for another by
// canonical(5) and its kin.
#include "libmail/address_list.h"
#include "librouting/address_map.h"
#include "librouting/keys.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <map>

namespace routing {

using util::concat;
using util::Result;

namespace {

// The addresses of an entry, complete; one more than the limit when there are too many.
Result<std::vector<mail::Address>> targets_of(const Router& router, const mail::Address& address,
                                              std::string_view value, std::string_view extension, std::size_t limit)
{
    std::vector<mail::Address> targets;
    const std::size_t most = std::max(10 * limit, mail::max_list_addresses);  // with those that come twice
    auto entries = mail::parse_address_words(value, most + 1);
    if (entries.size() > most)
        return util::temporary("too many addresses");
    for (const mail::ListEntry& entry : entries) {
        if (entry.kind != mail::ListEntry::Kind::Address)
            continue;
        mail::Address target{entry.local_part, util::lower(entry.domain)};
        if (target.local_part.empty() && !target.domain.empty())
            target.local_part = address.local_part;  // "@other.example": the same user there
        else
            target.local_part += extension;
        auto checked = mail::parse_address(mail::to_text(router.complete(std::move(target))));
        if (!checked || checked->is_null())
            return util::temporary("bad address");
        bool twice = std::any_of(targets.begin(), targets.end(), [&](const mail::Address& other) {
            return mail::equal_nocase(other, *checked);
        });
        if (!twice)
            targets.push_back(checked.take());
        if (targets.size() > limit)
            break;
    }
    if (targets.empty())
        return util::temporary("no address");
    return targets;
}

}  // namespace

// One expansion: depth first, so that recipients come in the order of the entries, and an address
// that leads back to itself is seen while it is still being worked on.
class Expander {
public:
    Expander(Router& router, const mail::Address& recipient, bool bounce) :
        router_(router), place_(concat("aliases of ", mail::to_text(recipient))), bounce_(bounce)
    {
        keeps_extension_ = router.propagates("virtual");
    }

    Result<void> expand(const mail::Address& address, std::uint64_t depth);
    std::vector<mail::Address> take() { return std::move(recipients_); }

private:
    enum class State : unsigned char { Working, Done };

    Result<void> add(const mail::Address& address);
    // ELOOP: it is the table's content that is wrong.
    util::Error fault(std::string_view text) const { return {util::Kind::Temporary, concat(place_, ": ", text), ELOOP}; }

    util::Error too_many() const
    {
        return fault(concat("more than virtual_alias_expansion_limit = ",
                            *router_.config_.virtual_alias_expansion_limit, " recipients"));
    }

    util::Error too_deep() const
    {
        return fault(concat("more than virtual_alias_recursion_limit = ", *router_.config_.virtual_alias_recursion_limit,
                            " in a row"));
    }

    Router& router_;
    std::string place_;
    bool bounce_ = false;
    bool keeps_extension_ = false;
    std::map<std::string, State> seen_;  // by addresses in lower case
    std::vector<mail::Address> recipients_;
};

Result<void> Expander::add(const mail::Address& address)
{
    if (recipients_.size() >= *router_.config_.virtual_alias_expansion_limit)
        return too_many();
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

    if (auto original = router_.replace_srs(address, bounce_)) {
        if (depth >= *router_.config_.virtual_alias_recursion_limit)
            return too_deep();
        TRY(expand(*original, depth + 1));
        entry->second = State::Done;
        return {};
    }
    bool bare_names = TRY(router_.names_alone(address.domain));
    auto keys = alias_keys(address, *router_.common_.recipient_delimiter, bare_names);
    auto found = TRY(router_.aliases_.lookup(keys.keys));
    if (!found) {
        auto role = TRY(router_.role_recipient(address));
        if (role)
            TRY(expand(*role, depth + 1));
        entry->second = State::Done;
        return role ? Result<void>() : add(address);
    }
    if (depth >= *router_.config_.virtual_alias_recursion_limit)
        return too_deep();
    const conf::Key& key = keys.keys[found->key];
    bool add_extension = keeps_extension_ && key.unextended;
    auto targets = targets_of(router_, address, found->value, add_extension ? keys.extension : "",
                              *router_.config_.virtual_alias_expansion_limit);
    if (!targets)
        return fault(concat(targets.error().text, " in the entry for ", key.text));
    if (targets->size() > *router_.config_.virtual_alias_expansion_limit)
        return too_many();
    for (const mail::Address& target : *targets) {
        if (mail::to_text(target).size() > *router_.config_.virtual_alias_address_length_limit)
            return fault(concat("an address longer than virtual_alias_address_length_limit = ",
                                *router_.config_.virtual_alias_address_length_limit));
        // An entry that names its own key delivers there, too.
        if (mail::equal_nocase(target, address))
            TRY(add(target));
        else
            TRY(expand(target, depth + 1));
    }
    entry->second = State::Done;
    return {};
}

Result<std::vector<mail::Address>> Router::expand(const mail::Address& recipient, bool bounce)
{
    if (aliases_.empty() && !is_srs(recipient)) {
        auto role = TRY(role_recipient(recipient));
        return std::vector<mail::Address>{role ? std::move(*role) : recipient};
    }
    Expander expander(*this, recipient, bounce);
    TRY(expander.expand(recipient, 0));
    return expander.take();
}

Result<mail::Address> Router::canonical(Canonical which, const mail::Address& address)
{
    if (canonical_tables(which).empty())
        return address;
    return map_address(*this, canonical_tables(which), address, propagates("canonical"));
}

Result<mail::Address> map_address(Router& router, conf::Tables& tables, const mail::Address& address, bool keep_extension)
{
    mail::Address now = address;
    auto fault = [&](std::string_view text) {
        return util::Error{util::Kind::Temporary, concat("the replacement of ", mail::to_text(address), ": ", text), ELOOP};
    };
    for (int step = 0; step < max_address_steps; ++step) {
        bool bare_names = TRY(router.names_alone(now.domain));
        auto keys = alias_keys(now, router.recipient_delimiter(), bare_names);
        auto found = TRY(tables.lookup(keys.keys));
        if (!found)
            return now;
        const conf::Key& key = keys.keys[found->key];
        bool add_extension = keep_extension && key.unextended;
        auto targets = targets_of(router, now, found->value, add_extension ? keys.extension : "", 1);
        if (!targets)
            return fault(concat(targets.error().text, " in the entry for ", key.text));
        if (targets->size() > 1)
            util::log::warning("table ", found->table, ": the entry for ", util::printable(key.text),
                               " has several addresses, the first one is taken");
        mail::Address next = std::move(targets->front());
        bool same = mail::equal_nocase(next, now);
        now = std::move(next);
        if (same)
            return now;
    }
    return fault("it leads on and on");
}

}  // namespace routing
