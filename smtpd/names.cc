// Names of clients.
#include "smtpd/names.h"

#include "libutil/log.h"

namespace smtpd {

void find_name(Client& client, NameService& names)
{
    using net::dns::Status;
    if (client.name != "unknown")
        return;
    auto found = names.confirm(client.address);
    bool later = found.reverse_status == Status::TryAgain || found.reverse_status == Status::Bogus;
    if (found.reverse.empty()) {
        client.name_status = client.reverse_status = later ? NameStatus::Temporary : NameStatus::Permanent;
        return;
    }
    client.reverse_name = found.reverse;
    client.reverse_status = NameStatus::Ok;
    if (!found.name.empty()) {
        client.name = found.name;
        client.name_status = NameStatus::Ok;
        return;
    }
    bool forward_later = found.forward_status == Status::TryAgain || found.forward_status == Status::Bogus;
    client.name_status = forward_later ? NameStatus::Temporary : NameStatus::Forged;
    util::log::warning("hostname ", found.reverse, " does not resolve to address ", client.address,
                       found.forward_status == Status::Found ? "" : util::concat(": ", found.text));
}

}  // namespace smtpd
