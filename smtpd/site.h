// Site: Destinations as the router of the whole system sees them.
#pragma once

#include "librouting/router.h"
#include "smtpd/destinations.h"

#include <algorithm>
#include <memory>

namespace smtpd {

class Site final : public Destinations {
public:
    // The sections outlive the Site.
    static util::Result<std::unique_ptr<Site>> open(const conf::Common& common, const routing::Config& config);
    mail::Address complete(mail::Address address) override { return router_->complete_forward_path(std::move(address)); }
    bool is_own(const conf::IpAddress& address) override { return router_->is_own(address); }
    bool is_reached_at(const conf::IpAddress& address) override
    {
        return std::ranges::find(router_->reached_at(), address) != router_->reached_at().end();
    }
    util::Result<bool> is_local(std::string_view domain) override { return router_->is_local(domain); }
    util::Result<std::vector<std::string>> account_names(const mail::Address& address) override;
    util::Result<Answer> find(const mail::Address& address) override;

private:
    explicit Site(std::unique_ptr<routing::Router> router) : router_(std::move(router)) {}

    std::unique_ptr<routing::Router> router_;
};

}  // namespace smtpd
