// Orders to notify become RFC 3464 messages.
#include "bounce/notification.h"

#include "libmail/address_edit.h"
#include "libmail/dsn_status.h"
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

mail::DsnAction action_of(const ipc::Notify& order, const ipc::DeliveryStatus& status)
{
    ipc::Notify::Kind kind = order.kind;
    if (kind == ipc::Notify::Kind::Report) {
        bool delivered = status.disposition == ipc::Disposition::Delivered;
        if (order.envelope.report == ipc::Report::Deliverability)
            return delivered ? mail::DsnAction::Deliverable : mail::DsnAction::Undeliverable;
        kind = delivered                                                    ? ipc::Notify::Kind::Success
               : status.disposition == ipc::Disposition::Deferred ? ipc::Notify::Kind::Delay
                                                                            : ipc::Notify::Kind::Failure;
    }
    if (kind == ipc::Notify::Kind::Delay)
        return mail::DsnAction::Delayed;
    if (kind == ipc::Notify::Kind::Failure)
        return mail::DsnAction::Failed;
    if (status.action == ipc::action_relayed)
        return mail::DsnAction::Relayed;
    return status.action == ipc::action_expanded ? mail::DsnAction::Expanded : mail::DsnAction::Delivered;
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
    told.action = action_of(order, status);
    // RFC 3464 §2.3.4: there is always one.
    bool failed = told.action == mail::DsnAction::Failed;
    bool late = told.action == mail::DsnAction::Delayed || told.action == mail::DsnAction::Undeliverable;
    told.status = mail::is_dsn_status(status.dsn) ? status.dsn : failed ? "5.0.0" : late ? "4.0.0" : "2.0.0";
    // "smtp; 550 5.1.1 no such user" is what another server said, "x-unix; no space" a command, all else our own words.
    std::string_view diagnostic = status.diagnostic;
    if (util::starts_with_nocase(diagnostic, "smtp;")) {
        diagnostic = util::trim(diagnostic.substr(5));
    } else if (util::starts_with_nocase(diagnostic, "x-unix;")) {
        diagnostic = util::trim(diagnostic.substr(7));
        told.diagnostic_type = "x-unix";
        told.reason = status.text;
    }
    told.diagnostic = diagnostic.empty() ? std::string_view(status.text) : diagnostic;
    told.remote_mta = diagnostic.empty() ? std::string_view() : std::string_view(status.remote_mta);
    told.last_attempt = date_of(now);
    if (order.kind == ipc::Notify::Kind::Delay && order.expires > 0)
        told.will_retry_until = date_of(order.expires);
    return told;
}

util::Result<Attachment> read_attachment(const ipc::Notify& order, const Site& site)
{
    if (!order.message.valid())
        return util::not_found("no message was given");
    queue::Reader reader = TRY(queue::Reader::open(order.message.get(), queue::Check::Envelope));
    Attachment attached;
    attached.full = order.kind == ipc::Notify::Kind::Failure && reader.content_size() <= *site.config.size_limit &&
                    order.envelope.return_part != ipc::ReturnPart::Headers && !order.envelope.requiretls;
    attached.tls_optional = reader.summary().tls_optional && !order.envelope.requiretls;
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

// Addresses without domain in a header field's text are ours.
std::string complete_field(std::string_view text, const Site& site)
{
    constexpr std::size_t token_limit = 1000;
    auto edits = mail::edit_addresses(text, token_limit, [&](const mail::Address& address) {
        std::optional<mail::Address> changed;
        if (address.domain.empty())
            changed = mail::Address{.local_part = address.local_part, .domain = site.myorigin};
        return util::Result<std::optional<mail::Address>>(std::move(changed));
    });
    return edits ? mail::apply_edits(text, *edits) : std::string(text);
}

const mail::NoticeTemplate& template_of(ipc::Notify::Kind kind, const mail::NoticeTemplates& templates)
{
    switch (kind) {
    case ipc::Notify::Kind::Failure: return templates.failure;
    case ipc::Notify::Kind::Delay: return templates.delay;
    case ipc::Notify::Kind::Success: return templates.success;
    case ipc::Notify::Kind::Report: return templates.verify;
    }
    return templates.failure;
}

}  // namespace

