// Agents: connecting, sending, and what comes back.
#include "qmgr/agents.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <algorithm>
#include <unordered_set>

namespace qmgr {

namespace {

using namespace std::chrono_literals;

constexpr util::Duration idle_time = 3s;
constexpr std::size_t max_pending = 2;
constexpr std::size_t max_connections = 1000;   // of one transport; master's limit is lower

}  // namespace

struct Agents::Agent {
    Service* service = nullptr;
    std::unique_ptr<ipc::Channel> channel;
    std::uint32_t capacity = 0;   // 0 until greeted
    std::unordered_set<ipc::JobId> jobs;
    std::unordered_set<ipc::JobId> unsent;   // of these, those that found that it has gone
    util::Instant idle_since{};
    std::string nexthop;          // of a worker's last job
    bool connected = false;       // it keeps its connection to there
};

struct Agents::Service {
    std::string name;
    std::vector<std::unique_ptr<Agent>> agents;
    std::size_t pending = 0;
    std::size_t in_flight = 0;
    bool multiplexer = false;
    bool verifies = false;
    bool connected_once = false;
};

Agents::Agents(util::EventLoop& loop, PathOf path_of, Events events)
    : loop_(loop), path_of_(std::move(path_of)), events_(std::move(events)),
      idle_timer_(loop, [this] { close_idle(); }), sweep_timer_(loop, [this] { gone_.clear(); }),
      report_timer_(loop, [this] {
          auto reports = std::move(unavailable_);
          unavailable_.clear();
          for (auto& report : reports)
              events_.unavailable(report.first, report.second);
      })
{
}

Agents::~Agents() = default;

Agents::Service& Agents::service(const std::string& transport)
{
    auto& slot = services_[transport];
    if (!slot) {
        slot = std::make_unique<Service>();
        slot->name = transport;
    }
    return *slot;
}

bool Agents::is_multiplexer(const std::string& transport) const
{
    auto found = services_.find(transport);
    return found != services_.end() && found->second->multiplexer;
}

std::size_t Agents::in_flight(const std::string& transport) const
{
    auto found = services_.find(transport);
    return found == services_.end() ? 0 : found->second->in_flight;
}

bool Agents::verifies(const std::string& transport) const
{
    auto found = services_.find(transport);
    return found != services_.end() && found->second->verifies;
}

// One that is connected to the nexthop; else the one used last: its caches are warm, and those not needed fall
// idle; but of those with a connection that others may want only the one used first, when there is no other.
Agents::Agent* Agents::agent_with_room(Service& way, std::string_view nexthop)
{
    enum Rank : std::uint8_t { HasOther, HasNone, HasIt };
    auto rank_of = [nexthop](const Agent& agent) {
        return !agent.connected ? HasNone : agent.nexthop == nexthop ? HasIt : HasOther;
    };
    Agent* best = nullptr;
    for (auto& agent : way.agents) {
        if (agent->jobs.size() >= agent->capacity || !agent->channel->is_open())
            continue;
        if (best && rank_of(*agent) <= rank_of(*best)) {
            bool later = agent->idle_since > best->idle_since;
            if (rank_of(*agent) != rank_of(*best) || later == (rank_of(*best) == HasOther))
                continue;
        }
        best = agent.get();
    }
    return best;
}

bool Agents::can_take(const std::string& transport)
{
    Service& way = service(transport);
    if (agent_with_room(way, {}))
        return true;
    // The first connection tells what kind of agent it is.
    std::size_t pending_limit = way.connected_once ? max_pending : 1;
    bool want = way.multiplexer ? way.agents.empty() : way.pending < pending_limit && way.agents.size() < max_connections;
    if (want && !stopping_)
        connect(way);
    return false;
}

void Agents::connect(Service& way)
{
    auto agent = std::make_unique<Agent>();
    Agent* raw = agent.get();
    raw->service = &way;
    auto channel = ipc::Channel::connect(loop_, path_of_(way.name),
                                         {.received = [this, raw](ipc::Packet& packet) { received(*raw, packet); },
                                          .closed = [this, raw](const util::Error& error) { closed(*raw, error); }});
    if (!channel) {
        // Not from within the caller's question.
        unavailable_.emplace_back(way.name, channel.take_error());
        report_timer_.start(0s);
        return;
    }
    raw->channel = channel.take();
    ++way.pending;
    way.agents.push_back(std::move(agent));
}

template <typename Message>
void Agents::send_as(const std::string& transport, const Message& message, std::string_view nexthop)
{
    Service& way = service(transport);
    Agent* agent = agent_with_room(way, nexthop);
    CHECK(agent);
    agent->nexthop = nexthop;
    agent->jobs.insert(message.job);
    agent->idle_since = util::now();
    ++way.in_flight;
    jobs_.emplace(message.job, agent);
    agent->channel->send(message);
    if (!agent->channel->is_open())
        agent->unsent.insert(message.job);
}

template void Agents::send_as(const std::string&, const ipc::Job&, std::string_view);
template void Agents::send_as(const std::string&, const ipc::Notify&, std::string_view);

void Agents::finished(ipc::JobId job)
{
    auto found = jobs_.find(job);
    if (found == jobs_.end())
        return;
    Agent& agent = *found->second;
    jobs_.erase(found);
    agent.jobs.erase(job);
    --agent.service->in_flight;
    if (agent.jobs.empty()) {
        agent.idle_since = util::now();
        if (stopping_)
            return remove(agent);
        if (!agent.service->multiplexer && !idle_timer_.running())
            idle_timer_.start(idle_time);
    }
    // Those who wait learn of it once per round of events, from Manager's own dispatch.
}

void Agents::received(Agent& agent, ipc::Packet& packet)
{
    auto name = packet.name();
    if (name == ipc::Outcome::message_name) {
        auto outcome = ipc::decode<ipc::Outcome>(packet);
        if (!outcome)
            return agent.channel->fail(outcome.take_error());
        if (!agent.jobs.contains(outcome->job))
            return agent.channel->fail(util::invalid("an outcome of a job that was not given"));
        agent.connected = outcome->connected && agent.capacity == 1;
        events_.outcome(*outcome);
    } else if (name == ipc::StoredNotice::message_name) {
        auto stored = ipc::decode<ipc::StoredNotice>(packet);
        if (!stored)
            return agent.channel->fail(stored.take_error());
        if (agent.jobs.contains(stored->job))
            events_.stored(*stored);
    } else if (name == ipc::AgentGreeting::message_name && agent.capacity == 0) {
        auto greeting = ipc::decode<ipc::AgentGreeting>(packet);
        if (!greeting || greeting->capacity == 0)
            return agent.channel->fail(util::invalid("a wrong greeting"));
        agent.capacity = greeting->capacity;
        agent.idle_since = util::now();
        agent.service->multiplexer = greeting->capacity > 1;
        agent.service->verifies = greeting->verifies;
        agent.service->connected_once = true;
        --agent.service->pending;
        if (!agent.service->multiplexer && !idle_timer_.running())
            idle_timer_.start(idle_time);
        events_.room();
    } else {
        agent.channel->fail(util::invalid(util::concat("an unexpected message ", util::printable(name, 40))));
    }
}

void Agents::closed(Agent& agent, const util::Error& error)
{
    Service& way = *agent.service;
    std::string transport = way.name;
    bool greeted = agent.capacity > 0;
    // Whose job was it?  None that it never had.
    for (ipc::Packet& packet : agent.channel->take_unsent()) {
        if (auto job = ipc::decode<ipc::Job>(packet); job.ok())
            agent.unsent.insert(job->job);
        else if (auto notify = ipc::decode<ipc::Notify>(packet); notify.ok())
            agent.unsent.insert(notify->job);
    }
    std::vector<ipc::JobId> unsent, jobs;
    for (ipc::JobId job : agent.jobs)
        (agent.unsent.contains(job) ? unsent : jobs).push_back(job);
    // Nor when it was us who could not keep a record for an agent that is slow to read.
    Loss loss = util::sys::is_descriptor_shortage(error.code) ? Loss::Innocent
                : agent.capacity == 1 || jobs.size() == 1     ? Loss::Alone
                                                              : Loss::Shared;
    remove(agent);
    if (!jobs.empty()) {
        util::log::warning("transport ", transport, ": an agent ended with ", jobs.size(),
                           " unfinished deliveries: ", error.text);
        events_.lost(transport, jobs, loss);
    }
    if (!unsent.empty()) {
        events_.lost(transport, unsent, Loss::Innocent);
    } else if (jobs.empty() && !greeted) {
        events_.unavailable(transport, error);
    }
    events_.room();
}

void Agents::remove(Agent& agent)
{
    Service& way = *agent.service;
    for (ipc::JobId job : agent.jobs)
        jobs_.erase(job);
    way.in_flight -= agent.jobs.size();
    if (agent.capacity == 0)
        --way.pending;
    agent.channel->close();
    auto place = std::find_if(way.agents.begin(), way.agents.end(), [&](const auto& item) { return item.get() == &agent; });
    gone_.push_back(std::move(*place));
    way.agents.erase(place);
    sweep_timer_.start(0s);
}

void Agents::close_idle()
{
    util::Instant now = util::now();
    bool more = false;
    for (auto& item : services_) {
        if (item.second->multiplexer)
            continue;
        std::vector<Agent*> idle;
        for (auto& agent : item.second->agents) {
            if (agent->capacity == 0 || !agent->jobs.empty())
                continue;
            if (now - agent->idle_since >= idle_time)
                idle.push_back(agent.get());
            else
                more = true;
        }
        for (Agent* agent : idle)
            remove(*agent);
    }
    if (more)
        idle_timer_.start(idle_time);
}

void Agents::stop()
{
    stopping_ = true;
    for (auto& item : services_) {
        std::vector<Agent*> idle;
        for (auto& agent : item.second->agents)
            if (agent->jobs.empty())
                idle.push_back(agent.get());
        for (Agent* agent : idle)
            remove(*agent);
    }
}

}  // namespace qmgr
