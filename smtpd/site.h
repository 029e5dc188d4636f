// Site: Destinations as the router of the whole system sees them.
#pragma once

#include "librouting/router.h"
#include "smtpd/destinations.h"

#include <memory>

namespace smtpd {

class Site final : public Destinations {
public:
    // The sections outlive the Site.
    static util::Result<std::unique_ptr<Site>> open(const conf::Common& common, const routing::Config& config);
    util::Result<Answer> find(const mail::Address& address) override;

private:
    explicit Site(std::unique_ptr<routing::Router> router) : router_(std::move(router)) {}

    std::unique_ptr<routing::Router> router_;
};

}  // namespace smtpd
