// The mail queue as tools see it.
#include "tools/common/queue_access.h"

#include "libipc/identity.h"
#include "libqueue/listing.h"
#include "libqueue/queue_id.h"

#include <algorithm>
#include <cerrno>
#include <sysexits.h>

namespace tools {

namespace {

using namespace std::chrono_literals;

constexpr util::Duration qmgr_timeout = 300s;
constexpr std::size_t ids_at_once = 1000;  // in one request

// The place of files that a queue's messages have while nobody holds them in memory.
ipc::QueueSet places_of(ipc::QueueSet queues)
{
    return queues & queue::active_queue ? static_cast<ipc::QueueSet>(queues | queue::set_of(queue::Place::Incoming)) : queues;
}

std::string reason_of(const ipc::QueueChange& order) { return order.reason.empty() ? "by request" : order.reason; }

}  // namespace

util::Result<QueueAccess> QueueAccess::open(const conf::Common& common, const Complain& complain)
{
    QueueAccess access;
    auto qmgr = ipc::Connection::connect(server::public_socket(common, "qmgr"), qmgr_timeout);
    if (qmgr) {
        access.qmgr_ = qmgr.take();
        return access;
    }
    complain(util::concat("the mail system is down: ", qmgr.error().text));
    access.directory_ = TRY(queue::Directory::open(*common.queue_directory));
    return access;
}

int QueueAccess::status_of(const util::Error& error)
{
    return error.code == EACCES || error.code == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

util::Result<std::uint64_t> QueueAccess::end_of(ipc::Packet& packet) const
{
    auto end = TRY(ipc::decode<ipc::QueueEnd>(packet));
    if (end.error.empty())
        return end.count;
    bool forbidden = end.error.starts_with("you may not");
    return util::Error{util::Kind::Permanent, end.error, forbidden ? EACCES : 0};
}

util::Result<void> QueueAccess::list_files(ipc::QueueSet queues, const EachItem& each, const Complain& complain,
                                           const std::vector<std::string>& ids) const
{
    for (queue::Place place : queue::all_places) {
        if (!(places_of(queues) & queue::set_of(place)))
            continue;
        for (const std::string& name : ids.empty() ? TRY(directory_->list(place)) : ids) {
            if (!queue::is_queue_id(name))
                continue;
            auto items = queue::list_file(*directory_, place, name);
            if (items)
                std::ranges::for_each(*items, each);
            else if (items.error().kind != util::Kind::NotFound)
                complain(util::concat(name, ": ", items.error().text));
        }
    }
    return {};
}

util::Result<void> QueueAccess::list(ipc::QueueSet queues, const EachItem& each, const Complain& complain,
                                     const std::vector<std::string>& ids)
{
    if (alone())
        return list_files(queues, each, complain, ids);
    std::span<const std::string> rest(ids);
    do {
        ipc::QueueList request;
        auto some = rest.first(std::min(rest.size(), ids_at_once));
        request.queue_ids.assign(some.begin(), some.end());
        rest = rest.subspan(some.size());
        TRY(ask(request, queues, each));
    } while (!rest.empty());
    return {};
}

util::Result<void> QueueAccess::ask(const ipc::QueueList& request, ipc::QueueSet queues, const EachItem& each)
{
    TRY(qmgr_.send(request));
    for (;;) {
        ipc::Packet packet = TRY(qmgr_.receive());
        if (packet.name() != ipc::QueueItem::message_name) {
            TRY(end_of(packet));
            return {};
        }
        auto item = TRY(ipc::decode<ipc::QueueItem>(packet));
        auto place = queue::parse_queues(std::span(&item.queue, 1));
        if (place && (*place & queues))
            each(item);
    }
}

util::Result<std::uint64_t> QueueAccess::change(const ipc::QueueChange& order)
{
    if (!alone()) {
        TRY(qmgr_.send(order));
        ipc::Packet packet = TRY(qmgr_.receive());
        return end_of(packet);
    }
    if (order.all)
        return change_all(order);
    ipc::QueueSet queues = order.queues != 0 ? places_of(order.queues) : queue::all_queues;
    TRY(queue::change_file(*directory_, order.queue_id, order.kind, queues, reason_of(order)));
    return std::uint64_t(1);
}

util::Result<std::uint64_t> QueueAccess::change_all(const ipc::QueueChange& order)
{
    ipc::QueueSet queues = order.queues != 0 ? places_of(order.queues) : queue::waiting_queues;
    std::uint64_t count = 0;
    for (queue::Place place : queue::all_places) {
        if (!(queues & queue::set_of(place)))
            continue;
        for (const std::string& name : TRY(directory_->list(place)))
            if (queue::is_queue_id(name))
                count += queue::change_file(*directory_, name, order.kind, queue::set_of(place), reason_of(order)).ok();
    }
    return count;
}

util::Result<std::uint64_t> QueueAccess::flush(const ipc::QueueFlush& order)
{
    if (alone())
        return util::temporary("mail waits until the system is up");
    TRY(qmgr_.send(order));
    ipc::Packet packet = TRY(qmgr_.receive());
    return end_of(packet);
}

}  // namespace tools
