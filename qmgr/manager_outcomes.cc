// Manager: what agents say, agents that end or are not there.
#include "qmgr/manager.h"

#include "libipc/delivery_log.h"
#include "libmail/dsn_status.h"
#include "libutil/log.h"

#include <algorithm>

namespace qmgr {

namespace {

constexpr unsigned max_deaths = 2;
// Messages that are deferred between two rounds of events.
constexpr std::size_t deferral_budget = 200;
constexpr std::string_view too_many_deaths = "two delivery processes ended while they worked on it";

// The line of a recipient whose fate no agent has decided.
void log_recipient(const Message& message, const ipc::Recipient& recipient, ipc::DeliveryStatus status)
{
    ipc::Job job;
    job.queue_id = message.id;
    job.arrival = message.envelope.arrival;
    job.activated = message.activated;
    job.verify = message.verifies();
    status.relay = "none";
    util::log::info(ipc::delivery_line(job,
                                       {.address = recipient.address,
                                        .original = ipc::original_address(recipient),
                                        .received = util::wall_now()},
                                       status));
}

}  // namespace

void Manager::decide(Message& message, std::uint32_t index, ipc::DeliveryStatus status, bool log)
{
    MessageRecipient& recipient = message.recipients[index];
    if (*config_.soft_bounce && status.disposition == ipc::Disposition::Bounced) {
        status.disposition = ipc::Disposition::Deferred;
        status.dsn = mail::with_class(status.dsn, 400);
        if (!log)  // the agent has logged what it thinks
            util::log::info(message.id, ": to=<", recipient.entry.recipient.address, ">, status=SOFTBOUNCE (",
                            util::printable(status.text), ")");
    }
    if (log)
        log_recipient(message, recipient.entry.recipient, status);
    switch (status.disposition) {
    case ipc::Disposition::Delivered:
        recipient.state = Message::State::Delivered;
        break;
    case ipc::Disposition::Deferred:
        recipient.state = Message::State::Deferred;
        break;
    case ipc::Disposition::Bounced:
        recipient.state = Message::State::Bounced;
        break;
    }
    take_out(message, 1);
    if (!message.verifies())
        ++counters_.deliveries[static_cast<std::size_t>(status.disposition)];
    recipient.status = std::make_unique<ipc::DeliveryStatus>(std::move(status));
    if (!message.named)
        return;
    // The last thing to be known of a message that is all delivered is its removal.
    bool over = message.outstanding == 0 && recipient.state == Message::State::Delivered && message.recipients.size() == 1 &&
                !owes_success(message, recipient);
    if (over)
        return;
    if (recipient.state == Message::State::Delivered)
        mark(message, recipient);
    tell(message, {queue::StoryEntry::Kind::Attempt, wall_microseconds(), index, *recipient.status, ""});
}

void Manager::defer_recipient(Message& message, std::uint32_t index, std::string_view dsn, std::string_view text)
{
    ipc::DeliveryStatus status;
    status.dsn = dsn;
    status.text = text;
    status.relay = "none";
    decide(message, index, std::move(status), true);
}

void Manager::stored(const ipc::StoredNotice& notice)
{
    auto found = flights_.find(notice.job);
    if (found == flights_.end() || found->second.unstored == 0)
        return;
    if (--found->second.unstored > 0)
        return;
    scheduler_.release(notice.job);
    dispatch();
}

void Manager::outcome(ipc::Outcome& result)
{
    auto found = flights_.find(result.job);
    if (found == flights_.end()) {
        notice_outcome(result);
        return dispatch();
    }
    Flight& flight = found->second;
    auto place = std::find(flight.pending.begin(), flight.pending.end(), result.index);
    if (place == flight.pending.end()) {
        util::log::warning("transport ", flight.transport, ": an outcome for a recipient that it was not given");
        return;
    }
    flight.pending.erase(place);
    flight.delivered |= result.status.disposition == ipc::Disposition::Delivered;
    if (result.destination_failed && result.status.disposition == ipc::Disposition::Deferred) {
        flight.destination_failed = true;
        flight.reason = result.status.text;
    }
    bool over = flight.pending.empty();
    MessageNumber number = flight.message;
    Message* message = find_number(number);
    CHECK(message);
    ++counters_.answered;
    std::int64_t stages[] = {message->activated - message->envelope.arrival,
                             wall_microseconds() - message->activated - result.connection_delay - result.transmission_delay,
                             result.connection_delay, result.transmission_delay};
    for (std::size_t i = 0; i < counters_.delays.size(); ++i)
        counters_.delays[i] += static_cast<std::uint64_t>(std::max<std::int64_t>(stages[i], 0));
    // Deaths behind the agent: it has found out already that no other message is to blame.
    for (std::uint32_t i = 0; i < std::min(result.deaths, max_deaths); ++i) {
        ++message->deaths;
        if (message->named)
            tell(*message, {queue::StoryEntry::Kind::Died, wall_microseconds(), result.index, {}, flight.transport});
    }
    message->expanded |= result.expanded;
    bool passed_on = pass_on(*message, result);
    message->recipients[result.index].return_to = std::move(result.return_to);
    if (!passed_on)
        decide(*message, result.index, std::move(result.status), !result.pass_to.empty());
    if (result.deaths > 0 && message->deaths >= max_deaths && !message->abandoned)
        hold_for_deaths(*message);
    if (over)
        end_flight(result.job, flight.destination_failed ? Scheduler::Result::DestinationFailed
                               : flight.delivered        ? Scheduler::Result::Delivered
                                                         : Scheduler::Result::Neither);
    if (message = find_number(number); message && passed_on)
        route(*message, {result.index});
    // Others' fates may have ended this one.
    if (message = find_number(number); message)
        settle(*message);
    dispatch();
}

// A transport may pass a recipient on to another, once.
bool Manager::pass_on(Message& message, ipc::Outcome& result)
{
    MessageRecipient& recipient = message.recipients[result.index];
    if (result.pass_to.empty() || message.abandoned)
        return false;
    if (!recipient.pass_to.empty()) {
        result.status.disposition = ipc::Disposition::Deferred;
        result.status.dsn = "4.3.5";
        result.status.relay = "none";
        result.status.text = util::concat("passed on to ", util::printable(recipient.pass_to, 100), ", and from there to ",
                                          util::printable(result.pass_to, 100));
        return false;
    }
    recipient.pass_to = std::move(result.pass_to);
    recipient.state = Message::State::Waiting;
    return true;
}

void Manager::end_flight(ipc::JobId job, Scheduler::Result result)
{
    auto node = flights_.extract(job);
    Flight& flight = node.mapped();
    agents_.finished(job);
    if (Message* message = find_number(flight.message))
        --message->flights;
    auto withdrawn = scheduler_.finish(job, result, flight.reason, util::now());
    defer_withdrawn(withdrawn, "4.4.1", util::concat("delivery temporarily suspended: ", flight.reason));
    stop_when_idle();
}

void Manager::defer_withdrawn(std::vector<Withdrawn> withdrawn, std::string_view dsn, std::string_view text)
{
    if (withdrawn.empty())
        return;
    suspended_.push_back({std::move(withdrawn), std::string(dsn), std::string(text)});
    defer_slice();
}

// Twenty thousand messages for a destination that has just died are not deferred in one go: others' mail would wait.
void Manager::defer_slice()
{
    if (deferring_ || stopped_)
        return;
    deferring_ = true;
    for (std::size_t budget = deferral_budget; budget > 0 && !suspended_.empty(); --budget) {
        Suspended& batch = suspended_.front();
        Withdrawn item = std::move(batch.items[batch.next++]);
        if (Message* message = find_number(item.message)) {
            for (std::uint32_t index : item.recipients)
                defer_recipient(*message, index, batch.dsn, batch.text);
            settle(*message);
        }
        if (batch.next == batch.items.size())
            suspended_.pop_front();
    }
    deferring_ = false;
    if (!suspended_.empty())
        suspended_timer_.start(0s);
}

// A notice is written: what it had no room for goes into another one.
void Manager::order_the_next(Message& message, const Notice& notice)
{
    switch (notice.kind) {
    case ipc::Notify::Kind::Failure:
        message.notified = false;   // others may have to hear of other failures, too
        break;
    case ipc::Notify::Kind::Delay:
        message.warned = !notice.more;
        message.delay_told = !notice.more;
        break;
    case ipc::Notify::Kind::Success:
        message.success_told = !notice.more;
        break;
    case ipc::Notify::Kind::Report:
        message.report_ordered = !notice.more;
        message.reported_to = notice.recipients.empty() ? 0 : notice.recipients.back() + 1;
        break;
    }
}

void Manager::notice_outcome(ipc::Outcome& result)
{
    auto node = notices_.extract(result.job);
    if (node.empty())
        return;
    agents_.finished(result.job);
    Notice& notice = node.mapped();
    Message* message = find_number(notice.message);
    CHECK(message);
    message->notifying = false;
    bool told = result.status.disposition == ipc::Disposition::Delivered;
    if (!told)
        util::log::warning(message->id, ": a notice could not be written: ", util::printable(result.status.text));
    if (told)
        order_the_next(*message, notice);
    for (std::uint32_t index : notice.recipients) {
        MessageRecipient& recipient = message->recipients[index];
        if (!told || notice.kind == ipc::Notify::Kind::Report)
            continue;
        if (notice.kind == ipc::Notify::Kind::Delay) {
            recipient.warned = true;
            tell(*message, {queue::StoryEntry::Kind::Warned, wall_microseconds(), index, {}, ""});
            continue;
        }
        recipient.told = true;
        recipient.state = Message::State::Finished;
        mark(*message, recipient);
        tell(*message, {queue::StoryEntry::Kind::Notified, wall_microseconds(), index, {}, ""});
    }
    if (told && notice.kind == ipc::Notify::Kind::Report && !notice.more) {
        message->reported = true;
        tell(*message, {queue::StoryEntry::Kind::Reported, wall_microseconds(), {}, {}, ""});
    }
    settle(*message);
    stop_when_idle();
}

void Manager::hold_for_deaths(Message& message)
{
    message.hold = true;
    message.reason = too_many_deaths;
    take_out(message, scheduler_.withdraw(message.number).size());
}

// Two agents ended with this message in hand: it is held.  The first time it is tried again.
void Manager::lost(const std::string& transport, const std::vector<ipc::JobId>& jobs, Agents::Loss loss)
{
    // Agents that are told to end at the same time may leave what they have not begun.
    bool innocent = loss == Agents::Loss::Innocent || stopped_;
    bool alone = loss != Agents::Loss::Shared;
    for (ipc::JobId job : jobs) {
        if (notices_.contains(job)) {
            ipc::Outcome failed;
            failed.job = job;
            failed.status.text = "the bounce service ended";
            notice_outcome(failed);
            continue;
        }
        auto node = flights_.extract(job);
        if (node.empty())
            continue;
        Flight& flight = node.mapped();
        auto withdrawn = scheduler_.finish(job, Scheduler::Result::Neither, "", util::now());
        Message* message = find_number(flight.message);
        CHECK(message);
        --message->flights;
        message->deaths += !innocent;
        if (message->named && !innocent)
            tell(*message, {queue::StoryEntry::Kind::Died, wall_microseconds(), {}, {}, transport});
        if (message->abandoned || stopped_) {
            take_out(*message, flight.pending.size());
        } else if (message->deaths >= max_deaths && alone && !innocent) {
            hold_for_deaths(*message);
            take_out(*message, flight.pending.size());
        } else {
            for (std::uint32_t index : flight.pending)
                message->recipients[index].state = Message::State::Waiting;
            if (alone)
                route(*message, flight.pending);
            else
                quarantine_[transport].push_back(
                    {message->number,
                     router_for(*message)(message->recipients[flight.pending.front()].entry.recipient, message->envelope.sender)
                         .nexthop,
                     flight.pending});
        }
        if (!message->ruled && !message->abandoned)
            rule(*message, ipc::Ruling::Kind::Keep);
        settle(*message);
    }
    dispatch();
    stop_when_idle();
}

void Manager::unavailable(const std::string& transport, const util::Error& error)
{
    util::log::warning("transport ", transport, ": ", error.text);
    if (transport == bounce_service) {
        auto waiting = std::move(waiting_notices_);
        waiting_notices_.clear();
        for (ipc::JobId job : waiting) {
            ipc::Outcome failed;
            failed.job = job;
            failed.status.text = "the bounce service is unavailable";
            notice_outcome(failed);
        }
        return;
    }
    constexpr std::string_view reason = "mail transport unavailable";
    down_[transport] = {util::now() + *config_.transport_retry_time, std::string(reason)};
    defer_withdrawn(scheduler_.withdraw_transport(transport), "4.3.0", reason);
    if (auto suspects = quarantine_.extract(transport); !suspects.empty()) {
        for (const Quarantined& suspect : suspects.mapped())
            defer_withdrawn({Withdrawn{suspect.message, suspect.recipients}}, "4.3.0", reason);
    }
}

}  // namespace qmgr
