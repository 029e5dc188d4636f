// Processes for errands.
#include "errands/keeper.h"

#include "libipc/child.h"
#include "libipc/command_status.h"
#include "libipc/connection.h"
#include "libutil/command.h"
#include "libutil/log.h"
#include "libutil/orphans.h"
#include "libutil/sys.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace errands {

namespace {

// Whose errand it is, for a fair share of the processes.
std::string party_of(const std::variant<ipc::ReadList, ipc::RunEntry>& order)
{
    return std::visit([](const auto& one) { return util::concat(unsigned(one.place.kind), " ", one.place.name); }, order);
}

std::uint64_t request_of(const std::variant<ipc::ReadList, ipc::RunEntry>& order)
{
    return std::visit([](const auto& one) { return one.request; }, order);
}

}  // namespace

Keeper::Keeper(util::EventLoop& loop, Settings settings, Rules rules)
    : loop_(loop), settings_(settings), rules_(std::move(rules)), sweep_timer_(loop, [this] { sweep(); })
{
}

void Keeper::accept(util::UniqueFd connection, std::function<void()> gone)
{
    std::uint64_t id = next_peer_++;
    Peer& peer = peers_[id];
    peer.id = id;
    peer.gone = std::move(gone);
    peer.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(connection),
        ipc::Channel::Events{.received = [this, id](ipc::Packet& packet) { received(id, packet); },
                             .closed = [this, id](const util::Error& error) {
                                 if (error.kind == util::Kind::Invalid)
                                     util::log::warning("dropped a connection: ", error.text);
                                 // What runs goes on; nobody waits for it.
                                 for (Lane& lane : lanes_)
                                     std::erase_if(lane.waiting, [id](const Waiting& one) { return one.peer == id; });
                                 auto over = std::move(peers_[id].gone);
                                 peers_.erase(id);
                                 over();
                             }},
        max_waiting);
}

ipc::Channel* Keeper::channel_of(std::uint64_t peer)
{
    auto found = peers_.find(peer);
    return found == peers_.end() ? nullptr : found->second.channel.get();
}

void Keeper::received(std::uint64_t id, ipc::Packet& packet)
{
    ipc::Channel& channel = *peers_[id].channel;
    if (packet.name() == ipc::ReadList::message_name) {
        auto order = ipc::decode<ipc::ReadList>(packet);
        return order.ok() ? place(id, order.take()) : channel.fail(order.take_error());
    }
    if (packet.name() == ipc::RunEntry::message_name) {
        auto order = ipc::decode<ipc::RunEntry>(packet);
        if (!order.ok())
            return channel.fail(order.take_error());
        if (order->message.valid() && !util::sys::is_sealed(order->message.get()))
            return channel.fail(util::invalid("a message that is not sealed"));
        return place(id, order.take());
    }
    if (packet.name() == ipc::ForgetErrand::message_name) {
        auto order = ipc::decode<ipc::ForgetErrand>(packet);
        return order.ok() ? forget(id, order->request) : channel.fail(order.take_error());
    }
    channel.fail(util::invalid(util::concat("message ", util::printable(packet.name(), 40), " is no errand")));
}

void Keeper::place(std::uint64_t peer, Order order)
{
    if (stopping_)
        return fail(peer, order, "shutting down");
    Lane& its = lane(std::holds_alternative<ipc::ReadList>(order));
    if (!may_start(order)) {
        if (its.waiting.size() >= max_waiting)
            return fail(peer, order, "too many errands at once");
        its.waiting.push_back({peer, std::move(order)});
        return;
    }
    if (auto started = start(peer, order); !started.ok())
        fail(peer, order, started.error().text);
}

void Keeper::forget(std::uint64_t peer, std::uint64_t request)
{
    for (Lane& lane : lanes_)
        std::erase_if(lane.waiting, [&](const Waiting& one) { return one.peer == peer && request_of(one.order) == request; });
}

