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

std::string_view name_of(ipc::Disposition disposition)
{
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
    auto job = ipc::decode<ipc::Job>(packet);
    if (!job.ok())
        return manager.channel->fail(job.take_error());
    if (!job->message.valid() || job->recipients.empty())
        return manager.channel->fail(util::invalid("a job without a message or recipients"));
    if (manager.jobs >= settings_.job_limit)
        return manager.channel->fail(util::invalid("more jobs than were asked for"));
    begin(manager, job.take());
}

void Agent::begin(Manager& manager, ipc::Job job)
{
    auto active = std::make_shared<ActiveJob>();
    active->manager = manager.id;
    active->left = job.recipients.size();
    active->received = util::wall_now();
    active->job = std::move(job);
    ++manager.jobs;
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

// --- expansion ---------------------------------------------------------------------------------------

void Agent::begin(const std::shared_ptr<ActiveJob>& job, const ipc::JobRecipient& recipient)
{
    WorkId id = next_id_++;
    Work& work = works_[id];
    work.job = job;
    work.recipient = &recipient;
    work.began = util::now();
    work.expansion = std::make_unique<Expansion>(
        settings_.rules, job->job.transport,
        [message = job->message.get()](std::string_view address) { return message->was_delivered_to(address); },
        [this, id](std::uint64_t question, const ipc::Place& place, const std::string& address) {
            errands_.read(place, address, [this, id, question](ipc::ListPart list) {
                Work& asking = works_[id];
                bool within = std::exchange(asking.walking, true);
                asking.expansion->answer(question, std::move(list));
                asking.walking = within;
                if (!within)
                    advance(id);
            });
        });
    work.walking = true;
    work.expansion->begin(recipient.recipient.address, job->job.sender);
    work.walking = false;
    advance(id);
}

// When all lists are read: what has to come again altogether, or all ends.
void Agent::advance(WorkId id)
{
    Work& work = works_[id];
    if (!work.expansion->complete())
        return;
    std::vector<End> ends = std::move(work.expansion->ends());
    auto is_deferral = [](const End& end) {
        return end.kind == End::Kind::Failure && end.status.disposition == ipc::Disposition::Deferred;
    };
    if (auto deferral = std::ranges::find_if(ends, is_deferral); deferral != ends.end()) {
        work.ends = work.open = 1;
        return close(id, work.recipient->recipient.address, std::move(deferral->status));
    }
    // The recipient itself, and nothing else: qmgr has it.
    if (ends.size() == 1 && ends.front().kind == End::Kind::Pass) {
        work.pass_to = std::move(ends.front().account);
        return finish(id);
    }
    work.ends = ends.size();
    for (const End& end : ends) {
        work.open += end.kind != End::Kind::Forward;
        work.mailing_list |= end.origin.is_mailing_list;
    }
    std::erase_if(ends, [&](End& end) {
        bool forward = end.kind == End::Kind::Forward;
        if (forward)
            work.forwards.push_back(std::move(end));
        return forward;
    });
    if (work.ends == 0) {
        work.open = 1;
        return close(id, work.recipient->recipient.address, status_of(ipc::Disposition::Deferred, "4.3.0", "the alias leads nowhere"));
    }
    if (ends.empty())
        return conclude(id);
    // An answer may come from within; the last one ends the work.
    for (End& end : ends)
        serve(id, std::move(end));
}

void Agent::serve(WorkId id, End end)
{
    if (end.kind == End::Kind::Failure) {
        std::string address = end.address.empty() ? works_[id].recipient->recipient.address : std::move(end.address);
        return close(id, address, std::move(end.status));
    }
    if (end.kind == End::Kind::Errand)
        return run_errand(id, end);
    DeliveryId number = next_id_++;
    std::string account = end.account;
    Delivery& delivery = deliveries_[number];
    delivery.work = id;
    delivery.end = std::move(end);
    mailboxes_.deliver(account, number);
}

void Agent::run_errand(WorkId id, const End& end)
{
    Work& work = works_[id];
    work.handed_over = util::now();
    work.handed = true;
    ActiveJob& job = *work.job;
    ipc::RunEntry order;
    order.place = end.origin.place;
    order.entry = end.entry;
    order.version = end.version;
    order.queue_id = job.job.queue_id;
    order.sender = end.origin.sender;
    order.recipient = end.address;
    order.delivered_to = end.origin.delivered_to;
    if (settings_.add_original) {
        order.original_recipient = original_address(work.recipient->recipient);
        if (order.original_recipient.empty())
            order.original_recipient = work.recipient->recipient.address;
    }
    order.client_name = job.envelope.client_name;
    order.client_address = job.envelope.client_address;
    order.helo_name = job.envelope.helo_name;
    order.protocol_name = job.envelope.protocol_name;
    order.sasl_method = job.envelope.sasl_method;
    order.sasl_username = job.envelope.sasl_username;
    order.size = job.message->size;
    // Lent for the time of sending.
    order.content = std::move(job.message->content);
    order.message = std::move(job.message->shared);
    auto keep = work.job;
    errands_.run(order, [this, id, address = end.address](ipc::ErrandDone done) {
        if (done.no_user)
            done.status = status_of(ipc::Disposition::Bounced, "5.1.1",
                                    util::concat("unknown user: \"", util::printable(address, 320), "\""));
        close(id, address, std::move(done.status));
    });
    keep->message->content = std::move(order.content);
    keep->message->shared = std::move(order.message);
}

// --- forwarding --------------------------------------------------------------------------------------

void Agent::conclude(WorkId id)
{
    Work& work = works_[id];
    bool comes_again = work.statuses > 0 && work.status.disposition == ipc::Disposition::Deferred;
    if (work.forwards.empty() || comes_again)
        return finish(id);
    // Last of all, so that nobody is forwarded the same twice because somebody else was deferred.
    std::vector<std::vector<End>> groups;
    for (End& end : std::exchange(work.forwards, {})) {
        auto group = std::ranges::find_if(groups, [&](const std::vector<End>& other) {
            return other.front().origin.sender == end.origin.sender && other.front().origin.delivered_to == end.origin.delivered_to &&
                   other.front().origin.is_mailing_list == end.origin.is_mailing_list;
        });
        if (group == groups.end())
            group = groups.emplace(groups.end());
        group->push_back(std::move(end));
    }
    work.open = groups.size();
    for (std::vector<End>& group : groups)
        send_on(id, std::move(group));
}

// What of the sender's wishes goes along: RFC 3461 §5.2.7.
ForwardOrder Agent::forward_order(const Work& work, const std::vector<End>& ends) const
{
    const ActiveJob& job = *work.job;
    const ipc::Recipient& original = work.recipient->recipient;
    ForwardOrder order;
    order.envelope.sender = ends.front().origin.sender;
    order.envelope.origin = ipc::Origin::Mailbox;
    order.envelope.eight_bit = job.envelope.eight_bit;
    order.envelope.smtputf8 = job.envelope.smtputf8;
    bool list = ends.front().origin.is_mailing_list;
    if (!list) {
        order.envelope.envelope_id = job.envelope.envelope_id;
        order.envelope.return_part = job.envelope.return_part;
    }
    std::uint8_t notify = list ? ipc::NotifyDefault : original.notify;
    if (work.ends > 1 && (notify & ipc::NotifySuccess)) {
        notify &= static_cast<std::uint8_t>(~ipc::NotifySuccess);
        if (notify == ipc::NotifyDefault)
            notify = ipc::NotifyNever;
    }
    // As cleanup has it for what it expands.
    std::string first = original.original;
    if (list)
        first.clear();
    else if (first.empty() && settings_.add_original)
        first = util::concat("rfc822;", original.address);
    for (const End& end : ends)
        order.recipients.push_back({.address = end.address, .original = first, .notify = notify});
    order.message = job.message;
    if (settings_.delivered_to_forward)
        order.delivered_to = ends.front().origin.delivered_to;
    return order;
}

void Agent::send_on(WorkId id, std::vector<End> ends)
{
    Work& work = works_[id];
    work.handed_over = util::now();
    work.handed = true;
    forwarder_.submit(forward_order(work, ends), [this, id](util::Result<std::string> queue_id) {
        ipc::DeliveryStatus status;
        if (queue_id.ok())
            status = status_of(ipc::Disposition::Delivered, "2.0.0", util::concat("forwarded as ", *queue_id));
        else if (queue_id.error().kind == util::Kind::Permanent)
            status = status_of(ipc::Disposition::Bounced, "5.3.0", util::concat("cannot be forwarded: ", queue_id.error().text));
        else
            status = status_of(ipc::Disposition::Deferred, "4.3.0", util::concat("cannot be forwarded now: ", queue_id.error().text));
        Work& sent = works_[id];
        note(sent, sent.recipient->recipient.address, std::move(status));
        if (--sent.open == 0)
            finish(id);
    });
}

// --- the end of a delivery ---------------------------------------------------------------------------

// One end of the work has its status.
void Agent::close(WorkId id, const std::string& address, ipc::DeliveryStatus status)
{
    Work& work = works_[id];
    note(work, address, std::move(status));
    if (--work.open == 0)
        conclude(id);
}

// The worst counts; of several failures the first is told, with whom it met.
void Agent::note(Work& work, const std::string& address, ipc::DeliveryStatus status)
{
    if (status.relay.empty())
        status.relay = relay;
    log(work, address, status);
    auto rank = [](ipc::Disposition disposition) {
        return disposition == ipc::Disposition::Deferred ? 2 : disposition == ipc::Disposition::Bounced ? 1 : 0;
    };
    bool first = work.statuses++ == 0;
    if (!first && rank(status.disposition) <= rank(work.status.disposition))
        return;
    if (status.disposition != ipc::Disposition::Delivered && address != work.recipient->recipient.address)
        status.text = util::concat(address, ": ", status.text);
    work.status = std::move(status);
}

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

// Postfix's order; the four delays are: before the queue manager, in it, getting to the mailbox, and the
// delivery itself.
void Agent::log(const Work& work, const std::string& address, const ipc::DeliveryStatus& status) const
{
    const ipc::Job& job = work.job->job;
    const ipc::Recipient& recipient = work.recipient->recipient;
    auto since_1970 = [](util::WallTime time) { return time.time_since_epoch().count(); };
    util::Instant now = util::now();
    util::Instant handed = work.handed ? work.handed_over : now;
    util::Duration total(since_1970(util::wall_now()) - job.arrival);
    util::Duration before(job.activated - job.arrival);
    util::Duration queued(since_1970(work.job->received) - job.activated);
    std::string_view original = original_address(recipient);
    if (original.empty() && address != recipient.address)
        original = recipient.address;
    std::string line = util::concat(job.queue_id, ": to=<", util::printable(address, 320), ">");
    if (!original.empty())
        util::append(line, ", orig_to=<", util::printable(original, 320), ">");
    util::append(line, ", relay=", status.relay, ", delay=", util::format_delay(total),
                 ", delays=", util::format_delay(before), "/", util::format_delay(queued), "/",
                 util::format_delay(handed - work.began), "/", util::format_delay(now - handed),
                 ", dsn=", status.dsn, ", status=", name_of(status.disposition), " (", util::printable(status.text, 500), ")");
    util::log::info(line);
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
    for (auto& entry : managers_)
        entry.second.channel->pause(true);
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
    if (work.ends > 1 || std::exchange(work.stored, true))
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
        return finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", "the mailbox process ended twice while it worked on this message"));
    if (!std::exchange(delivery.retried, true))
        return mailboxes_.deliver(delivery.end.account, id);
    // On a busy machine the second try meets the process that is just ending: this tells nothing, and
    // the first death would be forgotten each time.
    delivery.blamed |= delivery.alone;
    finish(id, status_of(ipc::Disposition::Deferred, "4.3.0", "the mailbox process went away before the message was durable"));
}

}  // namespace local
