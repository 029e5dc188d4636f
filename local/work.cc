// Agent: what a recipient becomes, and what becomes of that.
#include "local/agent.h"
#include "local/status.h"

#include <algorithm>

namespace local {

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
    if (work.job->job.verify)
        return tell_ends(id, std::move(ends));
    work.ends = ends.size();
    for (const End& end : ends) {
        work.open += end.kind != End::Kind::Forward;
        work.mailing_list |= end.origin.is_mailing_list;
        if (end.origin.is_mailing_list)
            work.return_to = end.origin.sender;
    }
    std::erase_if(ends, [&](End& end) {
        bool forward = end.kind == End::Kind::Forward;
        if (forward)
            work.forwards.push_back(std::move(end));
        return forward;
    });
    if (work.ends == 0) {
        work.open = 1;
        return close(id, work.recipient->recipient.address,
                     status_of(ipc::Disposition::Deferred, "4.3.0", "the alias leads nowhere"));
    }
    if (ends.empty())
        return conclude(id);
    // An answer may come from within; the last one ends the work.
    for (End& end : ends)
        serve(id, std::move(end));
}

// sendmail -bv: what would be done, and nothing else.
void Agent::tell_ends(WorkId id, std::vector<End> ends)
{
    works_[id].open = ends.size();
    for (End& end : ends) {
        ipc::DeliveryStatus status = status_of(ipc::Disposition::Delivered, "2.0.0", "");
        switch (end.kind) {
        case End::Kind::Account: status.text = util::concat("delivers to the mailbox of ", end.account); break;
        case End::Kind::Forward: status.text = util::concat("forwards to ", end.address); break;
        case End::Kind::Pass: status.text = util::concat("goes to the transport ", end.account); break;
        case End::Kind::Errand: status.text = "delivers to a command, a file or a mailbox of the system's"; break;
        case End::Kind::Failure: status = std::move(end.status); break;
        }
        std::string address = end.address.empty() ? works_[id].recipient->recipient.address : std::move(end.address);
        close(id, address, std::move(status));
    }
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
            return other.front().origin.sender == end.origin.sender &&
                   other.front().origin.delivered_to == end.origin.delivered_to &&
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
    order.envelope.requiretls = job.envelope.requiretls;   // RFC 8689 §6
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
        order.recipients.push_back({.address = end.address, .original = first, .notify = notify, .forwarded = true});
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
            status =
                status_of(ipc::Disposition::Bounced, "5.3.0", util::concat("cannot be forwarded: ", queue_id.error().text));
        else
            status = status_of(ipc::Disposition::Deferred, "4.3.0",
                               util::concat("cannot be forwarded now: ", queue_id.error().text));
        Work& sent = works_[id];
        note(sent, sent.recipient->recipient.address, std::move(status));
        if (--sent.open == 0)
            finish(id);
    });
}

// --- statuses ----------------------------------------------------------------------------------------

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
    if (settings_.filter)
        settings_.filter(address, status);
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

}  // namespace local