// What one user runs, however long it takes, leaves room for others.
bool Keeper::may_start(const Order& order)
{
    bool reads = std::holds_alternative<ipc::ReadList>(order);
    if (lane(reads).running >= settings_.process_limit)
        return false;
    std::string party = party_of(order);
    auto same = std::ranges::count_if(
        errands_, [&](const auto& item) { return item.second.reads == reads && item.second.party == party; });
    return std::size_t(same) < std::max<std::size_t>(1, settings_.process_limit / shares);
}

void Keeper::fail(std::uint64_t peer, const Order& order, std::string_view why)
{
    ipc::Channel* channel = channel_of(peer);
    if (!channel)
        return;
    auto status = ipc::status_of(ipc::Disposition::Deferred, "4.3.0", std::string(why));
    if (std::holds_alternative<ipc::ReadList>(order)) {
        ipc::ListPart part;
        part.request = request_of(order);
        part.status = std::move(status);
        return channel->send(part);
    }
    ipc::ErrandDone done;
    done.request = request_of(order);
    done.status = std::move(status);
    channel->send(done);
}

util::Result<void> Keeper::start(std::uint64_t peer, Order& order)
{
    util::sys::SocketPair pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    int ends[2] = {-1, -1};
    bool reads = std::holds_alternative<ipc::ReadList>(order);
    if (!reads && ::pipe2(ends, O_CLOEXEC) < 0)
        return util::system_error("pipe", errno);
    util::UniqueFd output(ends[0]), printed_to(ends[1]);
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0) {
        (void)::setsid();
        // Standard descriptors and the log stay.
        util::close_all_but({pair.second.get(), printed_to.get(), reads ? -1 : std::get<ipc::RunEntry>(order).message.get()},
                            server::log_descriptor + 1);
        if (reads)
            read_list(std::get<ipc::ReadList>(order), rules_, pair.second.get());
        run_entry(std::get<ipc::RunEntry>(order), rules_, pair.second.get(), printed_to.get());
    }
    ++lane(reads).running;
    Errand& errand = errands_[pid];
    errand.peer = peer;
    errand.request = request_of(order);
    errand.reads = reads;
    errand.party = party_of(order);
    errand.deadline = util::now() + (reads ? settings_.list_time_limit : settings_.time_limit);
    TRY(util::sys::set_nonblocking(pair.first.get(), true));
    errand.result = std::make_unique<ipc::Channel>(
        loop_, std::move(pair.first),
        ipc::Channel::Events{.received = [this, pid](ipc::Packet& packet) { heard(pid, packet); },
                             .closed = [](const util::Error&) {}});
    if (!reads) {
        TRY(util::sys::set_nonblocking(output.get(), true));
        errand.output = std::move(output);
        errand.output_watch = util::Watch(loop_, errand.output.get(), util::Watch::Read, [this, pid](unsigned) {
            if (auto found = errands_.find(pid); found != errands_.end())
                read_output(found->second);
        });
    }
    watch_time();
    return {};
}

// What the process itself says; it may have been in a user's hands since it became that user.
void Keeper::heard(pid_t pid, ipc::Packet& packet)
{
    auto found = errands_.find(pid);
    if (found == errands_.end())
        return;
    Errand& errand = found->second;
    ipc::Channel* channel = channel_of(errand.peer);
    if (packet.name() == Running::message_name && !errand.reads) {
        auto running = ipc::decode<Running>(packet);
        if (running.ok())
            errand.command = std::move(running->command);
        return;
    }
    if (errand.reads && !errand.answered && packet.name() == ipc::ListPart::message_name) {
        auto part = ipc::decode<ipc::ListPart>(packet);
        if (!part.ok() || part->request != errand.request)
            return;
        errand.answered = part->last;
        if (channel)
            channel->send(*part);
        return;
    }
    if (!errand.reads && !errand.answered && errand.command.empty() && packet.name() == ipc::ErrandDone::message_name) {
        auto done = ipc::decode<ipc::ErrandDone>(packet);
        if (!done.ok() || done->request != errand.request)
            return;
        errand.answered = true;
        if (channel)
            channel->send(*done);
    }
}

