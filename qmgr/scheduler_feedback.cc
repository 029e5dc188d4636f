// Scheduler: how destinations grow, shrink, die and come back.
#include "qmgr/scheduler_parts.h"

#include <algorithm>
#include <cmath>

namespace qmgr {

namespace {

constexpr std::size_t few_peers = 16;

}  // namespace

double Feedback::at(double window) const
{
    double size = std::max(1.0, window);
    switch (shape) {
    case Shape::Constant:
        return amount;
    case Shape::Inverse:
        return amount / size;
    case Shape::InverseRoot:
        return amount / std::sqrt(size);
    }
    return amount;
}

void Scheduler::Queue::revive()
{
    dead = false;
    // What is still on its way there says how much it takes.
    window = std::max(1U, busy > 0 ? busy : transport->rules.initial_concurrency);
    success = failure = failed_cohorts = 0;
    reason.clear();
}

Scheduler::Peer& Scheduler::Job::peer_for(Queue& queue)
{
    if (peers.size() <= few_peers) {
        for (Peer& peer : peers)
            if (peer.queue == &queue)
                return peer;
    } else if (auto found = peer_index.find(&queue); found != peer_index.end()) {
        return peers[found->second];
    }
    peers.emplace_back(&queue);
    ++queue.peers;
    if (peers.size() == few_peers + 1)
        for (std::size_t i = 0; i < peers.size(); ++i)
            peer_index.emplace(peers[i].queue, i);
    else if (peers.size() > few_peers)
        peer_index.emplace(&queue, peers.size() - 1);
    return peers.back();
}

bool Scheduler::Job::may_start() const
{
    return std::ranges::any_of(peers, [](const Peer& peer) { return !peer.entries.empty() && peer.queue->may_start(); });
}

Scheduler::Jobs::iterator Scheduler::Transport::find_job(MessageNumber message)
{
    auto found = jobs_by_message.find(message);
    return found == jobs_by_message.end() ? jobs.end() : found->second;
}

// Up by one for each whole unit of feedback, but not far beyond what is really used.
void Scheduler::grow(Queue& queue)
{
    const TransportRules& rules = queue.transport->rules;
    queue.failed_cohorts = 0;
    if (queue.dead)
        return queue.revive();
    double limit = rules.concurrency_limit == 0 ? 1e9 : rules.concurrency_limit;
    if (queue.window >= limit || queue.window >= queue.busy + rules.initial_concurrency)
        return;
    double step = rules.positive.at(queue.window);
    queue.success += step;
    // Half a step of tolerance, so that three thirds make one.
    while (queue.success + step / 2 >= 1) {
        queue.window += 1;
        queue.success -= 1;
        queue.failure = 0;
    }
    queue.window = std::min(queue.window, limit);
}

// Down by one at the start of each whole unit of feedback: bad news is acted on at once.
void Scheduler::shrink(Queue& queue, std::string_view reason, util::Instant now)
{
    const TransportRules& rules = queue.transport->rules;
    if (queue.dead)
        return;
    queue.failed_cohorts += 1 / queue.window;
    if (rules.failed_cohort_limit > 0 && queue.failed_cohorts + 1e-9 >= rules.failed_cohort_limit) {
        queue.dead = true;
        queue.dead_until = now + rules.dead_time;
        queue.reason = reason;
        return;
    }
    double step = rules.negative.at(queue.window);
    queue.failure -= step;
    while (queue.failure - step / 2 < 0) {
        queue.window -= 1;
        queue.success = 0;
        queue.failure += 1;
    }
    queue.window = std::max(queue.window, 1.0);
}

void Scheduler::drop_if_idle(Queue& queue)
{
    // Peers of living jobs that have no entries left may still point here.
    if (queue.is_idle() && !queue.dead) {
        auto& queues = queue.transport->queues;
        queues.erase(queues.find(queue.name));
    }
}

void Scheduler::revive_all()
{
    for (Transport* way : rotation_) {
        for (auto& item : way->queues)
            if (item.second->dead)
                item.second->revive();
        std::erase_if(way->queues, [](const auto& item) { return item.second->is_idle(); });
    }
}

void Scheduler::expire(util::Instant now)
{
    for (Transport* way : rotation_) {
        wake(*way, now);
        std::erase_if(way->queues, [&](const auto& item) {
            return item.second->is_idle() && (!item.second->dead || now >= item.second->dead_until);
        });
    }
}

std::size_t Scheduler::destinations() const
{
    std::size_t count = 0;
    for (const Transport* way : rotation_)
        count += way->queues.size();
    return count;
}

double Scheduler::window(std::string_view transport_name, std::string_view queue_name) const
{
    auto way = transports_.find(transport_name);
    if (way == transports_.end())
        return 0;
    auto queue = way->second->queues.find(queue_name);
    return queue == way->second->queues.end() || queue->second->dead ? 0 : queue->second->window;
}

}  // namespace qmgr
