// Manager: files: import, scans of incoming and deferred, changes by hand.
#include "qmgr/manager.h"

#include "libqueue/queue_id.h"
#include "libutil/log.h"

#include <algorithm>
#include <fcntl.h>

namespace qmgr {

namespace {

using namespace std::chrono_literals;

// Between two rounds of events.
constexpr std::size_t files_a_slice = 200;
// A temporary name of cleanup that old belongs to nobody.
constexpr std::int64_t litter_age = 24 * 3600;

std::int64_t mtime_microseconds(const struct stat& status)
{
    return std::int64_t(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

}  // namespace

std::int64_t Manager::next_attempt(const std::string& id, std::int64_t mtime) const
{
    return retry_rules(config_).next_attempt(queue::time_of(id), mtime);
}

void Manager::scan(queue::Place place, bool all)
{
    if (!intake_.begin(place, all))
        return;
    auto names = directory_.list(place);
    if (!names) {
        overflow_ = overflow_ || place == queue::Place::Incoming;
        if (short_of_files(names.error()))
            return;
        util::log::warning("cannot look through ", queue::name_of(place), ": ", names.error().text);
        return;
    }
    intake_.listed(place, names.take());
    if (intake_.can_go_on() && !slice_timer_.running())
        slice_timer_.start(0s);
}

// A bit of incoming and a bit of deferred, by turns: neither keeps the other out.
void Manager::scan_slice()
{
    if (overflow_ && has_room() && !intake_.running(queue::Place::Incoming)) {
        overflow_ = false;
        scan(queue::Place::Incoming, true);
    }
    bool more = scan_some(queue::Place::Incoming, files_a_slice);
    more = scan_some(queue::Place::Deferred, files_a_slice) || more;
    dispatch();
    if (shortage_timer_.running())
        return;   // it goes on then
    if (!stopped_ && intake_.can_go_on())
        slice_timer_.start(0s);
    else if (!more)
        flushing_ = false;
}

// True: there is more to do.  Stops where there is no room; forget() goes on.
bool Manager::scan_some(queue::Place place, std::size_t budget)
{
    std::int64_t now = util::wall_now().time_since_epoch().count();
    const std::string* name = nullptr;
    for (; budget > 0 && !stopped_ && (name = intake_.next(place)); --budget) {
        ++counters_.examined;
        if (!queue::is_queue_id(*name)) {
            if (place == queue::Place::Incoming)
                clear_litter(*name);
            continue;
        }
        if (by_id_.contains(*name))
            continue;
        if (!intake_.all(place)) {
            auto status = directory_.stat(place, *name);
            if (!status || next_attempt(*name, mtime_microseconds(*status)) > now)
                continue;
        }
        if (import(*name, place) == Import::NoDescriptor) {
            intake_.put_back(place);
            return true;
        }
    }
    if (!intake_.running(place) && intake_.ended(place))
        scan(place, intake_.all(place));
    return intake_.running(place);
}

void Manager::clear_litter(const std::string& name)
{
    auto status = directory_.stat(queue::Place::Incoming, name);
    if (!name.starts_with("tmp.") || !status ||
        util::unix_seconds(util::wall_now()) - status->st_mtim.tv_sec < litter_age)
        return;
    util::log::info("removing ", util::printable(name), " from incoming: it was never completed");
    (void)directory_.remove(queue::Place::Incoming, name);
}

Manager::Import Manager::import(const std::string& id, queue::Place place)
{
    auto file = directory_.open_file(place, id, O_RDONLY);
    if (!file) {
        if (short_of_files(file.error())) {
            overflow_ = overflow_ || place == queue::Place::Incoming;
            return Import::NoDescriptor;
        }
        if (file.error().kind != util::Kind::NotFound)
            util::log::warning(id, ": cannot be opened: ", file.error().text);
        return Import::Gone;
    }
    shortage_.end();
    ++counters_.opened;
    // An agent that outlived an earlier qmgr works on it: later.
    if (!util::sys::try_lock_exclusive(file->get()).value_or(false))
        return Import::NotNow;
    (void)util::sys::try_lock_shared(file->get());
    auto reader = queue::Reader::open(file->get());
    if (!reader) {
        if (reader.error().kind == util::Kind::Invalid)
            set_aside(id, place, reader.error());
        else
            util::log::warning(id, ": cannot be read: ", reader.error().text);
        return Import::Gone;
    }
    auto fresh = std::make_unique<Message>();
    fresh->id = id;
    fresh->file = file.take();
    fresh->place = place;
    fresh->envelope = reader->envelope();
    fresh->size = reader->content_size();
    fresh->expanded = reader->summary().expanded;
    fresh->ruled = fresh->named = true;
    obey(*fresh, reader->summary());
    restore_state(*fresh, *reader);
    Message& message = add_message(std::move(fresh));
    if (message.hold)
        put_on_hold(message);
    else
        activate(message);
    return Import::Taken;
}

// What a content check or an access table has ordered.
void Manager::obey(Message& message, const queue::Summary& summary)
{
    message.content_filter = summary.content_filter;
    if (summary.hold) {
        message.hold = true;
        message.reason = "by a HOLD action";
    }
}

// What earlier attempts left: who is done, whose failure nobody knows of yet, who has been warned.
void Manager::restore_state(Message& message, const queue::Reader& reader)
{
    for (const queue::RecipientEntry& entry : reader.recipients()) {
        bool done = entry.done;
        message.recipients.push_back({.entry = entry, .state = done ? Message::State::Finished : Message::State::Waiting,
                                      .marked = done, .status = nullptr});
    }
    add_aliases(message, reader.aliases());
    auto story = reader.story();
    if (!story)
        return;
    if (story->damaged > 0)
        util::log::warning(message.id, ": ", story->damaged, " lines of its story are damaged");
    for (queue::StoryEntry& entry : story->entries) {
        if (entry.kind == queue::StoryEntry::Kind::Died) {
            ++message.deaths;
        } else if (entry.kind == queue::StoryEntry::Kind::Released) {
            message.deaths = 0;
            message.hold = false;
        } else if (entry.kind == queue::StoryEntry::Kind::Expire) {
            message.expire = true;
        } else if (entry.kind == queue::StoryEntry::Kind::Warned) {
            message.warned = true;
        } else if (entry.kind == queue::StoryEntry::Kind::Reported) {
            message.reported = true;
        }
        if (!entry.recipient || *entry.recipient >= message.recipients.size())
            continue;
        MessageRecipient& recipient = message.recipients[*entry.recipient];
        recipient.warned = recipient.warned || entry.kind == queue::StoryEntry::Kind::Warned;
        if (entry.kind == queue::StoryEntry::Kind::Notified) {
            recipient.told = true;
            recipient.state = Message::State::Finished;
        }
        if (entry.kind != queue::StoryEntry::Kind::Attempt || !entry.status)
            continue;
        ipc::Disposition disposition = entry.status->disposition;
        recipient.status = std::make_unique<ipc::DeliveryStatus>(std::move(*entry.status));
        if (!recipient.entry.done)
            recipient.state = disposition == ipc::Disposition::Bounced ? Message::State::Bounced : Message::State::Waiting;
        else if (disposition == ipc::Disposition::Delivered)
            recipient.state = Message::State::Delivered;   // perhaps its sender is still to hear of it
    }
}

void Manager::set_aside(const std::string& id, queue::Place place, const util::Error& error)
{
    util::log::warning(id, ": damaged, moved to the corrupt queue: ", error.text);
    if (auto moved = directory_.move(id, place, queue::Place::Corrupt); !moved)
        util::log::error(id, ": cannot be moved to the corrupt queue: ", moved.error().text);
}

void Manager::flush()
{
    scheduler_.revive_all();
    down_.clear();
    flushing_ = true;
    scan(queue::Place::Incoming, true);
    scan(queue::Place::Deferred, true);
}

bool Manager::flush_message(const std::string& id)
{
    if (by_id_.contains(id))
        return true;
    scheduler_.revive_all();
    down_.clear();
    bool taken = import(id, queue::Place::Deferred) == Import::Taken || import(id, queue::Place::Incoming) == Import::Taken;
    dispatch();
    return taken;
}

// Jobs that are out run to their end; the rest is stopped.
void Manager::change_active(Message& message, Change change, const std::string& reason)
{
    if (change == Change::Expire || change == Change::ExpireRelease) {
        message.expire = true;
        if (message.named)
            tell(message, {queue::StoryEntry::Kind::Expire, util::wall_now().time_since_epoch().count(), {}, {}, reason});
        return;
    }
    (change == Change::Hold ? message.hold : message.remove) = true;
    message.reason = reason;
    take_out(message, scheduler_.withdraw(message.number).size());
    settle(message);
}

util::Result<void> Manager::change(const std::string& id, Change change, ipc::QueueSet queues, const std::string& reason)
{
    if (!queue::is_queue_id(id))
        return util::invalid("not a queue id");
    if (queues == 0)
        queues = queue::all_queues;
    if (auto found = by_id_.find(id); found != by_id_.end()) {
        if (change == Change::Release)
            return util::not_found("not on hold");
        if (!(queues & queue::active_queue))
            return util::not_found("no such message");
        change_active(*found->second, change, reason);
        return {};
    }
    queue::Place place = TRY(queue::change_file(directory_, id, change, queues, reason));
    bool held = place == queue::Place::Hold;
    if (change == Change::Remove)
        util::log::info(id, ": removed", reason == "by request" ? "" : util::concat(" (", util::printable(reason), ")"));
    else if (change == Change::Hold && !held)
        util::log::info(id, ": placed on hold: ", util::printable(reason));
    if (change == Change::Expire || change == Change::ExpireRelease)
        util::log::info(id, ": to be returned to its sender, ", util::printable(reason));
    bool released = change == Change::Release || (change == Change::ExpireRelease && held);
    if (released)
        util::log::info(id, ": released from hold");
    // One that is to go back goes now, as far as there is room; what is held waits until it is released.
    if (released || (change == Change::Expire && !held) || change == Change::ExpireRelease) {
        if (has_room())
            import(id, released ? queue::Place::Incoming : place);
        else if (released)
            overflow_ = true;
        dispatch();
    }
    return {};
}

}  // namespace qmgr
