// Scheduler: transports, jobs and entries.
#include "qmgr/scheduler.h"

#include "qmgr/scheduler_parts.h"

#include <algorithm>

namespace qmgr {

Scheduler::Scheduler(RulesOf rules_of) : rules_of_(std::move(rules_of)) {}
Scheduler::~Scheduler() = default;

Scheduler::Transport& Scheduler::transport(std::string_view name)
{
    auto found = transports_.find(name);
    if (found == transports_.end()) {
        found = transports_.emplace(std::string(name), std::make_unique<Transport>()).first;
        found->second->name = found->first;
        found->second->rules = rules_of_(name);
        found->second->current = found->second->jobs.end();
        rotation_.push_back(found->second.get());
    }
    return *found->second;
}

std::optional<std::string> Scheduler::add(MessageNumber message, std::string_view transport_name,
                                          std::string_view nexthop, std::string_view queue_name,
                                          const std::vector<std::uint32_t>& recipients, util::Instant now)
{
    Transport& way = transport(transport_name);
    auto found = way.queues.find(queue_name);
    if (found == way.queues.end()) {
        found = way.queues.emplace(std::string(queue_name), std::make_unique<Queue>()).first;
        Queue& fresh = *found->second;
        fresh.transport = &way;
        fresh.name = found->first;
        fresh.nexthop = nexthop;
        fresh.window = way.rules.initial_concurrency;
    }
    Queue& queue = *found->second;
    if (queue.dead && now >= queue.dead_until)
        queue.revive();
    if (queue.dead)
        return queue.reason;

    auto known = way.jobs_by_message.find(message);
    if (known == way.jobs_by_message.end()) {
        way.jobs.push_back(std::make_unique<Job>());
        auto place = std::prev(way.jobs.end());
        (*place)->message = message;
        (*place)->queued = now;
        known = way.jobs_by_message.emplace(message, place).first;
        if (way.current == way.jobs.end())
            way.current = place;
    }
    Job& job = **known->second;
    Peer& peer = job.peer_for(queue);
    std::size_t limit = std::max(1U, way.rules.recipient_limit);
    for (std::size_t i = 0; i < recipients.size(); i += limit) {
        auto entry = std::make_unique<Entry>();
        entry->message = message;
        entry->queue = &queue;
        entry->recipients.assign(recipients.begin() + i, recipients.begin() + std::min(recipients.size(), i + limit));
        peer.entries.push_back(std::move(entry));
        ++job.total;
        ++job.waiting;
        ++queue.waiting;
        ++queue.queued;
        ++way.waiting;
        ++waiting_;
    }
    update_open(queue);
    // It may be ahead of the current job, passed over as blocked.
    if (job.blocked == way.generation)
        way.reconsider();
    return {};
}

// Destinations whose rate delay is over.
void Scheduler::wake(Transport& way, util::Instant now)
{
    while (!way.rests.empty() && way.rests.begin()->first <= now) {
        Queue& queue = *way.rests.begin()->second;
        way.rests.erase(way.rests.begin());
        queue.resting = false;
        unblock(queue);
        drop_if_idle(queue);
    }
}

std::optional<Order> Scheduler::next(util::Instant now, const std::function<bool(const std::string&)>& can_take)
{
    for (std::size_t i = 0; i < rotation_.size(); ++i) {
        Transport& way = *rotation_[(turn_ + i) % rotation_.size()];
        wake(way, now);
        if (way.waiting == 0)
            continue;
        way.delayed = now < way.not_before;
        if (way.delayed)
            continue;
        // Found before the question is put, so that no agent is called up in vain.
        if (!way.ready)
            way.ready = select(way);
        if (!way.ready || !can_take(way.name))
            continue;
        std::unique_ptr<Entry> entry = std::move(way.ready);
        Queue& queue = *entry->queue;
        --queue.waiting;
        --way.waiting;
        --waiting_;
        entry->number = next_entry_++;
        Order order{entry->number, entry->message, way.name, queue.nexthop, entry->recipients,
                    queue.busy >= static_cast<unsigned>(queue.window),
                    queue.waiting > 0 || queue.selected > 1};
        if (way.rules.transport_delay > util::Duration::zero())
            way.not_before = now + way.rules.transport_delay;
        in_flight_.emplace(entry->number, std::move(entry));
        turn_ = (turn_ + i + 1) % rotation_.size();
        return order;
    }
    return {};
}

// Takes the next entry off its job and counts it against its destination.
std::unique_ptr<Scheduler::Entry> Scheduler::select(Transport& way)
{
    if (way.open_queues == 0)
        return nullptr;
    maybe_preempt(way);
    for (auto place = way.current; place != way.jobs.end(); ++place) {
        Job& job = **place;
        if (job.blocked == way.generation)
            continue;
        std::unique_ptr<Entry> entry = select_from(job);
        if (entry) {
            way.current = place;
            ++job.selected;
            --job.waiting;
            job.slots += 1;
            if (job.waiting == 0)
                retire(way, place);
            return entry;
        }
        // Remembered until one of its destinations has room.
        job.blocked = way.generation;
        for (Peer& peer : job.peers)
            if (!peer.entries.empty())
                peer.queue->blocks = way.generation;
    }
    way.current = way.jobs.end();
    return nullptr;
}

std::unique_ptr<Scheduler::Entry> Scheduler::select_from(Job& job)
{
    for (std::size_t i = 0; i < job.peers.size(); ++i) {
        Peer& peer = job.peers[(job.turn + i) % job.peers.size()];
        if (peer.entries.empty() || !peer.queue->may_start())
            continue;
        job.turn = (job.turn + i + 1) % job.peers.size();
        std::unique_ptr<Entry> entry = std::move(peer.entries.front());
        peer.entries.pop_front();
        Queue& queue = *peer.queue;
        ++queue.busy;
        ++queue.selected;
        --queue.queued;
        queue.resting = queue.transport->rules.rate_delay > util::Duration::zero();
        update_open(queue);
        return entry;
    }
    return nullptr;
}

// Lets a short job pass the current one when that has earned it.
void Scheduler::maybe_preempt(Transport& way)
{
    const TransportRules& rules = way.rules;
    if (rules.slot_cost < 2 || way.current == way.jobs.end() || way.current == std::prev(way.jobs.end()))
        return;
    Job& current = **way.current;
    if (current.total / rules.slot_cost < rules.minimum_slots || current.selected < current.next_attempt)
        return;
    current.next_attempt = current.selected + rules.slot_cost;
    auto candidate = find_candidate(way, current.slots / rules.slot_cost + rules.slot_loan);
    if (candidate == way.jobs.end())
        return;
    current.slots -= static_cast<double>((*candidate)->total) * rules.slot_cost;
    way.jobs.splice(way.current, way.jobs, candidate);
    way.current = candidate;
}

// The job with the greatest age for its size among those behind the current one that fit.
Scheduler::Jobs::iterator Scheduler::find_candidate(Transport& way, double slots)
{
    const Job& current = **way.current;
    double share = way.rules.slot_discount / 100.0;
    // What the current job can still earn: a job as large as itself may never pass.
    std::size_t largest = current.waiting / way.rules.slot_cost;
    auto best = way.jobs.end();
    double best_score = -1;
    util::Instant youngest = (*std::prev(way.jobs.end()))->queued;
    for (auto place = std::next(way.current); place != way.jobs.end(); ++place) {
        const Job& job = **place;
        if (job.selected > 0 || job.total > largest || job.blocked == way.generation ||
            static_cast<double>(job.total) * share > slots)
            continue;
        auto age = static_cast<double>((youngest - job.queued).count() + 1);
        double score = age / static_cast<double>(job.total);
        // Twenty thousand old messages for one destination that is busy must not hide the young one for another.
        if (score > best_score && job.may_start()) {
            best_score = score;
            best = place;
        }
    }
    return best;
}

void Scheduler::retire(Transport& way, Jobs::iterator place)
{
    if (way.current == place)
        ++way.current;
    for (Peer& peer : (*place)->peers)
        --peer.queue->peers;
    way.jobs_by_message.erase((*place)->message);
    way.jobs.erase(place);
}

void Scheduler::release(EntryNumber number)
{
    auto found = in_flight_.find(number);
    if (found == in_flight_.end() || found->second->released)
        return;
    found->second->released = true;
    Queue& queue = *found->second->queue;
    --queue.busy;
    unblock(queue);
}

// Twenty thousand jobs for one destination must not be walked through for each of its deliveries.
void Scheduler::update_open(Queue& queue)
{
    bool open = queue.queued > 0 && queue.may_start();
    if (open != queue.open)
        queue.transport->open_queues += open ? 1 : std::size_t(-1);
    queue.open = open;
}

// A destination has room: jobs that it blocked are looked at again.
void Scheduler::unblock(Queue& queue)
{
    update_open(queue);
    if (queue.blocks == queue.transport->generation)
        queue.transport->reconsider();
}

std::vector<Withdrawn> Scheduler::finish(EntryNumber number, Result result, std::string_view reason, util::Instant now)
{
    auto found = in_flight_.find(number);
    if (found == in_flight_.end())
        return {};
    Queue& queue = *found->second->queue;
    bool released = found->second->released;
    in_flight_.erase(found);
    if (result == Result::Delivered)
        grow(queue);
    else if (result == Result::DestinationFailed)
        shrink(queue, reason, now);
    if (!released)
        --queue.busy;
    --queue.selected;
    if (queue.resting)
        queue.transport->rests.emplace(now + queue.transport->rules.rate_delay, &queue);
    unblock(queue);
    std::vector<Withdrawn> withdrawn;
    if (queue.dead)
        withdrawn = take_waiting(*queue.transport, &queue);
    drop_if_idle(queue);
    return withdrawn;
}

std::vector<std::uint32_t> Scheduler::withdraw(MessageNumber message)
{
    std::vector<std::uint32_t> recipients;
    for (Transport* way : rotation_) {
        for (Withdrawn& item : take_waiting(*way, nullptr, message))
            recipients.insert(recipients.end(), item.recipients.begin(), item.recipients.end());
    }
    return recipients;
}

std::vector<Withdrawn> Scheduler::withdraw_transport(std::string_view name)
{
    auto found = transports_.find(name);
    if (found == transports_.end())
        return {};
    return take_waiting(*found->second, nullptr);
}

std::vector<Withdrawn> Scheduler::take_waiting(Transport& way, const Queue* only, std::optional<MessageNumber> message)
{
    std::vector<Withdrawn> taken;
    auto matches = [&](const Queue* queue, MessageNumber number) {
        return (!only || queue == only) && (!message || number == *message);
    };
    std::vector<Queue*> touched;
    auto take = [&](std::unique_ptr<Entry> entry) {
        touched.push_back(entry->queue);
        update_open(*entry->queue);
        --entry->queue->waiting;
        --way.waiting;
        --waiting_;
        taken.push_back({entry->message, std::move(entry->recipients)});
    };
    if (way.ready && matches(way.ready->queue, way.ready->message)) {
        --way.ready->queue->busy;
        --way.ready->queue->selected;
        way.ready->queue->resting = false;
        unblock(*way.ready->queue);
        take(std::move(way.ready));
    }
    auto place = message ? way.find_job(*message) : way.jobs.begin();
    auto stop = message && place != way.jobs.end() ? std::next(place) : way.jobs.end();
    while (place != stop) {
        Job& job = **place;
        for (Peer& peer : job.peers) {
            if (!matches(peer.queue, job.message))
                continue;
            peer.queue->queued -= peer.entries.size();
            for (auto& entry : peer.entries)
                take(std::move(entry));
            job.waiting -= peer.entries.size();
            peer.entries.clear();
        }
        auto done = place++;
        if (job.waiting == 0)
            retire(way, done);
    }
    // The queue that the caller holds is the caller's to drop.
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (Queue* queue : touched)
        if (queue != only)
            drop_if_idle(*queue);
    return taken;
}

util::Instant Scheduler::next_start() const
{
    util::Instant earliest = util::Instant::max();
    for (const Transport* way : rotation_) {
        if (way->waiting > 0 && way->delayed)
            earliest = std::min(earliest, way->not_before);
        else if (way->waiting > 0 && !way->rests.empty())
            earliest = std::min(earliest, way->rests.begin()->first);
    }
    return earliest;
}

}  // namespace qmgr
