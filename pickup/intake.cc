// Intake: one local submission.
#include "pickup/intake.h"

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
            submission_->add_recipient(std::move(recipient));
        return {};
    }
    auto message = TRY(ipc::decode<ipc::Content>(packet));
    TRY(check_.content(message));
    submission_->write(message.content);
    return {};
}

void Intake::begin(ipc::Begin message)
{
    // Of the envelope, only what a person may say about his own message is taken over.
    ipc::Envelope envelope;
    envelope.queue_id = queue_id_;
    envelope.arrival = util::wall_now().time_since_epoch().count();
    envelope.sender = std::move(message.envelope.sender);
    envelope.envelope_id = std::move(message.envelope.envelope_id);
    envelope.return_part = message.envelope.return_part;
    envelope.complete_header = message.envelope.complete_header;
    envelope.smtputf8 = message.envelope.smtputf8;
    envelope.origin = ipc::Origin::Local;
    std::string date = mail::format_date({.seconds = envelope.arrival / 1'000'000});
    std::string received = util::concat("Received: by ", *common_.myhostname, " (", *common_.mail_name,
                                        ", from userid ", uid_, ")\r\n\tid ", queue_id_, "; ", date, "\r\n");
    util::log::info(queue_id_, ": uid=", uid_, " from=<", util::printable(envelope.sender), ">");
    submission_ = std::make_unique<ipc::Submission>(submitter_, std::move(envelope));
    for (auto& recipient : message.recipients)
        submission_->add_recipient(std::move(recipient));
    // Recipients that did not fit into Begin come before any content does.
    submission_->write(received);
    submission_->write(message.content);
}

util::Result<ipc::Verdict> Intake::finish()
{
    auto verdict = submission_->finish();
    abandon();
    return verdict;
}

void Intake::abandon()
{
    submission_.reset();
    check_ = {};
}

}  // namespace pickup
