// Intake: one local submission.
#include "pickup/intake.h"

#include "libipc/overrides.h"
#include "libmail/date.h"
#include "libutil/log.h"

namespace pickup {

util::Result<void> Intake::start(uid_t uid)
{
    abandon();
    uid_ = uid;
    queue_id_ = TRY(submitter_.next_queue_id());
    return {};
}

util::Result<void> Intake::record(ipc::Packet& packet)
{
    if (packet.name() == ipc::Begin::message_name) {
        auto message = TRY(ipc::decode<ipc::Begin>(packet));
        TRY(check_.begin(message));
        begin(std::move(message));
        return {};
    }
    if (packet.name() == ipc::More::message_name) {
        auto message = TRY(ipc::decode<ipc::More>(packet));
        TRY(check_.more(message));
        for (auto& recipient : message.recipients)
            submitter_.add_recipient(std::move(recipient));
        return {};
    }
    auto message = TRY(ipc::decode<ipc::Content>(packet));
    TRY(check_.content(message));
    if (!too_large())
        submitter_.write(message.content);
    return {};
}

void Intake::begin(ipc::Begin message)
{
    // Of the envelope, only what a person may say about his own message is taken over.
    ipc::Envelope envelope;
    envelope.arrival = util::wall_now().time_since_epoch().count();
    envelope.sender = std::move(message.envelope.sender);
    envelope.envelope_id = std::move(message.envelope.envelope_id);
    envelope.return_part = message.envelope.return_part;
    if (message.envelope.report != ipc::Report::Probe)   // verify's own: such a message is never kept
        envelope.report = message.envelope.report;
    envelope.complete_header = message.envelope.complete_header;
    envelope.smtputf8 = message.envelope.smtputf8;
    envelope.origin = ipc::Origin::Local;
    envelope.content_filter = *config_.content_filter;
    envelope.overrides = ipc::parse_overrides(*config_.receive_override_options).value_or(0);
    auto trace = [this, date = mail::format_date({.seconds = envelope.arrival / 1'000'000}),
                  sender = envelope.sender](const std::string& queue_id) {
        util::log::info(queue_id, ": uid=", uid_, " from=<", util::printable(sender), ">");
        return util::concat("Received: by ", *common_.myhostname, " (", *common_.mail_name,
                            ", from userid ", uid_, ")\r\n\tid ", queue_id, "; ", date, "\r\n");
    };
    submitter_.begin(std::move(envelope), std::move(message.recipients), std::move(trace));
    submitter_.write(message.content);
}

bool Intake::too_large() const
{
    std::uint64_t limit = *common_.message_size_limit;
    return limit > 0 && check_.size() > limit;
}

util::Result<ipc::Verdict> Intake::finish()
{
    if (too_large()) {
        abandon();
        ipc::Verdict verdict;
        verdict.kind = ipc::Verdict::Kind::Refused;
        verdict.code = 552;
        verdict.dsn = "5.3.4";
        verdict.text = "Error: message file too big";
        return verdict;
    }
    check_ = {};
    return submitter_.finish();
}

void Intake::abandon()
{
    submitter_.abandon();
    check_ = {};
}

}  // namespace pickup
