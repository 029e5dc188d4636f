// Manager: rulings that follow from outcomes, notifications, deferral, removal.
#include "qmgr/manager.h"

#include "libutil/log.h"

#include <algorithm>
#include <fcntl.h>

namespace qmgr {

namespace {

// One order to bounce(8): what is over these goes into the next.
constexpr std::size_t max_notice_recipients = 1000;
constexpr std::size_t max_notice_bytes = 64 * 1024;   // of ipc::max_packet_size; the envelope takes its part, too
constexpr std::size_t notice_overhead = 200;          // of one recipient: the names of its fields, numbers
// Between two looks whether descriptors are free.
constexpr auto shortage_pause = std::chrono::seconds(1);

}  // namespace

// Looks what the latest news mean for a message.  It may be gone afterwards.
void Manager::settle(Message& message)
{
    if (message.abandoned) {
        if (message.flights == 0)
            forget(message);
        return;
    }
    if (!message.active)
        return;
    MessageNumber number = message.number;
    if (!message.ruled)
        settle_race(message);
    // That may have been its end.
    Message* still = find_number(number);
    if (still && still->is_probe())
        return conclude_probe(*still);
    if (!still || !still->named || still->flights > 0 || still->notifying)
        return;
    if (still->remove)
        return remove(*still);
    if (still->hold)
        return put_on_hold(*still);
    if (still->outstanding == 0)
        conclude(*still);
}

void Manager::settle_race(Message& message)
{
    using enum MessageRecipient::State;
    bool temporary = message.hold || message.remove || message.count(Deferred) > 0;
    if (message.outstanding > 0 && !temporary)
        return;
    estimate_.add(util::now() - message.offered);
    if (!temporary && message.count(Delivered) == message.recipients.size()) {
        rule(message, ipc::Ruling::Kind::Delivered);
        util::log::info(message.id, ": removed");
        return forget(message);
    }
    if (!temporary && message.count(Bounced) == message.recipients.size() && !message.expanded) {
        rule(message, ipc::Ruling::Kind::Refused);
        util::log::info(message.id, ": removed");
        return forget(message);
    }
    rule(message, ipc::Ruling::Kind::Keep);
}

// An address that is an alias for several is deliverable when one of them is.
void Manager::conclude_probe(Message& message)
{
    using enum MessageRecipient::State;
    if (message.outstanding > 0 || message.flights > 0)
        return;
    ipc::ProbeResult result;
    result.queue_id = message.id;
    result.text = "mail system is not ready";
    const ipc::DeliveryStatus* reason = nullptr;
    for (auto [state, meaning] :
         {std::pair{Delivered, ipc::Verification::Deliverable}, std::pair{Deferred, ipc::Verification::Deferred},
          std::pair{Bounced, ipc::Verification::Undeliverable}}) {
        auto first = std::ranges::find_if(message.recipients, [state = state](const MessageRecipient& recipient) {
            return recipient.state == state && !recipient.alias;
        });
        if (first == message.recipients.end() || reason)
            continue;
        reason = first->status.get();
        result.result = meaning;
    }
    if (reason)
        result.text = reason->text.substr(0, ipc::max_verification_text);
    if (probes_.report)
        probes_.report(result);
    forget(message);
}

// All recipients of a named message have had their turn.
void Manager::conclude(Message& message)
{
    using enum MessageRecipient::State;
    if (message.offered != util::Instant{}) {
        estimate_.add(util::now() - message.offered);
        message.offered = {};
    }
    std::int64_t age = wall_microseconds() - message.envelope.arrival;
    if (notify_report(message))
        return;
    if (message.verifies()) {
        bool over = message.reported || message.expire || message.envelope.sender.empty() ||
                    age >= config_.maximal_queue_lifetime->count();
        return over ? remove(message) : defer(message);
    }
    expire(message, age);
    if (notify_failures(message) || notify_success(message) || notify_delay(message, age))
        return;
    // A notice that bounce could not write is ordered again at the next attempt.
    for (const MessageRecipient& recipient : message.recipients)
        if (recipient.state != Finished && (recipient.state != Delivered || owes_success(message, recipient)))
            return defer(message);
    remove(message);
}

void Manager::expire(Message& message, std::int64_t age)
{
    bool over = message.expire || retry_rules(config_).is_over(age, message.envelope.sender.empty());
    if (!over || message.count(Message::State::Deferred) == 0)
        return;
    util::log::info(message.id, ": from=<", message.envelope.sender, ">, status=", message.expire ? "force-expired" : "expired",
                    ", returned to sender");
    ++counters_.expired;
    for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
        MessageRecipient& recipient = message.recipients[i];
        if (recipient.state != Message::State::Deferred)
            continue;
        recipient.state = Message::State::Bounced;
        if (!recipient.status)
            recipient.status = std::make_unique<ipc::DeliveryStatus>();
        recipient.status->disposition = ipc::Disposition::Bounced;
        tell(message, {queue::StoryEntry::Kind::Attempt, wall_microseconds(), i, *recipient.status, "expired"});
    }
}

