// RequireTls: how far a sender's wish for REQUIRETLS (RFC 8689) binds us: smtp_requiretls_policy.
#pragma once

#include "libconf/table.h"
#include "libtrust/tls_policy.h"
#include "smtp/config.h"
#include "smtp/site/host.h"

#include <string_view>
#include <variant>
#include <vector>

namespace smtp {

class RequireTls {
public:
    // Invalid: a word that is neither a level nor a table.
    static util::Result<RequireTls> open(const Config& config);

    // None: as far as it can be had.  Temporary: a table cannot be read, or has no level.
    util::Result<trust::TlsWish> find(std::string_view nexthop, const Host& host);

private:
    explicit RequireTls(const Config& config) : config_(&config) {}

    const Config* config_;
    std::vector<std::variant<trust::TlsWish, conf::Tables>> items_;
};

}  // namespace smtp
