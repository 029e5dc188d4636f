// A service that runs.
#include "master/service.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace master {

using server::Scoreboard;

namespace {

constexpr auto busy_warning_interval = std::chrono::minutes(1);

}  // namespace

Service::Service(Surroundings& surroundings, ServicePlan plan, std::vector<int> listeners)
    : surroundings_(surroundings), plan_(std::move(plan)), listeners_(std::move(listeners)),
      throttle_(surroundings.loop, [this] { ensure(); }),
      wakeup_(surroundings.loop, [this] { wake(); }),
      stress_timer_(surroundings.loop, [this] { stress_may_end(); })
{
}

void Service::begin()
{
    if (plan_.entry.wakeup > 0)
        wake();
    else
        ensure();
}

// --- processes -----------------------------------------------------------------------------------

unsigned Service::active() const
{
    return static_cast<unsigned>(std::ranges::count_if(children_, [](const auto& entry) { return !entry.second.draining; }));
}

bool Service::is_ready() const
{
    return std::ranges::any_of(children_, [](const auto& entry) { return entry.second.ready; });
}

bool Service::must_wait_for_old() const
{
    return std::ranges::any_of(children_, [](const auto& entry) {
        return entry.second.draining && entry.second.reload != server::Reload::replace;
    });
}

std::optional<unsigned> Service::free_slot() const
{
    std::vector<bool> taken(Scoreboard::slots);
    for (const auto& entry : children_) {
        if (entry.second.scoreboard == scoreboard_)
            taken[entry.second.slot] = true;
    }
    for (unsigned slot = 0; slot < Scoreboard::slots; ++slot) {
        if (!taken[slot])
            return slot;
    }
    return std::nullopt;
}

void Service::start_child(bool wake)
{
    if (stopping_ || throttle_.running() || must_wait_for_old() || active() >= plan_.limit) {
        wake_pending_ |= wake;
        return;
    }
    if (auto started = try_start_child(wake); !started) {
        wake_pending_ |= wake;
        util::log::warning(plan_.entry.id(), ": cannot start ", plan_.path, ": ", started.error().text);
        throttle();
    }
}

util::Result<void> Service::try_start_child(bool wake)
{
    if (!scoreboard_)
        scoreboard_ = std::make_shared<Scoreboard>(TRY(Scoreboard::create()));
    auto slot = free_slot();
    if (!slot)
        return util::temporary("all slots of the scoreboard are taken");
    auto pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    TRY(util::sys::set_nonblocking(pair.first.get(), true));
    server::ChildSpec spec;
    spec.path = plan_.path;
    spec.arguments = plan_.command_line(surroundings_.config_directory, surroundings_.verbose, stress_);
    spec.environment = surroundings_.environment;
    spec.facts.slot = *slot;
    spec.facts.unprivileged = surroundings_.unprivileged;
    spec.log = surroundings_.log_to;
    spec.control = pair.second.get();
    spec.scoreboard = scoreboard_->fd();
    spec.certificates = plan_.program->certificates ? surroundings_.certificates : -1;
    spec.listeners = listeners_;
    scoreboard_->set(*slot, Scoreboard::Starting);
    auto pid = server::spawn(spec);
    if (!pid) {
        scoreboard_->set(*slot, Scoreboard::Empty);
        return pid.take_error();
    }
    ++started_;
    Child child;
    child.scoreboard = scoreboard_;
    child.slot = *slot;
    child.wake_when_ready = wake;
    pid_t id = *pid;
    child.channel = std::make_unique<ipc::Channel>(surroundings_.loop, std::move(pair.first),
        ipc::Channel::Events{.received = [this, id](ipc::Packet& packet) { heard(id, packet); },
                             .closed = [](const util::Error&) {}});  // its end comes by SIGCHLD
    children_.emplace(id, std::move(child));
    return {};
}