std::vector<Letter> letters_of(const ipc::Notify& order, const Site& site)
{
    using Kind = ipc::Notify::Kind;
    const std::string& sender = order.envelope.sender;
    std::vector<Letter> letters;
    if (site.config.is_double_bounce(sender))
        return letters;
    std::vector<std::size_t> all, wanted;
    for (std::size_t i = 0; i < order.recipients.size(); ++i) {
        all.push_back(i);
        // Of a success qmgr has decided: it may end a delay that was told.
        if (order.kind == Kind::Success || ipc::wants(order.recipients[i].recipient.notify, order.kind))
            wanted.push_back(i);
    }
    auto to_postmaster = [&](const std::string& recipient, bool needed) {
        letters.push_back({true, needed, ipc::notice_address(*site.config.double_bounce_sender, site.myorigin),
                           ipc::notice_address(recipient, site.myorigin), all});
    };
    ipc::NoticeClasses classes = site.config.classes();
    if (sender.empty()) {
        if (order.kind == Kind::Failure && (classes & ipc::NoticeDoubleBounce))
            to_postmaster(*site.config.double_bounce_notice_recipient, true);
        return letters;
    }
    if (!wanted.empty())
        letters.push_back({false, true, "", sender, std::move(wanted)});
    if (order.kind == Kind::Failure && (classes & ipc::NoticeBounce))
        to_postmaster(*site.config.bounce_notice_recipient, false);
    if (order.kind == Kind::Delay && (classes & ipc::NoticeDelay))
        to_postmaster(*site.config.delay_notice_recipient, false);
    return letters;
}

Attachment attachment(const ipc::Notify& order, const Site& site)
{
    auto attached = read_attachment(order, site);
    if (attached.ok())
        return attached.take();
    util::log::warning(order.queue_id, ": the message cannot be attached: ", attached.error().text);
    return {};
}

util::Result<std::string> compose(const ipc::Notify& order, const Letter& letter, const Attachment& attached,
                                  const Site& site, std::string_view new_queue_id, util::WallTime now)
{
    if (letter.told.empty() || order.recipients.size() != order.statuses.size() || letter.told.back() >= order.statuses.size())
        return util::invalid("an order to notify without recipients, or without their statuses");
    const mail::NoticeTemplate& words = template_of(order.kind, site.templates);
    mail::DsnReport report;
    report.to = TRY(mail::parse_address(letter.recipient));
    report.from = complete_field(words.from, site);
    report.subject = letter.to_postmaster ? words.postmaster_subject : words.subject;
    report.notice = words.body;
    if (letter.to_postmaster)
        util::append(report.notice, "\nThis notice is for the postmaster.  The message was from <",
                     util::printable(order.envelope.sender, 320), ">.\n");
    report.reporting_mta = site.myhostname;
    report.date = date_of(now);
    report.message_id = util::concat(compact_time(now), ".", new_queue_id, "@", site.myhostname);
    report.queue_id = order.queue_id;
    report.sender = order.envelope.sender;
    report.envelope_id = order.envelope.envelope_id;
    if (order.envelope.arrival > 0)
        report.arrival = date_of(order.envelope.arrival);
    for (std::size_t i : letter.told)
        report.recipients.push_back(recipient_of(order, i, now));
    report.content = attached.content;
    report.full = attached.full && !letter.to_postmaster;
    return mail::compose_dsn(report);
}

std::string received_field(const Site& site, std::string_view queue_id, util::WallTime now)
{
    return util::concat("Received: by ", site.myhostname, " (", site.mail_name, ")\r\n\tid ", queue_id, "; ",
                        mail::format_date(date_of(now)), "\r\n");
}

std::string name_of(ipc::Notify::Kind kind, bool to_postmaster)
{
    constexpr std::string_view kinds[] = {"non-delivery", "delay", "delivery status", "delivery status"};
    return util::concat(to_postmaster ? "postmaster " : "sender ", kinds[static_cast<std::size_t>(kind)], " notification");
}

}  // namespace bounce
