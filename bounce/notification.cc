// Orders to notify become RFC 3464 messages.
#include "bounce/notification.h"

#include "libmail/header.h"
#include "libqueue/reader.h"
#include "libutil/log.h"

namespace bounce {

namespace {

mail::Date date_of(util::WallTime time)
{
    return {.seconds = util::unix_seconds(time), .zone_minutes = 0};
}

mail::Date date_of(std::int64_t microseconds)
{
    return {.seconds = microseconds / 1'000'000, .zone_minutes = 0};
}

mail::DsnAction action_of(ipc::Notify::Kind kind, const ipc::DeliveryStatus& status)
{
    if (kind == ipc::Notify::Kind::Delay)
        return mail::DsnAction::Delayed;
    if (kind == ipc::Notify::Kind::Failure)
        return mail::DsnAction::Failed;
    if (status.action == "relayed")
        return mail::DsnAction::Relayed;
    return status.action == "expanded" ? mail::DsnAction::Expanded : mail::DsnAction::Delivered;
}

mail::DsnRecipient recipient_of(const ipc::Notify& order, std::size_t index, util::WallTime now)
{
    const ipc::Recipient& recipient = order.recipients[index].recipient;
    const ipc::DeliveryStatus& status = order.statuses[index];
    mail::DsnRecipient told;
    auto address = mail::parse_address(recipient.address);
    told.address = address.ok() ? address.take() : mail::Address{.local_part = recipient.address, .domain = {}};
    auto [type, original] = util::split_first(recipient.original, ';');
    told.original_type = type;
    told.original_recipient = original;
    told.action = action_of(order.kind, status);
    told.status = status.dsn;
    // "smtp; 550 5.1.1 no such user" is what another server said, all else our own words.
    std::string_view diagnostic = status.diagnostic;
    if (util::starts_with_nocase(diagnostic, "smtp;"))
        diagnostic = util::trim(diagnostic.substr(5));
    told.diagnostic = diagnostic.empty() ? std::string_view(status.text) : diagnostic;
    told.remote_mta = diagnostic.empty() ? std::string_view() : std::string_view(status.remote_mta);
    told.last_attempt = date_of(now);
    if (order.kind == ipc::Notify::Kind::Delay && order.expires > 0)
        told.will_retry_until = date_of(order.expires);
    return told;
}

util::Result<Attachment> read_attachment(const ipc::Notify& order, const Identity& identity)
{
    if (!order.message.valid())
        return util::not_found("no message was given");
    queue::Reader reader = TRY(queue::Reader::open(order.message.get(), queue::Check::Envelope));
    Attachment attached;
    attached.full = order.kind == ipc::Notify::Kind::Failure && reader.content_size() <= identity.size_limit &&
                    order.envelope.return_part != ipc::ReturnPart::Headers;
    std::size_t wanted = attached.full ? reader.content_size() : max_attached_header;
    queue::Content content = reader.content();
    while (attached.content.size() < wanted) {
        std::string_view piece = TRY(content.next());
        if (piece.empty())
            break;
        attached.content += piece.substr(0, wanted - attached.content.size());
    }
    if (!attached.full)
        attached.content.resize(mail::header_size(attached.content));
    return attached;
}

// "20261123101112": the time in a message id, as people know it from Postfix.
std::string compact_time(util::WallTime now)
{
    std::int64_t seconds = util::unix_seconds(now);
    mail::Day day = mail::day_from_days(seconds / 86'400);
    std::int64_t second = seconds % 86'400;
    auto two = [](std::int64_t number) { return util::concat(number < 10 ? "0" : "", number); };
    return util::concat(day.year, two(day.month), two(day.day), two(second / 3600), two(second / 60 % 60),
                        two(second % 60));
}

}  // namespace

bool has_reader(const ipc::Envelope& envelope, const Identity& identity)
{
    if (envelope.sender.empty())
        return false;
    std::string_view name = envelope.sender;
    if (identity.double_bounce_sender.find('@') == std::string::npos)
        name = name.substr(0, name.rfind('@'));
    return !util::equal_nocase(name, identity.double_bounce_sender);
}

Attachment attachment(const ipc::Notify& order, const Identity& identity)
{
    auto attached = read_attachment(order, identity);
    if (attached.ok())
        return attached.take();
    util::log::warning(order.queue_id, ": the message cannot be attached: ", attached.error().text);
    return {};
}

util::Result<std::string> compose(const ipc::Notify& order, const Attachment& attached, const Identity& identity,
                                  std::string_view new_queue_id, util::WallTime now)
{
    if (order.recipients.empty() || order.recipients.size() != order.statuses.size())
        return util::invalid("an order to notify without recipients, or without their statuses");
    mail::DsnReport report;
    report.to = TRY(mail::parse_address(order.envelope.sender));
    report.from = {.local_part = "MAILER-DAEMON", .domain = identity.myorigin};
    report.reporting_mta = identity.myhostname;
    report.date = date_of(now);
    report.message_id = util::concat(compact_time(now), ".", new_queue_id, "@", identity.myhostname);
    report.queue_id = order.queue_id;
    report.envelope_id = order.envelope.envelope_id;
    if (order.envelope.arrival > 0)
        report.arrival = date_of(order.envelope.arrival);
    for (std::size_t i = 0; i < order.recipients.size(); ++i)
        report.recipients.push_back(recipient_of(order, i, now));
    report.content = attached.content;
    report.full = attached.full;
    return mail::compose_dsn(report);
}

std::string_view name_of(ipc::Notify::Kind kind)
{
    switch (kind) {
    case ipc::Notify::Kind::Failure: return "sender non-delivery notification";
    case ipc::Notify::Kind::Delay: return "sender delay notification";
    case ipc::Notify::Kind::Success: return "sender delivery status notification";
    }
    return "notification";
}

}  // namespace bounce
