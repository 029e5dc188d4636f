// From jobs to outcomes.
#include "local/agent.h"

#include "libutil/log.h"
#include "local/status.h"

#include <algorithm>

namespace local {

namespace {

constexpr std::uint32_t max_deaths = 2;   // of mailbox processes over one message

}  // namespace

Agent::Agent(util::EventLoop& loop, AgentSettings settings)
    : loop_(loop), settings_(std::move(settings)),
      mailboxes_(loop, settings_.usher_socket, settings_.connection_limit, settings_.timeout, *this),
      errands_(loop, settings_.errands_socket, settings_.errand_timeout), forwarder_(loop, settings_.forward)
{
}

Agent::~Agent() = default;

// --- qmgr --------------------------------------------------------------------------------------------

void Agent::accept(util::UniqueFd connection, std::function<void()> gone)
{
    std::uint64_t id = next_id_++;
    Manager& manager = managers_[id];
    manager.id = id;
    manager.gone = std::move(gone);
    manager.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(connection),
        ipc::Channel::Events{.received = [this, id](ipc::Packet& packet) { received(id, packet); },
                             .closed = [this, id](const util::Error& error) {
                                 if (error.kind == util::Kind::Invalid)
                                     util::log::warning("dropped a connection of qmgr: ", error.text);
                                 // What is in flight goes on; nobody waits for its outcome.
                                 auto over = std::move(managers_[id].gone);
                                 managers_.erase(id);
                                 if (over)
                                     over();
                             }},
        // Two answers for each recipient may wait while qmgr is busy.
        std::size_t(settings_.job_limit) * 200);
    ipc::AgentGreeting greeting;
    greeting.capacity = settings_.job_limit;
    greeting.verifies = true;
    manager.channel->send(greeting);
}

ipc::Channel* Agent::channel_of(std::uint64_t manager)
{
    auto found = managers_.find(manager);
    return found == managers_.end() ? nullptr : found->second.channel.get();
}

void Agent::received(std::uint64_t id, ipc::Packet& packet)
{
    Manager& manager = managers_[id];
    auto job = packet.cut ? ipc::decode_cut<ipc::Job>(packet) : ipc::decode<ipc::Job>(packet);
    if (!job.ok())
        return manager.channel->fail(job.take_error());
    if ((!job->message.valid() && !packet.cut) || job->recipients.empty())
        return manager.channel->fail(util::invalid("a job without a message or recipients"));
    if (manager.jobs >= settings_.job_limit)
        return manager.channel->fail(util::invalid("more jobs than were asked for"));
    begin(manager, job.take());
}

// A job whose packet was cut has no message: it is deferred.
void Agent::begin(Manager& manager, ipc::Job job)
{
    auto active = std::make_shared<ActiveJob>();
    active->manager = manager.id;
    active->left = job.recipients.size();
    active->received = util::wall_now();
    active->job = std::move(job);
    ++manager.jobs;
    if (!active->job.message.valid())
        return fail_all(active, ipc::cut_error());
    auto loaded = load_message(active->job.message.get(), active->envelope);
    if (!loaded.ok())
        return fail_all(active, loaded.error());
    *active->message = loaded.take();
    active->job.message.reset();   // its last use: qmgr's lock on it is qmgr's
    for (const ipc::JobRecipient& recipient : active->job.recipients)
        begin(active, recipient);
}

void Agent::fail_all(const std::shared_ptr<ActiveJob>& job, const util::Error& error)
{
    util::log::warning(job->job.queue_id, ": ", error.text);
    for (const ipc::JobRecipient& recipient : job->job.recipients) {
        WorkId id = next_id_++;
        Work& work = works_[id];
        work.job = job;
        work.recipient = &recipient;
        work.began = util::now();
        work.open = 1;
        close(id, recipient.recipient.address,
              status_of(ipc::Disposition::Deferred, "4.3.0", util::concat("queue file: ", error.text)));
    }
}

// --- the end of a delivery ---------------------------------------------------------------------------

void Agent::finish(DeliveryId id, ipc::DeliveryStatus status)
{
    auto node = deliveries_.extract(id);
    if (!node)
        return;
    Delivery& delivery = node.mapped();
    Work& work = works_[delivery.work];
    if (delivery.blamed && status.disposition == ipc::Disposition::Deferred)
        work.deaths = std::max(work.deaths, delivery.deaths);
    close(delivery.work, delivery.end.address, std::move(status));
}

void Agent::finish(WorkId id)
{
    auto node = works_.extract(id);
    Work& work = node.mapped();
    report(work);
    if (--work.job->left == 0) {
        auto manager = managers_.find(work.job->manager);
        if (manager != managers_.end())
            --manager->second.jobs;
    }
    if (done_ && works_.empty())
        std::exchange(done_, {})();
}

void Agent::log(const Work& work, const std::string& address, const ipc::DeliveryStatus& status) const
{
    const ipc::Recipient& recipient = work.recipient->recipient;
    util::Instant now = util::now();
    util::Instant handed = work.handed ? work.handed_over : now;
    std::string_view original = original_address(recipient);
    if (original.empty() && address != recipient.address)
        original = recipient.address;
    util::log::info(ipc::delivery_line(work.job->job,
                                       {.address = address,
                                        .original = original,
                                        .received = work.job->received,
                                        .connection = handed - work.began,
                                        .transmission = now - handed},
                                       status));
}

