#include "libipc/delivery_log.h"

#include "libutil/text.h"

namespace ipc {

namespace {

constexpr std::size_t max_address = 320;   // bytes
constexpr std::size_t max_text = 1200;   // a server's whole reply, and what is said of it

std::int64_t microseconds(util::WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

std::string_view name_of(Disposition disposition, bool verify)
{
    if (verify)
        return disposition == Disposition::Delivered ? "deliverable" : "undeliverable";
    constexpr std::string_view names[] = {"sent", "deferred", "bounced"};
    return names[static_cast<std::size_t>(disposition)];
}

std::string_view original_address(const Recipient& recipient)
{
    auto [type, address] = util::split_first(recipient.original, ';');
    bool is_address = util::equal_nocase(type, "rfc822") || util::equal_nocase(type, "utf-8");
    return is_address && !util::equal_nocase(address, recipient.address) ? address : std::string_view();
}

std::string delivery_line(const Job& job, const LoggedDelivery& delivery, const DeliveryStatus& status)
{
    util::Duration total(microseconds(util::wall_now()) - job.arrival);
    util::Duration before(job.activated - job.arrival), queued(microseconds(delivery.received) - job.activated);
    std::string line = util::concat(job.queue_id, ": to=<", util::printable(delivery.address, max_address), ">");
    if (!delivery.original.empty())
        util::append(line, ", orig_to=<", util::printable(delivery.original, max_address), ">");
    util::append(line, ", relay=", util::printable(status.relay));
    if (delivery.uses > 1)
        util::append(line, ", conn_use=", delivery.uses);
    util::append(line, ", delay=", util::format_delay(total),
                 ", delays=", util::format_delay(before), "/", util::format_delay(queued), "/",
                 util::format_delay(delivery.connection), "/", util::format_delay(delivery.transmission),
                 ", dsn=", status.dsn, ", status=", name_of(status.disposition, job.verify), " (",
                 util::printable(status.text, max_text), ")");
    return line;
}

}  // namespace ipc
