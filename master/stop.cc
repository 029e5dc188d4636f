// master(8): the orderly stop, and the conversation with tern(1).
#include "master/master.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace master {

namespace {

constexpr std::size_t max_control_clients = 16;
// Between two looks whether a descriptor is free for tern(1).
constexpr auto control_pause = std::chrono::seconds(1);
// A signal that came just before a process waits for its client does not end that wait: the next one does.
constexpr auto signal_repetition = std::chrono::seconds(1);
constexpr std::size_t max_notes_at_once = 200;   // in one record

bool faces_the_network(const Service& service) { return service.plan().entry.type == conf::ServiceType::Inet; }

}  // namespace

// --- stop ------------------------------------------------------------------------------------------

// First those who face the network: their clients hear 421 or BYE while the programs behind them
// still finish what was accepted.  Then the rest, and the log last.
void Master::begin_stop()
{
    if (phase_ != Phase::Running)
        return;
    util::log::info("terminating");
    notifier_.stopping();
    phase_ = Phase::StoppingServers;
    certificate_timer_.stop();
    stop_services();
    std::erase_if(sockets_, [](const auto& entry) {
        bool inet = entry.first.starts_with("inet/");
        if (inet)
            close_listener(entry.first, entry.second);
        return inet;
    });
    phase_timer_.start(*plan_->common.master_stop_time / 2);
    next_phase();
}

// Those whose turn it is, and again.
void Master::stop_services()
{
    for (auto& [id, service] : services_) {
        if (phase_ == Phase::StoppingServers ? faces_the_network(*service) : !service->plan().always)
            service->stop(true);
    }
    for (auto& service : retired_)
        service->stop(true);
    repeat_timer_.start(signal_repetition);
}

bool Master::gone(bool servers_only) const
{
    if (!retired_.empty())
        return false;
    return std::ranges::all_of(services_, [&](const auto& entry) {
        const Service& service = *entry.second;
        return service.empty() || service.plan().always || (servers_only && !faces_the_network(service));
    });
}

void Master::next_phase()
{
    bool late = !phase_timer_.running();
    if (phase_ == Phase::StoppingServers && (late || gone(true))) {
        phase_ = Phase::StoppingRest;
        stop_services();
        phase_timer_.start(*plan_->common.master_stop_time);
        late = false;
    }
    if (phase_ == Phase::StoppingRest && (late || gone(false))) {
        if (!gone(false)) {
            util::log::warning("processes that did not end in $master_stop_time are killed");
            for (auto& [id, service] : services_) {
                if (!service->plan().always)
                    service->kill();
            }
            for (auto& service : retired_)
                service->kill();
            phase_timer_.start(*plan_->common.master_stop_time);
            return;
        }
        phase_ = Phase::StoppingLog;
        repeat_timer_.stop();
        util::log::info("stopped");
        services_.at("log/unix")->stop(false);
        phase_timer_.start(*plan_->common.master_stop_time);
        late = false;
    }
    if (phase_ == Phase::StoppingLog) {
        Service& log = *services_.at("log/unix");
        if (log.empty())
            return finish();
        if (late) {
            log.kill();
            phase_timer_.start(*plan_->common.master_stop_time);
        }
    }
}

void Master::finish()
{
    phase_timer_.stop();
    for (const auto& entry : sockets_)
        close_listener(entry.first, entry.second);
    (void)util::sys::unlink(control_path_);
    (void)util::sys::unlink(plan_->pid_file());
    loop_.stop();
}

// --- tern(1) -----------------------------------------------------------------------------------------

util::Result<void> Master::open_control()
{
    Endpoint endpoint;
    endpoint.path = util::concat(*plan_->common.queue_directory, "/private/", server::control_socket_name);
    endpoint.key = endpoint.path;
    endpoint.type = SOCK_SEQPACKET;
    control_ = TRY(open_endpoint(endpoint));
    control_path_ = endpoint.path;
    control_watch_ = util::Watch(loop_, control_.get(), util::Watch::Read, [this](unsigned) { accept_control(); });
    return {};
}

void Master::accept_control()
{
    util::UniqueFd fd(::accept4(control_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
        if (util::sys::is_descriptor_shortage(errno)) {
            shortage_.begin(errno, "tern(1) has to wait");
            control_watch_.want(util::Watch::None);
            control_pause_.start(control_pause);
        }
        return;
    }
    shortage_.end();
    auto peer = util::sys::peer_credentials(fd.get());
    if (!peer || (peer->uid != 0 && peer->uid != ::geteuid())) {
        util::log::warning("refused a control connection from uid ", peer ? peer->uid : 0);
        return;
    }
    std::erase_if(control_clients_, [](const ControlClient& client) { return !client.channel->is_open(); });
    if (control_clients_.size() >= max_control_clients)
        return;
    ControlClient& client = control_clients_.emplace_back();
    client.channel = std::make_unique<ipc::Channel>(loop_, std::move(fd),
        ipc::Channel::Events{.received = [this, &client](ipc::Packet& packet) { answer(client, packet); },
                             .closed = [](const util::Error&) {}});
}

void Master::answer(ControlClient& client, ipc::Packet& packet)
{
    auto request = ipc::decode<server::ControlRequest>(packet);
    if (!request)
        return client.channel->fail(request.take_error());
    switch (request->command) {
    case server::ControlCommand::status:
        return client.channel->send(status());
    case server::ControlCommand::reload:
        return client.channel->send(reload());
    case server::ControlCommand::stop:
        client.channel->send(status());
        return begin_stop();
    case server::ControlCommand::who:
        return tell_who(*client.channel);
    case server::ControlCommand::kick:
        return client.channel->send(kick(request->pid));
    }
}

void Master::tell_who(ipc::Channel& channel) const
{
    std::vector<server::WorkerNote> notes;
    for (const auto& [id, service] : services_)
        service->add_notes(notes);
    for (const auto& service : retired_)
        service->add_notes(notes);
    server::WhoServed answer;
    for (std::size_t at = 0; !answer.last; at += max_notes_at_once) {
        auto some = std::span(notes).subspan(at, std::min(max_notes_at_once, notes.size() - at));
        answer.workers.assign(some.begin(), some.end());
        answer.last = at + some.size() == notes.size();
        channel.send(answer);
    }
}

server::ControlAnswer Master::kick(pid_t pid)
{
    server::ControlAnswer answer;
    answer.pid = ::getpid();
    for (const auto& [id, service] : services_)
        answer.ok = answer.ok || service->kick(pid);
    for (const auto& service : retired_)
        answer.ok = answer.ok || service->kick(pid);
    if (answer.ok)
        util::log::info("the session of process ", pid, " is ended by request");
    else
        answer.text = "no such session\n";
    return answer;
}

server::ControlAnswer Master::status() const
{
    server::ControlAnswer answer;
    answer.ok = phase_ == Phase::Running;
    if (!answer.ok)
        answer.text = "the mail system is stopping";
    answer.pid = ::getpid();
    answer.running_seconds = std::chrono::duration_cast<std::chrono::seconds>(util::now() - started_).count();
    for (const auto& [id, service] : services_)
        answer.services.push_back(service->status());
    return answer;
}

}  // namespace master