void Agent::report(Work& work)
{
    ipc::Channel* channel = channel_of(work.job->manager);
    if (!channel)
        return;
    util::Instant now = util::now();
    util::Instant handed = work.handed ? work.handed_over : now;
    ipc::Outcome outcome;
    outcome.job = work.job->job.job;
    outcome.index = work.recipient->index;
    outcome.deaths = work.deaths;
    outcome.connection_delay = (handed - work.began).count();
    outcome.transmission_delay = (now - handed).count();
    outcome.expanded = work.expansion && work.expansion->expanded();
    outcome.pass_to = work.pass_to;
    if (work.status.disposition == ipc::Disposition::Bounced)
        outcome.return_to = work.return_to;
    outcome.status = std::move(work.status);
    // RFC 3461 §5.2.7: a mailing list has it; of an alias for several the sender hears that, once; what
    // one address stands for tells by itself.
    if (outcome.status.disposition == ipc::Disposition::Delivered && outcome.expanded && !work.mailing_list) {
        bool passed_on = work.ends == 1 && outcome.status.text.starts_with("forwarded as ");
        outcome.status.action = work.ends > 1 ? ipc::action_expanded : passed_on ? ipc::action_none : std::string_view();
    }
    channel->send(outcome);
}

void Agent::stop(std::function<void()> done)
{
    // What was ordered already is done; what comes later has not begun.
    std::vector<std::uint64_t> all;
    for (auto& entry : managers_)
        all.push_back(entry.first);
    for (std::uint64_t id : all) {
        if (ipc::Channel* channel = channel_of(id))
            channel->stop_receiving();
    }
    done_ = std::move(done);
    if (works_.empty())
        std::exchange(done_, {})();
}

// --- mailboxes ---------------------------------------------------------------------------------------

void Agent::fill(DeliveryId id, ipc::Deliver& order)
{
    Delivery& delivery = deliveries_[id];
    Work& work = works_[delivery.work];
    ActiveJob& job = *work.job;
    work.handed_over = util::now();
    work.handed = true;
    order.queue_id = job.job.queue_id;
    order.recipient = delivery.end.address;
    order.arrival = job.job.arrival;
    order.prefix = trace_prefix(delivery.end.origin.sender,
                                settings_.add_original ? original_address(work.recipient->recipient) : std::string_view(),
                                delivery.end.origin.delivered_to);
    order.size = job.message->size;
    // Lent for the time of sending: sent() takes them back.
    order.content = std::move(job.message->content);
    order.message = std::move(job.message->shared);
}

void Agent::sent(DeliveryId id, ipc::Deliver& order)
{
    Message& message = *works_[deliveries_[id].work].job->message;
    message.content = std::move(order.content);
    message.shared = std::move(order.message);
}

void Agent::stored(DeliveryId id)
{
    Work& work = works_[deliveries_[id].work];
    // Where others take part it is not done yet; and the second try tells nothing new.
    if (work.ends > 1 || std::exchange(work.stored, true) || !work.job->job.tell_stored)
        return;
    if (ipc::Channel* channel = channel_of(work.job->manager)) {
        ipc::StoredNotice notice;
        notice.job = work.job->job.job;
        notice.index = work.recipient->index;
        channel->send(notice);
    }
}

void Agent::durable(DeliveryId id)
{
    finish(id, status_of(ipc::Disposition::Delivered, "2.0.0", "delivered to mailbox"));
}

void Agent::refused(DeliveryId id, const ipc::DeliveryRefused& refusal)
{
    bool permanent = refusal.permanent;
    std::string dsn = refusal.dsn;
    if (dsn == "5.2.2" && settings_.over_quota_defer) {
        permanent = false;
        dsn = "4.2.2";
    }
    finish(id, status_of(permanent ? ipc::Disposition::Bounced : ipc::Disposition::Deferred, dsn, refusal.text));
}

void Agent::unavailable(DeliveryId id, bool permanent, std::string_view why)
{
    // The account is there, so what is permanent is a mistake of the administrator's: mail waits.
    finish(id, status_of(ipc::Disposition::Deferred, permanent ? "4.3.5" : "4.3.0",
                         util::concat("mailbox unavailable: ", why)));
}

void Agent::lost(DeliveryId id, Blame blame)
{
    Delivery& delivery = deliveries_[id];
    delivery.deaths += blame != Blame::None;
    delivery.alone |= blame == Blame::Alone;
    delivery.blamed |= delivery.deaths >= max_deaths;
    if (blame == Blame::Shared)
        return;   // its turn comes
    if (blame == Blame::Alone && delivery.blamed)
        return finish(id, status_of(ipc::Disposition::Deferred, "4.3.0",
                                    "the mailbox process ended twice while it worked on this message"));
    if (!std::exchange(delivery.retried, true))
        return mailboxes_.deliver(delivery.end.account, id);
    // On a busy machine the second try meets the process that is just ending: this tells nothing, and
    // the first death would be forgotten each time.
    delivery.blamed |= delivery.alone;
    finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", "the mailbox process went away before the message was durable"));
}

}  // namespace local
