// Site: our domains and their recipients.
#include "smtpd/site.h"

namespace smtpd {

util::Result<std::unique_ptr<Site>> Site::open(const conf::Common& common, const routing::Config& config)
{
    auto router = TRY(routing::Router::open(common, config));
    return std::unique_ptr<Site>(new Site(std::move(router)));
}

util::Result<Destinations::Answer> Site::find(const mail::Address& address)
{
    auto of = TRY(router_->class_of(address.domain));
    bool local = of == routing::Class::Local;
    if (of == routing::Class::Default)
        return Answer{Kind::Elsewhere, {}, false};
    auto reason = TRY(router_->unlisted(address));
    if (reason)
        return Answer{Kind::Unlisted, std::move(*reason), local};
    return Answer{Kind::Listed, {}, local};
}

}  // namespace smtpd
