// From jobs to outcomes.
#include "local/agent.h"

#include "libutil/log.h"

#include <algorithm>

namespace local {

namespace {

constexpr std::string_view relay = "local";
constexpr std::uint32_t max_deaths = 2;   // of mailbox processes over one message

ipc::DeliveryStatus status_of(ipc::Disposition disposition, std::string_view dsn, std::string text)
{
    ipc::DeliveryStatus status;
    status.disposition = disposition;
    status.dsn = dsn;
    status.text = std::move(text);
    status.relay = relay;
    return status;
}

std::string_view name_of(ipc::Disposition disposition, bool verify)
{
    if (verify)
        return disposition == ipc::Disposition::Delivered ? "deliverable" : "undeliverable";
    switch (disposition) {
    case ipc::Disposition::Delivered: return "sent";
    case ipc::Disposition::Deferred: return "deferred";
    case ipc::Disposition::Bounced: return "bounced";
    }
    return "unknown";
}

// The address of "rfc822;address", as far as it differs from the recipient's own.
std::string_view original_address(const ipc::Recipient& recipient)
{
    auto [type, address] = util::split_first(recipient.original, ';');
    bool is_address = util::equal_nocase(type, "rfc822") || util::equal_nocase(type, "utf-8");
    return is_address && address != recipient.address ? address : std::string_view();
}

}  // namespace

Agent::Agent(util::EventLoop& loop, AgentSettings settings, FindAccount find_account)
    : loop_(loop), settings_(std::move(settings)), find_account_(std::move(find_account)),
      mailboxes_(loop, settings_.usher_socket, settings_.connection_limit, settings_.timeout, *this)
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
    auto message = load_message(active->job.message.get());
    if (!message.ok())
        return fail_all(active, message.error());
    active->message = message.take();
    active->job.message.reset();   // its last use: qmgr's lock on it is qmgr's
    for (const ipc::JobRecipient& recipient : active->job.recipients)
        begin(active, recipient);
}

void Agent::fail_all(const std::shared_ptr<ActiveJob>& job, const util::Error& error)
{
    util::log::warning(job->job.queue_id, ": ", error.text);
    for (const ipc::JobRecipient& recipient : job->job.recipients) {
        DeliveryId id = next_id_++;
        Delivery& delivery = deliveries_[id];
        delivery.job = job;
        delivery.recipient = &recipient;
        delivery.began = util::now();
        finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", util::concat("queue file: ", error.text)));
    }
}

void Agent::begin(const std::shared_ptr<ActiveJob>& job, const ipc::JobRecipient& recipient)
{
    DeliveryId id = next_id_++;
    Delivery& delivery = deliveries_[id];
    delivery.job = job;
    delivery.recipient = &recipient;
    delivery.began = util::now();
    const std::string& address = recipient.recipient.address;
    // RFC 5321 §6.3: loops.  The text is Postfix's, which people search their logs for.
    if (job->message.was_delivered_to(address))
        return finish(id, status_of(ipc::Disposition::Bounced, "5.4.6",
                                    util::concat("mail forwarding loop for ", util::printable(address, 320))));
    auto account = find_account_(address);
    if (!account.ok()) {
        if (account.error().kind == util::Kind::NotFound)
            return finish(id, status_of(ipc::Disposition::Bounced, "5.1.1",
                                        util::concat("unknown user: \"", util::printable(address, 320), "\"")));
        return finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", account.error().text));
    }
    if (job->job.verify)
        return finish(id, status_of(ipc::Disposition::Delivered, "2.0.0", util::concat("delivers to the mailbox of ", *account)));
    delivery.account = account.take();
    mailboxes_.deliver(delivery.account, id);
}

// --- the end of a delivery ---------------------------------------------------------------------------

void Agent::finish(DeliveryId id, ipc::DeliveryStatus status, bool destination_failed)
{
    auto found = deliveries_.find(id);
    if (found == deliveries_.end())
        return;
    Delivery delivery = std::move(found->second);
    deliveries_.erase(found);
    report(delivery, std::move(status), destination_failed);
    if (--delivery.job->left == 0) {
        auto manager = managers_.find(delivery.job->manager);
        if (manager != managers_.end())
            --manager->second.jobs;
    }
    if (done_ && deliveries_.empty())
        std::exchange(done_, {})();
}

