// Generic: the addresses that other sites see, generic(5).
#pragma once

#include "librouting/router.h"
#include "smtp/config.h"

namespace smtp {

constexpr std::size_t max_generic_tokens = 10'240;      // of one field; addresses behind them stay

class Generic {
public:
    // Invalid: a table's name.
    static util::Result<Generic> open(const Config& config, routing::Router& router);

    bool active() const { return !tables_.empty(); }
    // What an address becomes; itself where there is no entry.  Temporary: a table fails, or its entries.
    util::Result<mail::Address> map(const mail::Address& address);
    // A header with its addresses replaced.
    util::Result<std::string> rewrite(std::string_view header);

private:
    Generic(routing::Router& router, conf::Tables tables) : router_(&router), tables_(std::move(tables)) {}

    routing::Router* router_;
    conf::Tables tables_;
};

}  // namespace smtp
