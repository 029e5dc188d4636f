#include "pipe/agent.h"

#include "libipc/command_status.h"
#include "libipc/delivery_log.h"
#include "libutil/log.h"

namespace piping {

using util::concat;

util::Result<void> Agent::serve(bool (*stop)())
{
    ipc::OrderTaker<ipc::Job> taker;
    taker.wait = [&] { return ipc::wait_for_order(connection_.fd(), stop); };
    taker.began = began_;
    taker.carry_out = [this](const ipc::Job& job) { return deliver(job); };
    taker.put_off = [this](const ipc::Job& job) { return put_off(job); };
    return ipc::take_orders(connection_, {.verifies = true}, taker);
}

// The job came without its message: qmgr gives it again later.
util::Result<void> Agent::put_off(const ipc::Job& job)
{
    auto status = ipc::status_of(ipc::Disposition::Deferred, "4.3.0", ipc::cut_error().text);
    return report(job, std::move(status), util::wall_now(), util::now());
}

// What needs no look at the message.
std::optional<ipc::DeliveryStatus> Agent::refusal(const ipc::Job& job) const
{
    if (!service_.attributes.single_recipient() || job.recipients.size() == 1)
        return std::nullopt;
    util::log::warning("flags D and O need ", service_.name, "_destination_recipient_limit = 1");
    return ipc::status_of(ipc::Disposition::Deferred, "4.3.5", "mail system configuration error");
}

util::Result<void> Agent::deliver(const ipc::Job& job)
{
    if (job.recipients.empty())
        return util::invalid("a job without recipients");
    util::WallTime received = util::wall_now();
    util::Instant began = util::now();
    auto refused = refusal(job);
    return report(job, refused ? std::move(*refused) : run_(job), received, began);
}

util::Result<void> Agent::report(const ipc::Job& job, ipc::DeliveryStatus status, util::WallTime received, util::Instant began)
{
    status.relay = service_.name;
    // What the command does with the message is not known: no more is promised to the sender.
    if (status.disposition == ipc::Disposition::Delivered && !service_.attributes.final_delivery)
        status.action = ipc::action_relayed;
    if (filter_)
        filter_->apply(status);
    util::Duration taken = util::now() - began;
    for (const ipc::JobRecipient& recipient : job.recipients) {
        ipc::LoggedDelivery logged{.address = recipient.recipient.address,
                                   .original = ipc::original_address(recipient.recipient),
                                   .received = received,
                                   .transmission = taken};
        util::log::info(ipc::delivery_line(job, logged, status));
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = recipient.index;
        outcome.transmission_delay = taken.count();
        outcome.status = status;
        TRY(connection_.send(outcome));
    }
    return {};
}

}  // namespace piping
