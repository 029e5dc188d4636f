// What the scheduler is made of; for its own files.
#pragma once

#include "qmgr/scheduler.h"

#include <deque>

namespace qmgr {

struct Scheduler::Entry {
    EntryNumber number = 0;
    MessageNumber message = 0;
    Queue* queue = nullptr;
    std::vector<std::uint32_t> recipients;
    bool released = false;   // no longer counted in queue->busy
};

// A destination of a transport.
struct Scheduler::Queue {
    Transport* transport = nullptr;
    std::string name;
    std::string nexthop;
    double window = 1;           // deliveries at a time; whole numbers count
    double success = 0;          // towards the next step up
    double failure = 0;          // towards the next step down
    double failed_cohorts = 0;
    unsigned busy = 0;           // started and not stored
    unsigned selected = 0;       // started and not finished
    std::size_t waiting = 0;     // entries that have not started
    std::size_t queued = 0;      // the same without one that is the transport's `ready`
    bool open = false;           // something is queued and there is room: counted in open_queues
    std::size_t peers = 0;       // of jobs that point here
    std::uint64_t blocks = 0;    // the transport's generation in which it blocked a job
    bool resting = false;        // from the start of a delivery until its rate delay is over
    bool dead = false;
    util::Instant dead_until{};
    std::string reason;

    bool may_start() const { return !dead && !resting && busy < static_cast<unsigned>(window); }
    bool is_idle() const { return waiting == 0 && selected == 0 && peers == 0 && !resting; }
    void revive();
};

// A job's entries for one destination.
struct Scheduler::Peer {
    explicit Peer(Queue* its_queue) : queue(its_queue) {}
    Peer(Peer&&) noexcept = default;
    Peer& operator=(Peer&&) noexcept = default;

    Queue* queue;
    std::deque<std::unique_ptr<Entry>> entries;
};

// A message's share of a transport.
struct Scheduler::Job {
    MessageNumber message = 0;
    util::Instant queued{};
    std::vector<Peer> peers;
    std::unordered_map<const Queue*, std::size_t> peer_index;   // only when there are many
    std::size_t turn = 0;
    std::size_t total = 0;
    std::size_t waiting = 0;
    std::size_t selected = 0;
    std::size_t next_attempt = 0;   // of preemption, counted in selected entries
    double slots = 0;               // earned entries; a slot is slot_cost of them
    std::uint64_t blocked = 0;      // the transport's generation in which it could not go on

    Peer& peer_for(Queue& queue);
    bool may_start() const;
};

struct Scheduler::Transport {
    std::string name;
    TransportRules rules;
    std::map<std::string, std::unique_ptr<Queue>, std::less<>> queues;
    Jobs jobs;
    std::unordered_map<MessageNumber, Jobs::iterator> jobs_by_message;
    Jobs::iterator current;          // those before it are known to be blocked
    std::uint64_t generation = 1;
    std::size_t waiting = 0;         // entries, with `ready`
    util::Instant not_before{};      // transport_delay
    bool delayed = false;            // next() has passed it over for that
    std::multimap<util::Instant, Queue*> rests;   // when destinations may go on after a rate delay
    std::size_t open_queues = 0;     // while there is none, jobs need not be looked at
    std::unique_ptr<Entry> ready;    // selected, but no agent had room for it yet

    Jobs::iterator find_job(MessageNumber message);
    // Blocked jobs are looked at again.
    void reconsider()
    {
        ++generation;
        current = jobs.begin();
    }
};

}  // namespace qmgr