void Service::heard(pid_t pid, ipc::Packet& packet)
{
    auto found = children_.find(pid);
    if (found == children_.end())
        return;
    Child& child = found->second;
    if (packet.name() == server::Ready::message_name) {
        auto ready = ipc::decode<server::Ready>(packet);
        if (!ready) {
            util::log::warning(plan_.entry.id(), ": pid ", pid, ": ", ready.error().text);
            return;
        }
        child.ready = true;
        child.reload = ready->reload;
        if (child.wake_when_ready)
            child.channel->send(server::Wake{});
        child.wake_when_ready = false;
        if (std::exchange(child.certificates_when_ready, false))
            send_certificates(child);
        ensure();
    } else if (packet.name() == server::AllBusy::message_name) {
        all_busy();
    } else if (packet.name() == server::CertificatesMissed::message_name) {
        drain(child);
        ensure();
    } else {
        util::log::warning(plan_.entry.id(), ": pid ", pid, " says \"", util::printable(packet.name(), 40), "\"");
    }
}

void Service::all_busy()
{
    if (anybody_free())
        return;
    if (active() < plan_.limit) {
        start_child();
        return ensure();
    }
    scoreboard_->set_full(true);
    // One process is the nature of many services, not a bottleneck.
    if (plan_.limit > 1 && util::now() >= next_busy_warning_) {
        next_busy_warning_ = util::now() + busy_warning_interval;
        util::log::warning("service ", plan_.entry.id(), " has reached its process limit ", plan_.limit,
                           ": new clients may experience noticeable delays");
    }
    if (plan_.entry.type == conf::ServiceType::Inet && plan_.program->stress)
        set_stress(true);
}

// Processes that start from now on know that there are more clients than they can serve, or that this
// is over.  The others end with their client; they are not cut off, and their number counts until then.
void Service::set_stress(bool on)
{
    if (on)
        stress_timer_.start(surroundings_.stress_time);
    else
        stress_timer_.stop();
    if (std::exchange(stress_, on) == on)
        return;
    util::log::info("service ", plan_.entry.id(), on ? ": stress: all processes are busy, new ones get stress=yes"
                                                     : ": stress is over");
    for (auto& [pid, child] : children_) {
        if (child.draining || child.replaced)
            continue;
        child.replaced = true;
        child.channel->send(server::Stop{});
    }
}

void Service::stress_may_end()
{
    // Who is busy to the last process does not say so again.
    set_stress(scoreboard_ && active() >= plan_.limit && !anybody_free());
}

void Service::child_ended(pid_t pid, int status)
{
    auto found = children_.find(pid);
    if (found == children_.end())
        return;
    bool served = found->second.ready;
    bool draining = found->second.draining;
    found->second.scoreboard->set(found->second.slot, Scoreboard::Empty);
    found->second.scoreboard->set_full(false);
    wake_pending_ |= found->second.wake_when_ready;
    children_.erase(found);
    bool failed = !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (WIFSIGNALED(status) && !(stopping_ && WTERMSIG(status) == SIGTERM))
        util::log::warning("process ", plan_.path, " pid ", pid, " killed by signal ", WTERMSIG(status), " (",
                           sigabbrev_np(WTERMSIG(status)), ")");
    else if (failed && WIFEXITED(status))
        util::log::warning("process ", plan_.path, " pid ", pid, " exit status ", WEXITSTATUS(status));
    if (failed && !served && !draining && !stopping_) {
        util::log::warning(plan_.entry.id(), ": ", plan_.path, ": bad command startup -- throttling");
        throttle();
        return;
    }
    ensure();
}

void Service::throttle()
{
    throttle_.start(surroundings_.throttle_time);
    ensure();
}

// --- when to start -------------------------------------------------------------------------------

void Service::ensure()
{
    bool may_start = !stopping_ && !throttle_.running() && !must_wait_for_old() && active() < plan_.limit;
    if (may_start && (wake_pending_ || (plan_.always && active() == 0))) {
        bool wake = std::exchange(wake_pending_, false);
        start_child(wake);
        may_start = !throttle_.running() && active() < plan_.limit;
    }
    if (!may_start || anybody_free()) {
        watches_.clear();
        return;
    }
    if (watches_.empty()) {
        for (int listener : listeners_)
            watches_.emplace_back(surroundings_.loop, listener, util::Watch::Read, [this](unsigned) { client_waits(); });
    }
}

