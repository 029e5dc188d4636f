#include "libipc/status_filter.h"

#include "libmail/dsn_status.h"
#include "libutil/log.h"
#include "libutil/text.h"

namespace ipc {

util::Result<StatusFilter> StatusFilter::open(const std::vector<std::string>& names, std::string parameter)
{
    auto tables = conf::Tables::open(names);
    if (!tables)
        return tables.take_error().in(parameter);
    return StatusFilter(tables.take(), std::move(parameter));
}

void StatusFilter::apply(DeliveryStatus& status)
{
    if (!active())
        return;
    bool good = status.disposition == Disposition::Delivered;
    auto found = tables_.lookup(util::concat(status.dsn, ' ', status.text));
    if (!found) {
        util::log::warning(parameter_, ": ", found.error().text);
        if (!good) {
            status.disposition = Disposition::Deferred;
            status.dsn = "4.3.5";
            status.text = "mail system configuration error";
        }
        return;
    }
    if (!*found)
        return;
    auto [dsn, text] = util::split_first(util::trim(**found), ' ');
    if (!mail::is_dsn_status(dsn) || (dsn.front() == '2') != good) {
        util::log::warning(parameter_, ": ", util::printable(**found, 100), " cannot take the place of ", status.dsn);
        return;
    }
    status.dsn = dsn;
    status.text = util::trim(text);
    if (!good)
        status.disposition = dsn.front() == '5' ? Disposition::Bounced : Disposition::Deferred;
}

}  // namespace ipc