// How many of them an order to bounce(8) has room for: at least one.
std::size_t Manager::fitting_notice(const Message& message, const std::vector<std::uint32_t>& recipients)
{
    std::size_t count = 0, bytes = 0;
    while (count < std::min(recipients.size(), max_notice_recipients)) {
        const MessageRecipient& recipient = message.recipients[recipients[count]];
        bytes += notice_overhead + recipient.entry.recipient.address.size() + recipient.entry.recipient.original.size();
        if (recipient.status)
            bytes += recipient.status->text.size() + recipient.status->relay.size() + recipient.status->diagnostic.size() +
                     recipient.status->remote_mta.size();
        if (count > 0 && bytes > max_notice_bytes)
            break;
        ++count;
    }
    return count;
}

void Manager::notify(Message& message, ipc::Notify::Kind kind, std::vector<std::uint32_t> recipients)
{
    message.notifying = true;
    ipc::JobId job = next_own_job_++;
    std::size_t fitting = fitting_notice(message, recipients);
    bool more = fitting < recipients.size();
    recipients.resize(fitting);
    notices_.emplace(job, Notice{message.number, kind, std::move(recipients), more});
    waiting_notices_.push_back(job);
    dispatch();
}

// Who asks for it hears of a success (RFC 3461 §4.1); so does, with confirm_delay_cleared, who was told
// of a delay.
bool Manager::owes_success(const Message& message, const MessageRecipient& recipient) const
{
    if (recipient.state != Message::State::Delivered || recipient.told || message.envelope.sender.empty())
        return false;
    if (recipient.status && recipient.status->action == ipc::action_none)
        return false;
    std::uint8_t wish = recipient.entry.recipient.notify;
    return ipc::wants(wish, ipc::Notify::Kind::Success) || (recipient.warned && *config_.confirm_delay_cleared);
}

// Members of an alias do not tell of success: the alias does, once (RFC 3461 §5.2.7.3).
void Manager::add_aliases(Message& message, const std::vector<ipc::Recipient>& aliases)
{
    for (const ipc::Recipient& alias : aliases) {
        MessageRecipient recipient;
        recipient.entry.recipient = alias;
        recipient.state = Message::State::Delivered;
        recipient.marked = recipient.alias = true;
        recipient.status = std::make_unique<ipc::DeliveryStatus>();
        recipient.status->disposition = ipc::Disposition::Delivered;
        recipient.status->dsn = "2.0.0";
        recipient.status->text = "alias expanded";
        recipient.status->action = ipc::action_expanded;
        message.recipients.push_back(std::move(recipient));
    }
}

