// Orders to notify, and handing notifications to cleanup.
#include "bounce/session.h"

#include "libutil/log.h"

namespace bounce {

namespace {

// The order came without its message: qmgr gives it again later.
ipc::Outcome defer_cut(const ipc::Notify& order)
{
    ipc::Outcome outcome;
    outcome.job = order.job;
    outcome.status.dsn = "4.3.0";
    outcome.status.text = ipc::cut_error().text;
    util::log::warning(order.queue_id, ": notification not written: ", outcome.status.text);
    return outcome;
}

}  // namespace

util::Result<void> Session::run(bool (*stop)())
{
    ipc::OrderTaker<ipc::Notify> taker;
    taker.wait = [&] { return ipc::wait_for_order(connection_.fd(), stop); };
    taker.began = began_;
    taker.carry_out = [this](const ipc::Notify& order) { return connection_.send(notify(order)); };
    taker.put_off = [this](const ipc::Notify& order) { return connection_.send(defer_cut(order)); };
    return ipc::take_orders(connection_, {}, taker);
}

ipc::Outcome Session::notify(const ipc::Notify& order)
{
    ipc::Outcome outcome;
    outcome.job = order.job;
    outcome.status.disposition = ipc::Disposition::Delivered;
    outcome.status.dsn = "2.0.0";
    std::vector<Letter> letters = letters_of(order, site_);
    if (letters.empty()) {
        outcome.status.text = "no notification: there is nobody to tell";
        util::log::info(order.queue_id, ": ", name_of(order.kind, false), " not written: sender is <",
                        util::printable(order.envelope.sender, 320), ">");
        return outcome;
    }
    Attachment attached = attachment(order, site_);
    for (const Letter& letter : letters)
        if (auto failed = write(order, letter, attached); failed && letter.needed)
            outcome.status = std::move(*failed);
    return outcome;
}

// What went wrong; nothing when cleanup has taken it.
std::optional<ipc::DeliveryStatus> Session::write(const ipc::Notify& order, const Letter& letter, const Attachment& attached)
{
    std::string new_queue_id;
    std::string name = name_of(order.kind, letter.to_postmaster);
    auto verdict = submit(order, letter, attached, new_queue_id);
    if (verdict.ok() &&
        (verdict->kind == ipc::Verdict::Kind::Kept || verdict->kind == ipc::Verdict::Kind::Delivered)) {
        util::log::info(order.queue_id, ": ", name, ": ", new_queue_id);
        return {};
    }
    ipc::DeliveryStatus status;
    status.dsn = "4.3.0";
    status.text = verdict.ok() ? verdict->text : verdict.error().text;
    // What cannot be written today cannot be written tomorrow: a sender that is no address.
    if (!verdict.ok() && verdict.error().kind == util::Kind::Invalid)
        status.disposition = ipc::Disposition::Delivered;
    util::log::warning(order.queue_id, ": ", name, " failed: ", util::printable(status.text));
    return status;
}

util::Result<ipc::Verdict> Session::submit(const ipc::Notify& order, const Letter& letter, const Attachment& attached,
                                           std::string& new_queue_id)
{
    new_queue_id = TRY(submitter_.next_queue_id());
    util::WallTime now = util::wall_now();
    std::string message = TRY(compose(order, letter, attached, site_, new_queue_id, now));
    ipc::Envelope envelope;
    envelope.sender = letter.sender;
    envelope.arrival = now.time_since_epoch().count();
    envelope.origin = ipc::Origin::Bounce;
    envelope.eight_bit = !util::is_ascii(message);
    envelope.smtputf8 = order.envelope.smtputf8;
    envelope.requiretls = order.envelope.requiretls;   // RFC 8689 §5
    // RFC 3461 §6.2: nobody is told of the fate of a notification.
    submitter_.begin(std::move(envelope), {{.address = letter.recipient, .original = {}, .notify = ipc::NotifyNever}},
                     [&, now](const std::string& queue_id) {
                         // RFC 8689 §6: what is told of such a message may go where it might, too.
                         return util::concat(received_field(site_, queue_id, now),
                                             attached.tls_optional ? "TLS-Required: No\r\n" : "");
                     });
    submitter_.write(message);
    auto verdict = submitter_.finish();
    new_queue_id = submitter_.queue_id();
    return verdict;
}

}  // namespace bounce
