// Manager: the commit race with cleanup(8).
#include "qmgr/manager.h"

#include "libqueue/queue_id.h"
#include "libutil/log.h"

namespace qmgr {

namespace {

// A long list is not delivered within the time of a race.
constexpr std::size_t max_racing_recipients = 100;

}  // namespace

void Manager::add_cleaner(util::UniqueFd fd, std::function<void()> gone)
{
    auto cleaner = std::make_unique<Cleaner>();
    Cleaner* raw = cleaner.get();
    raw->number = next_cleaner_++;
    raw->gone = std::move(gone);
    raw->channel = std::make_unique<ipc::Channel>(
        loop_, std::move(fd),
        ipc::Channel::Events{.received = [this, raw](ipc::Packet& packet) { received(*raw, packet); },
                             .closed = [this, raw](const util::Error&) { cleaner_closed(*raw); }});
    cleaners_.emplace(raw->number, std::move(cleaner));
}

void Manager::received(Cleaner& cleaner, ipc::Packet& packet)
{
    auto name = packet.name();
    if (name == ipc::Offer::message_name) {
        auto offer = packet.cut ? ipc::decode_cut<ipc::Offer>(packet) : ipc::decode<ipc::Offer>(packet);
        if (!offer)
            return cleaner.channel->fail(offer.take_error());
        offered(cleaner, *offer, packet.cut);
    } else if (name == ipc::Named::message_name) {
        auto message = ipc::decode<ipc::Named>(packet);
        if (!message || !queue::is_queue_id(message->queue_id))
            return cleaner.channel->fail(util::invalid("a wrong queue id"));
        auto found = by_id_.find(message->queue_id);
        if (found != by_id_.end())
            named(*found->second);
        else if (has_room())
            import(message->queue_id, queue::Place::Incoming);
        else
            overflow_ = true;
    } else if (name == ipc::NotNamed::message_name) {
        auto message = ipc::decode<ipc::NotNamed>(packet);
        if (!message)
            return cleaner.channel->fail(message.take_error());
        if (!queue::is_queue_id(message->queue_id))
            return cleaner.channel->fail(util::invalid("a wrong queue id"));
        auto found = by_id_.find(message->queue_id);
        if (found != by_id_.end() && !found->second->named) {
            // A name that cleanup could give but not sync, nor take back.
            if (auto gone = directory_.remove(queue::Place::Incoming, message->queue_id); gone)
                util::log::info(message->queue_id, ": removed, since it could not be kept");
            not_named(*found->second);
        }
    } else {
        return cleaner.channel->fail(util::invalid(util::concat("an unexpected message ", util::printable(name, 40))));
    }
    dispatch();
}

void Manager::offered(Cleaner& cleaner, ipc::Offer& offer, bool cut)
{
    if (!queue::is_queue_id(offer.queue_id) || by_id_.contains(offer.queue_id))
        return cleaner.channel->fail(util::invalid("an offer with a wrong queue id"));
    auto keep_unread = [&] {
        ipc::Ruling ruling;
        ruling.queue_id = offer.queue_id;
        cleaner.channel->send(ruling);
    };
    if (!has_room()) {
        overflow_ = true;
        return keep_unread();
    }
    // Kept, it has a name by which it is found when a descriptor is free for it.
    if (cut) {
        (void)short_of_files(ipc::cut_error());
        return keep_unread();
    }
    if (!offer.message.valid())
        return cleaner.channel->fail(util::invalid("an offer without its message"));
    auto reader = queue::Reader::open(offer.message.get(), queue::Check::Envelope);
    if (!reader) {
        // Named, it will be looked at again, and set aside if it is really no good.
        util::log::warning(offer.queue_id, ": cannot read the message that cleanup offers: ", reader.error().text);
        return keep_unread();
    }
    auto fresh = std::make_unique<Message>();
    fresh->id = offer.queue_id;
    fresh->file = std::move(offer.message);
    fresh->envelope = reader->envelope();
    fresh->size = reader->content_size();
    fresh->expanded = offer.expanded || reader->summary().expanded;
    obey(*fresh, reader->summary());
    fresh->cleaner = cleaner.number;
    fresh->offered = util::now();
    for (queue::RecipientEntry& entry : reader->take_recipients())
        fresh->recipients.push_back({.entry = std::move(entry), .status = nullptr});
    add_aliases(*fresh, reader->aliases());
    Message& message = add_message(std::move(fresh));
    cleaner.messages.insert(message.number);
    // Taken for good, and never to be named: cleanup need not wait for what becomes of it.
    if (message.is_probe()) {
        rule(message, ipc::Ruling::Kind::Delivered);
        return activate(message);
    }
    if (!may_race(offer, message))
        return rule(message, ipc::Ruling::Kind::Keep);
    util::Instant end = message.offered + estimate_.wait(*config_.commit_race_time);
    if (races_.empty() || end < races_.top().first)
        race_timer_.start(end - message.offered);
    races_.emplace(end, message.number);
    activate(message);
}

// A success notification, or a report, needs the message when it is delivered already: it is kept for that.
bool Manager::may_race(const ipc::Offer& offer, const Message& message) const
{
    if (!offer.race || message.envelope.report != ipc::Report::None || stopped_ || message.hold || message.recipients.empty() ||
        message.recipients.size() > max_racing_recipients ||
        estimate_.wait(*config_.commit_race_time) <= util::Duration::zero())
        return false;
    for (const MessageRecipient& recipient : message.recipients)
        if (recipient.entry.recipient.notify & ipc::NotifySuccess)
            return false;
    return true;
}

void Manager::race_is_over()
{
    util::Instant now = util::now();
    while (!races_.empty() && races_.top().first <= now) {
        MessageNumber number = races_.top().second;
        races_.pop();
        Message* message = find_number(number);
        if (message && !message->ruled && !message->abandoned)
            rule(*message, ipc::Ruling::Kind::Keep);
    }
    // Numbers of messages that have won meanwhile stay until their time: they cost nothing.
    if (!races_.empty())
        race_timer_.start(races_.top().first - now);
}

// Decides, once.
void Manager::rule(Message& message, ipc::Ruling::Kind kind)
{
    CHECK(!message.ruled);
    message.ruled = true;
    auto found = cleaners_.find(message.cleaner);
    if (found == cleaners_.end())
        return;
    Cleaner& cleaner = *found->second;
    if (!message.is_probe())
        ++counters_.races[kind == ipc::Ruling::Kind::Delivered ? 0 : kind == ipc::Ruling::Kind::Refused ? 1 : 2];
    ipc::Ruling ruling;
    ruling.queue_id = message.id;
    ruling.kind = kind;
    if (kind == ipc::Ruling::Kind::Refused) {
        const ipc::DeliveryStatus& status = *message.recipients.front().status;
        ruling.dsn = status.dsn;
        ruling.text = status.text;
    }
    if (kind != ipc::Ruling::Kind::Keep)
        cleaner.messages.erase(message.number);
    cleaner.channel->send(ruling);
}

// The file has its name and is synced: from now on it is ours to write.
void Manager::named(Message& message)
{
    if (message.named)
        return;
    message.named = true;
    message.place = queue::Place::Incoming;
    if (auto found = cleaners_.find(message.cleaner); found != cleaners_.end())
        found->second->messages.erase(message.number);
    if (!message.active)
        return message.hold ? put_on_hold(message) : activate(message);
    if (message.expire)
        tell(message, {queue::StoryEntry::Kind::Expire, util::wall_now().time_since_epoch().count(), {}, {}, ""});
    // What was decided before there was a file.
    if (message.outstanding > 0 || message.count(Message::State::Delivered) < message.recipients.size()) {
        for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
            MessageRecipient& recipient = message.recipients[i];
            if (recipient.state == Message::State::Delivered)
                mark(message, recipient);
            if (recipient.status && !recipient.alias)
                tell(message,
                     {queue::StoryEntry::Kind::Attempt, util::wall_now().time_since_epoch().count(), i, *recipient.status, ""});
        }
        for (unsigned i = 0; i < message.deaths; ++i)
            tell(message, {queue::StoryEntry::Kind::Died, util::wall_now().time_since_epoch().count(), {}, {}, ""});
    }
    settle(message);
}

// The client was told to try again: what an agent does now is at worst a second copy.
void Manager::not_named(Message& message)
{
    if (auto found = cleaners_.find(message.cleaner); found != cleaners_.end())
        found->second->messages.erase(message.number);
    message.abandoned = true;
    take_out(message, scheduler_.withdraw(message.number).size());
    settle(message);
}

void Manager::cleaner_closed(Cleaner& cleaner)
{
    std::vector<MessageNumber> numbers(cleaner.messages.begin(), cleaner.messages.end());
    cleaner.messages.clear();
    for (MessageNumber number : numbers) {
        Message* message = find_number(number);
        if (!message || message->named)
            continue;
        // After "keep" it may have linked the file and died before it could say so.
        if (message->ruled && directory_.stat(queue::Place::Incoming, message->id).ok())
            named(*message);
        else
            not_named(*message);
    }
    auto node = cleaners_.extract(cleaner.number);
    auto gone = std::move(node.mapped()->gone);
    gone_cleaners_.push_back(std::move(node.mapped()));
    sweep_timer_.start(0s);
    gone();
    dispatch();
}

}  // namespace qmgr