// The sender is told of failures, unless there is none or NOTIFY says otherwise (RFC 3461 §4.1, RFC 5321
// §4.5.5), and the postmaster by notify_classes; a mailing list's owner of those that are his to hear of, each
// in turn.  True: the answer is awaited.
bool Manager::notify_failures(Message& message)
{
    auto first = std::ranges::find(message.recipients, Message::State::Bounced, &MessageRecipient::state);
    if (first == message.recipients.end())
        return false;
    const std::string return_to = first->return_to;
    const std::string& sender = return_to.empty() ? message.envelope.sender : return_to;
    ipc::NoticeClasses wanted_class = sender.empty() ? ipc::NoticeDoubleBounce : ipc::NoticeBounce;
    bool anybody = (config_.classes() & wanted_class) || !return_to.empty();
    std::vector<std::uint32_t> failed;
    for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
        const MessageRecipient& recipient = message.recipients[i];
        if (recipient.state != Message::State::Bounced || recipient.return_to != return_to)
            continue;
        failed.push_back(i);
        anybody = anybody || (!sender.empty() && ipc::wants(recipient.entry.recipient.notify, ipc::Notify::Kind::Failure));
    }
    if (config_.is_double_bounce(sender)) {
        util::log::warning(message.id, ": undeliverable postmaster notification discarded");
        anybody = false;
    }
    if (!anybody) {
        for (std::uint32_t i : failed) {
            message.recipients[i].state = Message::State::Finished;
            mark(message, message.recipients[i]);
        }
        return notify_failures(message);
    }
    if (message.notified)
        return false;
    message.notified = true;
    notify(message, ipc::Notify::Kind::Failure, std::move(failed));
    return true;
}

bool Manager::notify_success(Message& message)
{
    if (message.success_told)
        return false;
    message.success_told = true;
    std::vector<std::uint32_t> told;
    for (std::uint32_t i = 0; i < message.recipients.size(); ++i)
        if (owes_success(message, message.recipients[i]))
            told.push_back(i);
    if (told.empty())
        return false;
    notify(message, ipc::Notify::Kind::Success, std::move(told));
    return true;
}

// Once, of all recipients, whatever has become of them.  A report that cannot be written is ordered again at
// the next attempt.
bool Manager::notify_report(Message& message)
{
    if (message.envelope.report == ipc::Report::None || message.reported || message.report_ordered ||
        message.envelope.sender.empty())
        return false;
    message.report_ordered = true;
    std::vector<std::uint32_t> told;
    for (std::uint32_t i = message.reported_to; i < message.recipients.size(); ++i)
        if (!message.recipients[i].alias)
            told.push_back(i);
    notify(message, ipc::Notify::Kind::Report, std::move(told));
    return true;
}

bool Manager::notify_delay(Message& message, std::int64_t age)
{
    std::int64_t limit = config_.delay_warning_time->count();
    if (limit == 0 || age < limit || message.warned || message.delay_told || message.envelope.sender.empty() ||
        config_.is_double_bounce(message.envelope.sender))
        return false;
    message.delay_told = true;
    bool anybody = config_.classes() & ipc::NoticeDelay;
    std::vector<std::uint32_t> late;
    for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
        const MessageRecipient& recipient = message.recipients[i];
        if (recipient.state != Message::State::Deferred || recipient.warned)
            continue;
        late.push_back(i);
        anybody = anybody || ipc::wants(recipient.entry.recipient.notify, ipc::Notify::Kind::Delay);
    }
    if (late.empty() || !anybody)
        return false;
    notify(message, ipc::Notify::Kind::Delay, std::move(late));
    return true;
}

// To its place among the deferred; the next attempt follows from the file's mtime (Backoff).
void Manager::defer(Message& message)
{
    message.file.reset();   // no job needs it any more: there is one descriptor for the file that is written
    int fd = writable(message);
    if (fd < 0 && shortage_.active())
        return put_off(message);
    if (fd >= 0) {
        mark_all_done(message);
        auto moved = util::sys::touch(message.writable.get());
        if (moved && message.place != queue::Place::Deferred)
            moved = directory_.move(message.id, message.place, queue::Place::Deferred);
        if (!moved)
            util::log::warning(message.id, ": cannot be deferred, stays in ", queue::name_of(message.place), ": ",
                               moved.error().text);
    }
    forget(message);
}

