// Site: our domains and their recipients, from $mydestination and the virtual mailbox tables.
#pragma once

#include "libconf/common.h"
#include "libconf/match_list.h"
#include "smtpd/destinations.h"

#include <memory>

namespace smtpd {

class Site final : public Destinations {
public:
    static util::Result<std::unique_ptr<Site>> open(const conf::Common& common);
    util::Result<Answer> find(const mail::Address& address) override;

private:
    explicit Site(const conf::Common& common) : common_(common) {}

    const conf::Common& common_;
    conf::Domains local_;
    conf::Domains virtual_;
    conf::Tables mailboxes_;
};

}  // namespace smtpd
