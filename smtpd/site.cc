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
    auto found = TRY(router_->find(address));
    Answer answer;
    answer.ours = found.address_class != routing::AddressClass::Default;
    answer.local = found.address_class == routing::AddressClass::Local;
    answer.listed = found.listed;
    answer.dsn = std::move(found.refusal.dsn);
    answer.reason = std::move(found.refusal.text);
    return answer;
}

}  // namespace smtpd
