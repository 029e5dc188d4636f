// Control: telling peers apart, and what tools ask for.
#include "qmgr/control.h"

#include "libqueue/change.h"
#include "libqueue/listing.h"
#include "libqueue/queue_id.h"
#include "libutil/log.h"

#include <algorithm>
#include <sys/socket.h>

namespace qmgr {

namespace {

using namespace std::chrono_literals;

constexpr util::Duration peer_idle_time = 60s;
constexpr std::size_t orders_a_slice = 50;     // messages between two rounds of events
constexpr std::size_t queued_limit = 100;    // records that wait for the tool

bool contains(const std::vector<uid_t>& uids, uid_t uid)
{
    return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

bool is_for(const ipc::QueueItem& item, std::string_view site)
{
    return std::any_of(item.recipients.begin(), item.recipients.end(), [&](const ipc::QueueItemRecipient& recipient) {
        auto at = recipient.address.rfind('@');
        return at != std::string::npos && util::equal_nocase(std::string_view(recipient.address).substr(at + 1), site);
    });
}

}  // namespace

bool Permissions::may_list(uid_t uid) const { return everybody_lists || may_change(uid) || contains(listers, uid); }
bool Permissions::may_flush(uid_t uid) const { return everybody_flushes || may_change(uid) || contains(flushers, uid); }

void Control::add(util::UniqueFd fd, uid_t uid, std::function<void()> gone)
{
    // One that may only offer need not say so first.
    if (permissions_.may_offer(uid) && !permissions_.may_change(uid))
        return manager_.add_cleaner(std::move(fd), std::move(gone));
    if (peers_.size() >= max_tools && !permissions_.may_change(uid))
        return gone();
    peers_.emplace_back();
    Peer& peer = peers_.back();
    peer.self = std::prev(peers_.end());
    peer.fd = std::move(fd);
    peer.uid = uid;
    peer.gone = std::move(gone);
    peer.watch = util::Watch(loop_, peer.fd.get(), util::Watch::Read, [this, &peer](unsigned) { first_record(peer); });
    peer.timer = util::Timer(loop_, [this, &peer] { remove(peer); });
    peer.timer.start(peer_idle_time);
}

void Control::first_record(Peer& peer)
{
    char bytes[32];
    ssize_t size = ::recv(peer.fd.get(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (size <= 0)
        return remove(peer);
    std::string_view name = std::string_view(bytes, static_cast<std::size_t>(size))
                                .substr(0, static_cast<std::size_t>(std::find(bytes, bytes + size, '\0') - bytes));
    peer.watch.reset();
    bool offers = name == ipc::Offer::message_name || name == ipc::Named::message_name || name == ipc::NotNamed::message_name;
    if (offers) {
        if (permissions_.may_offer(peer.uid))
            manager_.add_cleaner(std::move(peer.fd), std::exchange(peer.gone, [] {}));
        else
            util::log::warning("uid ", peer.uid, " may not offer messages");
        return remove(peer);
    }
    peer.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(peer.fd),
        ipc::Channel::Events{.received = [this, &peer](ipc::Packet& packet) { received(peer, packet); },
                             .closed = [this, &peer](const util::Error&) { remove(peer); },
                             .drained = [this, &peer] { slice(peer); }});
}

void Control::received(Peer& peer, ipc::Packet& packet)
{
    auto name = packet.name();
    if (!peer.waiting.empty())
        return peer.channel->fail(util::invalid("a request within a request"));
    peer.count = 0;
    peer.site.clear();
    peer.change = {};
    peer.timer.start(peer_idle_time);
    if (name == ipc::QueueList::message_name) {
        auto request = ipc::decode<ipc::QueueList>(packet);
        if (!request)
            return peer.channel->fail(request.take_error());
        if (!permissions_.may_list(peer.uid))
            return end(peer, "you may not list the queue");
        return list(peer, *request);
    }
    if (name == ipc::QueueFlush::message_name) {
        auto request = ipc::decode<ipc::QueueFlush>(packet);
        if (!request)
            return peer.channel->fail(request.take_error());
        bool etrn = permissions_.etrn == peer.uid && request->queue_id.empty() && !request->site.empty() && !request->wait;
        if (!etrn && !permissions_.may_flush(peer.uid))
            return end(peer, "you may not flush the queue");
        return flush(peer, *request);
    }
    if (name == ipc::StatisticsWanted::message_name) {
        if (!permissions_.may_list(peer.uid))
            return end(peer, "you may not list the queue");
        return peer.channel->send(ipc::Statistics{manager_.metrics()});
    }
    if (name == ipc::QueueChange::message_name) {
        auto request = ipc::decode<ipc::QueueChange>(packet);
        if (!request)
            return peer.channel->fail(request.take_error());
        if (!permissions_.may_change(peer.uid))
            return end(peer, "you may not change the queue");
        return change(peer, request.take());
    }
    peer.channel->fail(util::invalid(util::concat("an unexpected message ", util::printable(name, 40))));
}

// All messages in these queues, to be worked on in slices; false: it could not be done, and the tool knows.
bool Control::find_files(Peer& peer, ipc::QueueSet queues)
{
    if (queues & queue::active_queue)
        for (const auto& item : manager_.messages())
            peer.waiting.emplace_back(std::nullopt, item.second->id);
    for (queue::Place place : queue::all_places) {
        if (!(queues & queue::set_of(place)))
            continue;
        auto names = manager_.directory().list(place);
        if (!names) {
            end(peer, names.error().text);
            return false;
        }
        for (std::string& name : *names)
            if (queue::is_queue_id(name) && !manager_.find(name))
                peer.waiting.emplace_back(place, std::move(name));
    }
    std::reverse(peer.waiting.begin(), peer.waiting.end());
    return true;
}

void Control::list(Peer& peer, const ipc::QueueList& request)
{
    // Which place a message has is seen when its turn comes.
    for (const std::string& id : request.queue_ids)
        for (queue::Place place : queue::all_places)
            if (queue::is_queue_id(id) &&
                (manager_.find(id) ? place == queue::Place::Incoming : manager_.directory().stat(place, id).ok()))
                peer.waiting.emplace_back(place, id);
    if (request.queue_ids.empty() && !find_files(peer, queue::waiting_queues))
        return;
    if (peer.waiting.empty())
        return end(peer, {});
    slice(peer);
}

void Control::slice(Peer& peer)
{
    if (!peer.channel->is_open() || peer.waiting.empty())
        return;
    peer.timer.start(peer_idle_time);
    for (std::size_t budget = orders_a_slice; budget > 0 && !peer.waiting.empty(); --budget) {
        // The tool reads slowly: drained() goes on.
        if (peer.channel->queued() >= queued_limit)
            return;
        auto [place, id] = std::move(peer.waiting.back());
        peer.waiting.pop_back();
        if (peer.change.all)
            peer.count += manager_.change(id, peer.change.kind, peer.change.queues, peer.change.reason).ok();
        else if (peer.site.empty())
            list_one(peer, place, id);
        else
            flush_one(peer, *place, id);
        if (!peer.channel->is_open())
            return;
    }
    if (peer.waiting.empty())
        return end(peer, {});
    peer.next_slice = util::Timer(loop_, [this, &peer] { slice(peer); });
    peer.next_slice.start(0s);
}

void Control::list_one(Peer& peer, const std::optional<queue::Place>& place, const std::string& id)
{
    std::vector<ipc::QueueItem> items;
    if (const Message* message = manager_.find(id)) {
        ipc::QueueItem head;
        head.queue = "active";
        head.queue_id = id;
        head.size = message->size;
        head.arrival = message->envelope.arrival;
        head.sender = message->envelope.sender;
        head.forced_expire = message->expire;
        std::vector<ipc::QueueItemRecipient> recipients;
        for (const MessageRecipient& recipient : message->recipients)
            if (recipient.state != Message::State::Delivered && recipient.state != Message::State::Finished)
                recipients.push_back(
                    {recipient.entry.recipient.address, recipient.status ? recipient.status->text : std::string()});
        items = queue::split_item(std::move(head), std::move(recipients));
    } else if (place) {
        // What has gone meanwhile, or is damaged, is no longer in the queue.
        items = queue::list_file(manager_.directory(), *place, id).value_or({});
        if (!items.empty() && items.front().last_change != 0)
            items.front().next_attempt = manager_.next_attempt(id, items.front().last_change);
    }
    for (const ipc::QueueItem& item : items)
        peer.channel->send(item);
    peer.count += !items.empty();
}

void Control::flush(Peer& peer, const ipc::QueueFlush& request)
{
    if (!request.queue_id.empty()) {
        if (!queue::is_queue_id(request.queue_id) || !manager_.flush_message(request.queue_id))
            return end(peer, "no such message");
        peer.count = 1;
        return end(peer, {});
    }
    if (request.site.empty()) {
        manager_.flush();
        return end(peer, {});
    }
    if (!request.wait) {
        if (sites_asked_.size() >= max_sites && !sites_asked_.contains(request.site))
            return end(peer, "too many sites wait to be flushed");
        flush_later(request.site);
        return end(peer, {});
    }
    peer.site = request.site;
    if (!find_files(peer, queue::set_of(queue::Place::Deferred)))
        return;
    if (peer.waiting.empty())
        return end(peer, {});
    slice(peer);
}

void Control::flush_later(const std::string& site)
{
    sites_asked_.insert(site);
    if (!flush_timer_.running())
        flush_timer_.start(0s);
}

void Control::flush_slice()
{
    if (flush_ids_.empty()) {
        sites_ = std::exchange(sites_asked_, {});
        auto names = manager_.directory().list(queue::Place::Deferred);
        if (!names)
            return util::log::warning("the deferred queue cannot be read: ", names.error().text);
        flush_ids_ = names.take();
        std::erase_if(flush_ids_, [&](const std::string& id) { return !queue::is_queue_id(id) || manager_.find(id); });
    }
    for (std::size_t budget = orders_a_slice; budget > 0 && !flush_ids_.empty(); --budget) {
        std::string id = std::move(flush_ids_.back());
        flush_ids_.pop_back();
        auto items = queue::list_file(manager_.directory(), queue::Place::Deferred, id);
        if (items && std::ranges::any_of(*items, [&](const auto& item) {
                return std::ranges::any_of(sites_, [&](const std::string& site) { return is_for(item, site); });
            }))
            manager_.flush_message(id);
    }
    if (!flush_ids_.empty() || !sites_asked_.empty())
        flush_timer_.start(0s);
}

void Control::flush_one(Peer& peer, queue::Place place, const std::string& id)
{
    auto items = queue::list_file(manager_.directory(), place, id);
    if (!items || std::none_of(items->begin(), items->end(), [&](const auto& item) { return is_for(item, peer.site); }))
        return;
    peer.count += manager_.flush_message(id);
}

void Control::change(Peer& peer, ipc::QueueChange request)
{
    if (request.reason.empty())
        request.reason = "by request";
    if (!request.all) {
        auto changed = manager_.change(request.queue_id, request.kind, request.queues, request.reason);
        peer.count = changed.ok();
        return end(peer, changed ? std::string() : changed.error().text);
    }
    bool held_only = request.kind == ipc::QueueChange::Kind::Release;
    if (request.queues == 0)
        request.queues = held_only ? queue::set_of(queue::Place::Hold) : queue::waiting_queues;
    peer.change = std::move(request);
    if (!find_files(peer, peer.change.queues))
        return;
    if (peer.waiting.empty())
        return end(peer, {});
    slice(peer);
}

void Control::end(Peer& peer, std::string error)
{
    ipc::QueueEnd message;
    message.count = peer.count;
    message.error = std::move(error);
    peer.waiting.clear();
    peer.timer = util::Timer(loop_, [this, &peer] { remove(peer); });
    peer.timer.start(peer_idle_time);
    peer.channel->send(message);
}

void Control::remove(Peer& peer)
{
    peer.watch.reset();
    peer.timer.reset();
    peer.next_slice.reset();
    if (peer.channel)
        peer.channel->close();
    auto gone = std::exchange(peer.gone, [] {});
    finished_.splice(finished_.end(), peers_, peer.self);
    sweep_timer_.start(0s);
    gone();
}

}  // namespace qmgr