void Manager::remove(Message& message)
{
    auto removed = directory_.remove(message.place, message.id);
    if (!removed && removed.error().kind != util::Kind::NotFound) {
        util::log::error(message.id, ": cannot be removed, and would be delivered again: ", removed.error().text);
        for (MessageRecipient& recipient : message.recipients)
            mark(message, recipient);
    }
    util::log::info(message.id, ": removed",
                    message.remove && message.reason != "by request" ? util::concat(" (", util::printable(message.reason), ")")
                                                                     : "");
    forget(message);
}

void Manager::put_on_hold(Message& message)
{
    message.file.reset();
    if (writable(message) < 0 && shortage_.active())
        return put_off(message);
    util::log::warning(message.id, ": placed on hold: ", message.reason, " (to look at it: terncat ", message.id,
                       "; to try again: ternsuper -H ", message.id, ")");
    mark_all_done(message);
    tell(message, {queue::StoryEntry::Kind::Held, wall_microseconds(), {}, {}, message.reason});
    if (auto moved = directory_.move(message.id, message.place, queue::Place::Hold); !moved)
        util::log::error(message.id, ": cannot be held: ", moved.error().text);
    forget(message);
}

// The named file, open for writing; -1, with a warning, when that fails.
int Manager::writable(Message& message)
{
    CHECK(message.named);
    if (!message.writable.valid()) {
        auto file = directory_.open_file(message.place, message.id, O_RDWR);
        if (!file) {
            if (!short_of_files(file.error()))
                util::log::warning(message.id, ": cannot be written to: ", file.error().text);
            return -1;
        }
        shortage_.end();
        ++counters_.opened;
        message.writable = file.take();
    }
    return message.writable.get();
}

// --- without descriptors ---------------------------------------------------------------------------

// Is it for want of a descriptor?  Then it is tried again soon.
bool Manager::short_of_files(const util::Error& error)
{
    if (!util::sys::is_descriptor_shortage(error.code))
        return false;
    shortage_.begin(error.code, "messages wait in the queue");
    if (!shortage_timer_.running())
        shortage_timer_.start(shortage_pause);
    return true;
}

// Forgotten before its file says who has it, the message would be delivered to them again.
void Manager::put_off(const Message& message) { put_off_.push_back(message.number); }

void Manager::try_again()
{
    std::vector<MessageNumber> waiting = std::exchange(put_off_, {});
    for (auto next = waiting.begin(); next != waiting.end(); ++next) {
        if (Message* message = find_number(*next))
            message->hold ? put_on_hold(*message) : defer(*message);
        if (!put_off_.empty()) {
            put_off_.insert(put_off_.end(), next + 1, waiting.end());
            break;
        }
    }
    if (!slice_timer_.running())
        slice_timer_.start(util::Duration::zero());
}

void Manager::mark(Message& message, MessageRecipient& recipient)
{
    if (recipient.marked)
        return;
    int fd = writable(message);
    if (fd < 0)
        return;
    if (auto marked = queue::mark_done(fd, recipient.entry); !marked)
        util::log::warning(message.id, ": a recipient cannot be marked as done: ", marked.error().text);
    else
        recipient.marked = true;
}

void Manager::mark_all_done(Message& message)
{
    for (MessageRecipient& recipient : message.recipients)
        if (recipient.state == Message::State::Delivered || recipient.state == Message::State::Finished)
            mark(message, recipient);
}

void Manager::tell(Message& message, const queue::StoryEntry& entry)
{
    int fd = writable(message);
    if (fd < 0)
        return;
    if (auto written = queue::append_story(fd, entry); !written)
        util::log::warning(message.id, ": a line of its story is lost: ", written.error().text);
}

}  // namespace qmgr
