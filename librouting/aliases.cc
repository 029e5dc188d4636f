// Router: virtual aliases.
#include "librouting/router.h"

#include "libutil/text.h"

#include <algorithm>
#include <set>

namespace routing {

// Domains for which a bare user name is looked up: $myorigin and $mydestination.
bool Router::is_home(std::string_view domain)
{
    if (util::equal_nocase(domain, *common_.myorigin))
        return true;
    auto local = local_.contains(domain);
    return local.ok() && *local;
}

std::vector<conf::Key> Router::alias_keys(const mail::Address& address)
{
    auto [user, extension] = mail::split_extension(address.local_part, *common_.recipient_delimiter);
    std::string bare(user);
    bool extended = bare != address.local_part;
    std::vector<conf::Key> keys = {{mail::to_text(address), false}};
    if (extended)
        keys.push_back({mail::to_text({bare, address.domain}), true});
    if (is_home(address.domain)) {
        keys.push_back({address.local_part, true});
        if (extended)
            keys.push_back({bare, true});
    }
    keys.push_back({"@" + address.domain, true});
    return keys;
}

// What one address becomes in one step; nothing when it is no alias.
util::Result<std::optional<std::vector<mail::Address>>> Router::alias(const mail::Address& address)
{
    using Answer = std::optional<std::vector<mail::Address>>;
    if (aliases_.empty())
        return Answer();
    auto keys = alias_keys(address);
    auto found = TRY(aliases_.lookup(keys));
    if (!found)
        return Answer();
    auto [user, extension] = mail::split_extension(address.local_part, *common_.recipient_delimiter);
    // An extension that the table did not name goes along: user+ext@a -> other+ext@b.
    bool extended = user.size() < address.local_part.size();
    bool named = keys[found->key].text.find(address.local_part) != std::string::npos;
    std::string suffix =
        extended && !named && propagate_extension_ ? address.local_part.substr(user.size()) : std::string();
    std::vector<mail::Address> result;
    for (std::string_view word : util::split_words(found->value)) {
        mail::Address target;
        if (word.starts_with('@')) {
            // "@other.example": the same user in another domain.
            target = {address.local_part, util::lower(word.substr(1))};
        } else {
            auto parsed = mail::parse_address(word);
            if (!parsed.ok())
                return util::temporary(util::concat(found->table, ": ", keys[found->key].text, ": \"",
                                                    util::printable(word, 200), "\" is no address"));
            target = qualify(parsed.take());
            target.local_part += suffix;
        }
        result.push_back(std::move(target));
    }
    if (result.empty())
        return util::temporary(util::concat(found->table, ": ", keys[found->key].text, ": no address"));
    return Answer(std::move(result));
}

util::Result<std::vector<mail::Address>> Router::expand(const mail::Address& recipient)
{
    struct Pending {
        mail::Address address;
        std::uint64_t depth;
    };
    std::vector<Pending> pending = {{qualify(recipient), 0}};
    std::vector<mail::Address> result;
    std::set<std::string> seen;
    while (!pending.empty()) {
        Pending next = std::move(pending.back());
        pending.pop_back();
        // An address that names itself, or comes by two ways, is final the first time.
        bool fresh = seen.insert(util::lower(mail::to_text(next.address))).second;
        if (!fresh)
            continue;
        auto targets = TRY(alias(next.address));
        const auto is_self = [&](const mail::Address& target) { return mail::equal_nocase(target, next.address); };
        bool names_itself = targets && std::any_of(targets->begin(), targets->end(), is_self);
        if (!targets || names_itself)
            result.push_back(next.address);
        if (!targets)
            continue;
        if (next.depth >= config_.virtual_alias_recursion_limit)
            return util::temporary(util::concat("aliases of ", mail::to_text(recipient),
                                                " go deeper than virtual_alias_recursion_limit"));
        if (seen.size() + targets->size() > config_.virtual_alias_expansion_limit)
            return util::temporary(util::concat(mail::to_text(recipient),
                                                " becomes more than virtual_alias_expansion_limit addresses"));
        for (auto target = targets->rbegin(); target != targets->rend(); ++target)
            pending.push_back({std::move(*target), next.depth + 1});
    }
    if (result.empty())
        return util::temporary(util::concat("the aliases of ", mail::to_text(recipient), " lead in a circle"));
    return result;
}

}  // namespace routing
