#include "smtp/require_tls.h"

#include "libconf/network.h"
#include "libtrust/tls_site.h"

namespace smtp {

namespace {

std::optional<trust::TlsWish> parse_level(std::string_view word)
{
    struct Level {
        std::string_view name;
        trust::TlsWish wish;
    };
    static constexpr Level levels[] = {{"enforce", trust::TlsWish::Verified},
                                       {"opportunistic+starttls", trust::TlsWish::Encrypted},
                                       {"opportunistic", trust::TlsWish::None}};
    for (const Level& level : levels)
        if (util::equal_nocase(level.name, word))
            return level.wish;
    return {};
}

}  // namespace

util::Result<RequireTls> RequireTls::open(const Config& config)
{
    RequireTls policy(config);
    for (const std::string& word : *config.requiretls_policy) {
        if (auto level = parse_level(word)) {
            policy.items_.emplace_back(*level);
            continue;
        }
        auto tables = conf::Tables::open({word});
        if (!tables)
            return tables.take_error().in(util::concat(config.requiretls_policy.name(), ": neither a level nor a table"));
        policy.items_.emplace_back(tables.take());
    }
    return policy;
}

util::Result<trust::TlsWish> RequireTls::find(std::string_view nexthop, const Host& host)
{
    if (!*config_->requiretls_enable || host.is_path)
        return trust::TlsWish::None;
    std::vector<conf::Key> keys;
    for (std::string& text : trust::tls_policy_keys(nexthop))
        keys.push_back({.text = std::move(text), .partial = !keys.empty()});
    keys.push_back({.text = host.address, .partial = false});
    for (auto& item : items_) {
        if (const auto* level = std::get_if<trust::TlsWish>(&item))
            return *level;
        auto found = std::get<conf::Tables>(item).lookup(keys);
        if (!found)
            return found.take_error().in(config_->requiretls_policy.name());
        if (!*found)
            continue;
        if (auto level = parse_level((*found)->value))
            return *level;
        return util::temporary(util::concat(config_->requiretls_policy.name(), ": ", (*found)->table, ": no level: ",
                                            util::printable((*found)->value, 40)));
    }
    return trust::TlsWish::Verified;
}

}  // namespace smtp
