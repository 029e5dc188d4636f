// ternsuper -r.
#include "tools/ternsuper/requeue.h"

#include "libipc/identity.h"
#include "libmail/date.h"
#include "libutil/time.h"

#include <fcntl.h>
#include <time.h>

namespace ternsuper {

namespace {

using namespace std::chrono_literals;
using Kind = ipc::QueueChange::Kind;

// Deliveries that run when a message is to be held go on to their end.
constexpr util::Duration hold_timeout = 60s;
constexpr std::int64_t poll_nanoseconds = 20'000'000;

util::Result<void> change(tools::QueueAccess& queue, const std::string& id, Kind kind, ipc::QueueSet queues, std::string reason)
{
    ipc::QueueChange order;
    order.queue_id = id;
    order.kind = kind;
    order.queues = queues;
    order.reason = std::move(reason);
    TRY(queue.change(order));
    return {};
}

// What the message was, without the orders that were obeyed the first time.
ipc::Envelope fresh_envelope(const ipc::Envelope& old)
{
    ipc::Envelope envelope = old;
    envelope.queue_id.clear();
    envelope.arrival = util::wall_now().time_since_epoch().count();
    envelope.complete_header = false;
    envelope.hold = false;
    envelope.redirect.clear();
    envelope.bcc.clear();
    return envelope;
}

}  // namespace

Requeuer::Requeuer(const conf::Common& common, tools::QueueAccess& queue, queue::Directory directory)
    : common_(common), queue_(queue), directory_(std::move(directory)),
      cleanup_(server::private_socket(common, "cleanup"), *common.ipc_timeout)
{
}

util::Result<Requeuer> Requeuer::open(const conf::Common& common, tools::QueueAccess& queue)
{
    if (queue.alone())
        return util::temporary("-r needs cleanup(8): mail waits until the system is up");
    return Requeuer(common, queue, TRY(queue::Directory::open(*common.queue_directory)));
}

util::Result<util::UniqueFd> Requeuer::wait_until_held(const std::string& id)
{
    util::Deadline deadline = util::Deadline::in(hold_timeout);
    for (;;) {
        auto file = directory_.open_file(queue::Place::Hold, id, O_RDONLY);
        if (file)
            return file;
        if (deadline.passed())
            return util::temporary("it is still being delivered");
        // It may be in memory alone, and have no file yet.
        bool known = false;
        TRY(queue_.list(queue::all_queues, [&](const ipc::QueueItem&) { known = true; }, [](std::string_view) {}, {id}));
        if (!known && !directory_.stat(queue::Place::Hold, id))
            return util::not_found("it has been delivered meanwhile");
        timespec pause{0, poll_nanoseconds};
        ::nanosleep(&pause, nullptr);
    }
}

util::Result<std::string> Requeuer::submit(const std::string& id)
{
    util::UniqueFd file = TRY(wait_until_held(id));
    auto reader = TRY(queue::Reader::open(file.get()));
    std::vector<ipc::Recipient> recipients;
    for (const queue::RecipientEntry& entry : reader.recipients())
        if (!entry.done)
            recipients.push_back(entry.recipient);
    if (recipients.empty())
        return util::not_found("all its recipients are done");
    TRY(cleanup_.next_queue_id());
    cleanup_.begin(fresh_envelope(reader.envelope()), std::move(recipients), [&](const std::string& new_id) {
        mail::Date date{.seconds = util::unix_seconds(util::wall_now()), .zone_minutes = 0};
        return util::concat("Received: by ", *common_.myhostname, " (", *common_.mail_name, ", requeued from ", id,
                            ")\r\n\tid ", new_id, "; ", mail::format_date(date), "\r\n");
    });
    queue::Content content = reader.content();
    for (;;) {
        auto piece = content.next();
        if (!piece) {
            cleanup_.abandon();
            return piece.take_error();
        }
        if (piece->empty())
            break;
        cleanup_.write(*piece);
    }
    auto verdict = TRY(cleanup_.finish());
    if (verdict.kind == ipc::Verdict::Kind::Kept || verdict.kind == ipc::Verdict::Kind::Delivered)
        return cleanup_.queue_id();
    return util::temporary(util::concat("cleanup: ", verdict.dsn, ' ', verdict.text));
}

util::Result<std::string> Requeuer::requeue(const std::string& id, ipc::QueueSet queues)
{
    bool held_before = directory_.stat(queue::Place::Hold, id).ok();
    if (held_before && queues != 0 && !(queues & queue::set_of(queue::Place::Hold)))
        return util::not_found("no such message");
    if (!held_before)
        TRY(change(queue_, id, Kind::Hold, queues, "to be requeued"));
    auto new_id = submit(id);
    if (!new_id) {
        if (!held_before)
            (void)change(queue_, id, Kind::Release, 0, "");
        return new_id;
    }
    TRY(change(queue_, id, Kind::Remove, queue::set_of(queue::Place::Hold), util::concat("requeued as ", *new_id)));
    return new_id;
}

}  // namespace ternsuper