void Service::client_waits()
{
    if (!anybody_free())
        start_child();
    ensure();
}

void Service::wake()
{
    if (plan_.entry.wakeup > 0)
        wakeup_.start(std::chrono::seconds(plan_.entry.wakeup));
    if (stopping_ || (plan_.entry.wakeup_once_used && started_ == 0))
        return ensure();
    for (auto& [pid, child] : children_) {
        if (child.draining)
            continue;
        if (child.ready)
            child.channel->send(server::Wake{});
        else
            child.wake_when_ready = true;
        return;
    }
    wake_pending_ = true;
    ensure();
}

// --- change and end ------------------------------------------------------------------------------

void Service::drain(Child& child)
{
    if (child.draining)
        return;
    child.draining = true;
    child.channel->send(server::Stop{});  // to one that is replaced once more, which does no harm
}

void Service::reconfigure(ServicePlan plan, std::vector<int> listeners)
{
    bool same_line = plan.path == plan_.path && plan.entry.arguments == plan_.entry.arguments && listeners == listeners_;
    bool wakeup_changed = plan.entry.wakeup != plan_.entry.wakeup;
    plan_ = std::move(plan);
    listeners_ = std::move(listeners);
    watches_.clear();
    bool all_drain = true;
    for (auto& [pid, child] : children_) {
        if (!child.draining && child.ready && child.reload == server::Reload::reread && same_line) {
            child.channel->send(server::Reconfigure{});
            all_drain = false;
        } else {
            drain(child);
        }
    }
    if (all_drain)
        scoreboard_.reset();
    else
        scoreboard_->set_full(false);
    throttle_.stop();  // the new configuration may be the cure
    if (wakeup_changed)
        wakeup_.stop();
    if (plan_.entry.wakeup > 0)
        wake();  // also starts the successor of an exclusive one
    else
        ensure();
}

// A worker answers by making room for a process that begins with them; so does a multiplexer that has
// no descriptor free.
void Service::send_certificates(Child& child)
{
    auto copy = util::sys::duplicate(surroundings_.certificates);
    if (!copy)
        return drain(child);
    server::NewCertificates message;
    message.content = copy.take();
    child.channel->send(message);
}

void Service::certificates_changed()
{
    if (!plan_.program->certificates)
        return;
    for (auto& [pid, child] : children_) {
        if (child.draining)
            continue;
        if (child.ready)
            send_certificates(child);
        else
            child.certificates_when_ready = true;
    }
    ensure();
}

void Service::stop(bool now)
{
    stopping_ = true;
    wake_pending_ = false;
    wakeup_.stop();
    throttle_.stop();
    stress_timer_.stop();
    watches_.clear();
    for (auto& [pid, child] : children_) {
        drain(child);
        // SIGTERM ends the wait for a client's next command.
        if (now)
            ::kill(pid, SIGTERM);
    }
}

void Service::kill()
{
    for (const auto& entry : children_)
        ::kill(entry.first, SIGKILL);
}

server::ServiceStatus Service::status() const
{
    server::ServiceStatus status;
    status.name = plan_.entry.name;
    status.type = plan_.type();
    status.command = plan_.entry.command;
    status.processes = static_cast<std::uint32_t>(children_.size());
    status.draining = static_cast<std::uint32_t>(children_.size()) - active();
    for (const auto& entry : children_)
        status.busy += entry.second.scoreboard->get(entry.second.slot) == Scoreboard::Busy;
    status.limit = plan_.limit;
    status.started = started_;
    status.throttled = throttle_.running();
    return status;
}

void Service::add_notes(std::vector<server::WorkerNote>& notes) const
{
    for (const auto& [pid, child] : children_)
        if (std::string note = child.scoreboard->note(child.slot); !note.empty())
            notes.push_back({plan_.entry.name, plan_.entry.command, pid, std::move(note)});
}

bool Service::kick(pid_t pid)
{
    auto found = children_.find(pid);
    return found != children_.end() && !found->second.scoreboard->note(found->second.slot).empty() && ::kill(pid, SIGTERM) == 0;
}

}  // namespace master