// The log line has Postfix's order; the four delays are: before the queue manager, in it, getting
// to the mailbox, and the delivery itself.
void Agent::report(const Delivery& delivery, ipc::DeliveryStatus status, bool destination_failed)
{
    const ipc::Job& job = delivery.job->job;
    auto since_1970 = [](util::WallTime time) { return time.time_since_epoch().count(); };
    util::Instant now = util::now();
    ipc::Outcome outcome;
    outcome.job = job.job;
    outcome.index = delivery.recipient->index;
    outcome.destination_failed = destination_failed;
    if (delivery.blamed && status.disposition == ipc::Disposition::Deferred)
        outcome.deaths = delivery.deaths;
    util::Instant handed = delivery.handed ? delivery.handed_over : now;
    outcome.connection_delay = (handed - delivery.began).count();
    outcome.transmission_delay = (now - handed).count();

    util::Duration total(since_1970(util::wall_now()) - job.arrival);
    util::Duration before(job.activated - job.arrival);
    util::Duration queued(since_1970(delivery.job->received) - job.activated);
    std::string_view original = original_address(delivery.recipient->recipient);
    std::string line =
        util::concat(job.queue_id, ": to=<", util::printable(delivery.recipient->recipient.address, 320), ">");
    if (!original.empty())
        util::append(line, ", orig_to=<", util::printable(original, 320), ">");
    util::append(line, ", relay=", status.relay, ", delay=", util::format_delay(total),
                 ", delays=", util::format_delay(before), "/", util::format_delay(queued), "/",
                 util::format_delay(util::Duration(outcome.connection_delay)), "/",
                 util::format_delay(util::Duration(outcome.transmission_delay)), ", dsn=", status.dsn,
                 ", status=", name_of(status.disposition, job.verify), " (", util::printable(status.text, 500), ")");
    util::log::info(line);
    outcome.status = std::move(status);
    if (ipc::Channel* channel = channel_of(delivery.job->manager))
        channel->send(outcome);
}

void Agent::stop(std::function<void()> done)
{
    for (auto& entry : managers_)
        entry.second.channel->pause(true);
    done_ = std::move(done);
    if (deliveries_.empty())
        std::exchange(done_, {})();
}

// --- mailboxes ---------------------------------------------------------------------------------------

void Agent::fill(DeliveryId id, ipc::Deliver& order)
{
    Delivery& delivery = deliveries_[id];
    ActiveJob& job = *delivery.job;
    delivery.handed_over = util::now();
    delivery.handed = true;
    const ipc::Recipient& recipient = delivery.recipient->recipient;
    order.queue_id = job.job.queue_id;
    order.recipient = recipient.address;
    order.arrival = job.job.arrival;
    order.prefix = trace_prefix(job.job.sender, settings_.add_original ? original_address(recipient) : std::string_view(),
                                recipient.address);
    order.size = job.message.size;
    // Lent for the time of sending: sent() takes them back.
    order.content = std::move(job.message.content);
    order.message = std::move(job.message.shared);
}

void Agent::sent(DeliveryId id, ipc::Deliver& order)
{
    Message& message = deliveries_[id].job->message;
    message.content = std::move(order.content);
    message.shared = std::move(order.message);
}

void Agent::stored(DeliveryId id)
{
    Delivery& delivery = deliveries_[id];
    if (std::exchange(delivery.stored, true))
        return;   // the second try
    if (ipc::Channel* channel = channel_of(delivery.job->manager)) {
        ipc::StoredNotice notice;
        notice.job = delivery.job->job.job;
        notice.index = delivery.recipient->index;
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
        return finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", "the mailbox process ended twice while it worked on this message"));
    if (!std::exchange(delivery.retried, true))
        return mailboxes_.deliver(delivery.account, id);
    // On a busy machine the second try meets the process that is just ending: this tells nothing, and
    // the first death would be forgotten each time.
    delivery.blamed |= delivery.alone;
    finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", "the mailbox process went away before the message was durable"));
}

}  // namespace local