// All of it is read, some is kept.
void Keeper::read_output(Errand& errand)
{
    char buffer[4096];
    for (int round = 0; round < 16 && errand.output.valid(); ++round) {
        auto count = util::sys::read(errand.output.get(), buffer);
        if (!count.ok() && count.error().code == EAGAIN)
            return;
        if (!count.ok() || *count == 0) {
            errand.output_watch.reset();
            errand.output.reset();
            return;
        }
        errand.printed.append(
            buffer, std::min(*count, ipc::max_command_output - std::min(ipc::max_command_output, errand.printed.size())));
    }
}

void Keeper::reap()
{
    // A command is over when its shell is: nothing of it goes on.
    util::bury_groups([this](pid_t pid, int status) { ended(pid, status); });
    // And what left the session of its command.
    util::kill_orphans([this](pid_t pid) { return errands_.contains(pid) || errands_.contains(::getsid(pid)); });
    serve_waiting();
    if (stopping_ && errands_.empty() && done_)
        std::exchange(done_, {})();
}

void Keeper::ended(pid_t pid, int status)
{
    auto found = errands_.find(pid);
    if (found == errands_.end())
        return;
    // Its last words may still be in the socket.
    while (found->second.result && found->second.result->is_open()) {
        auto packet = ipc::receive_packet(found->second.result->fd(), MSG_DONTWAIT);
        if (!packet.ok() || !*packet)
            break;
        heard(pid, **packet);
    }
    Errand& errand = found->second;
    if (errand.output.valid())
        read_output(errand);
    if (!errand.answered)
        answer_end(errand, status);
    --lane(errand.reads).running;
    errands_.erase(pid);
}

void Keeper::answer_end(Errand& errand, int status)
{
    ipc::Channel* channel = channel_of(errand.peer);
    if (!channel)
        return;
    if (errand.reads) {
        ipc::ListPart part;
        part.request = errand.request;
        part.status = ipc::status_of(ipc::Disposition::Deferred, "4.3.0",
                                     errand.timed_out ? "reading a list took longer than errands_list_time_limit"
                                                      : "a list could not be read");
        return channel->send(part);
    }
    ipc::ErrandDone done;
    done.request = errand.request;
    if (errand.command.empty())
        done.status = ipc::status_of(ipc::Disposition::Deferred, "4.3.0",
                                     errand.timed_out ? "delivery took longer than command_time_limit"
                                                      : "delivery ended before its time");
    else if (errand.timed_out)
        done.status = ipc::command_timeout(errand.command, errand.printed);
    else
        done.status =
            ipc::command_status(status, errand.command,
                                util::concat("delivered to command: ", util::printable(errand.command, 500)), errand.printed);
    channel->send(done);
}

void Keeper::serve_waiting()
{
    for (Lane& lane : lanes_) {
        for (std::size_t i = 0; i < lane.waiting.size() && lane.running < settings_.process_limit;) {
            auto next = lane.waiting.begin() + std::ptrdiff_t(i);
            if (!may_start(next->order)) {
                ++i;
                continue;
            }
            Waiting one = std::move(*next);
            lane.waiting.erase(next);
            place(one.peer, std::move(one.order));
        }
    }
}

// --- time --------------------------------------------------------------------------------------------

void Keeper::watch_time()
{
    if (!sweep_timer_.running())
        sweep_timer_.start(
            std::min<util::Duration>(std::min(settings_.time_limit, settings_.list_time_limit) / 10, std::chrono::seconds(1)));
}

void Keeper::sweep()
{
    util::Instant now = util::now();
    for (auto& [pid, errand] : errands_) {
        if (errand.deadline > now)
            continue;
        errand.timed_out = true;
        util::end_group(pid);
    }
    if (!errands_.empty())
        watch_time();
}

void Keeper::kill_all()
{
    for (auto& entry : errands_)
        util::end_group(entry.first);
}

void Keeper::stop(std::function<void()> done)
{
    stopping_ = true;
    done_ = std::move(done);
    for (Lane& lane : lanes_)
        for (Waiting& one : std::exchange(lane.waiting, {}))
            fail(one.peer, one.order, "shutting down");
    if (errands_.empty())
        std::exchange(done_, {})();
}

}  // namespace errands
