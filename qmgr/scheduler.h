// Scheduler: which delivery comes next.  It knows no clock, no descriptors and no disk.
//
//   transport ── destination queue (nexthop): concurrency window, feedback, dead or alive
//        └────── job (a message's share of the transport), in the order of preemption
//                  └── entry: up to recipient_limit recipients of one destination
//
// Transports take turns.  Within one, jobs are served in the order they came; each offers its
// destinations in turn as far as their windows allow, and a job that cannot go on for them does not
// stand in the way of those behind it.  A long job earns a slot for every `slot_cost` entries it
// sends, and spends slots on letting short ones pass: what a letter gains is far more than what
// the newsletter loses, at most 1/(slot_cost - 1) of its time.
//
// A destination's window grows with success and shrinks with failure; after enough failures in a
// row it is dead for a while, and what waits for it is handed back.
#pragma once

#include "libutil/text.h"
#include "libutil/time.h"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace qmgr {

using MessageNumber = std::uint64_t;
using EntryNumber = std::uint64_t;

// How strongly one delivery moves a window of size N: amount, amount / N or amount / sqrt(N).
struct Feedback {
    enum class Shape : std::uint8_t { Constant, Inverse, InverseRoot };
    double amount = 1;
    Shape shape = Shape::Constant;

    double at(double window) const;
};

struct TransportRules {
    unsigned initial_concurrency = 5;
    unsigned concurrency_limit = 20;   // 0: none
    unsigned recipient_limit = 50;     // of one entry
    Feedback positive;
    Feedback negative;
    double failed_cohort_limit = 1;    // windows full of failures until a destination is dead; 0: never
    util::Duration dead_time = std::chrono::seconds(300);
    util::Duration rate_delay{};       // from the end of a delivery to a destination to the start of the next
    util::Duration transport_delay{};  // between the starts of two deliveries, whatever their destinations
    unsigned slot_cost = 5;            // 0 or 1: no preemption
    unsigned slot_loan = 3;
    unsigned slot_discount = 50;       // percent of a job's size that it must find
    unsigned minimum_slots = 3;        // a job that cannot earn as many is not preempted
};

// An entry to be delivered now.
struct Order {
    EntryNumber entry = 0;
    MessageNumber message = 0;
    std::string transport;
    std::string nexthop;
    std::vector<std::uint32_t> recipients;
    bool fills_window = false;   // no other may start before release() or finish()
    bool followed = false;   // more waits for the same destination, or is on its way there
};

// What was taken back before it was started.
struct Withdrawn {
    MessageNumber message = 0;
    std::vector<std::uint32_t> recipients;
};

class Scheduler {
public:
    using RulesOf = std::function<TransportRules(std::string_view transport)>;
    explicit Scheduler(RulesOf rules_of);
    ~Scheduler();

    // Recipients of one message that go the same way.  A transport with a recipient limit of one
    // gets a destination for each `queue_name`.  Does not add, and answers why, when the
    // destination is dead.
    std::optional<std::string> add(MessageNumber message, std::string_view transport,
                                   std::string_view nexthop, std::string_view queue_name,
                                   const std::vector<std::uint32_t>& recipients, util::Instant now);

    // The next delivery; can_take is asked about a transport only when something of it may start.
    std::optional<Order> next(util::Instant now,
                              const std::function<bool(const std::string& transport)>& can_take);

    // The entry no longer counts against its destination's window (it is stored).
    void release(EntryNumber entry);
    enum class Result : std::uint8_t { Delivered, DestinationFailed, Neither };
    // The entry is over.  If that makes the destination dead, what waited for it comes back.
    std::vector<Withdrawn> finish(EntryNumber entry, Result result, std::string_view reason, util::Instant now);

    // Takes back what of a message has not been started.
    std::vector<std::uint32_t> withdraw(MessageNumber message);
    // Takes back all that waits for a transport (it is not there).
    std::vector<Withdrawn> withdraw_transport(std::string_view transport);
    // Dead destinations are given another chance at once.
    void revive_all();
    // Forgets destinations whose dead time is over; call now and then.
    void expire(util::Instant now);

    // When next() may have something because a rate delay ends; Instant::max() when never.
    util::Instant next_start() const;

    std::size_t waiting() const { return waiting_; }
    std::size_t in_flight() const { return in_flight_.size(); }
    std::size_t destinations() const;
    // For tests and reports; 0 when dead or unknown.
    double window(std::string_view transport, std::string_view queue_name) const;

private:
    struct Transport;
    struct Queue;
    struct Job;
    struct Entry;
    struct Peer;
    using Jobs = std::list<std::unique_ptr<Job>>;

    Transport& transport(std::string_view name);
    std::unique_ptr<Entry> select(Transport& transport);
    std::unique_ptr<Entry> select_from(Job& job);
    void wake(Transport& transport, util::Instant now);
    void maybe_preempt(Transport& transport);
    Jobs::iterator find_candidate(Transport& transport, double slots);
    void retire(Transport& transport, Jobs::iterator job);
    void unblock(Queue& queue);
    void update_open(Queue& queue);
    void drop_if_idle(Queue& queue);
    void grow(Queue& queue);
    void shrink(Queue& queue, std::string_view reason, util::Instant now);
    std::vector<Withdrawn> take_waiting(Transport& transport, const Queue* only,
                                        std::optional<MessageNumber> message = {});

    RulesOf rules_of_;
    std::map<std::string, std::unique_ptr<Transport>, std::less<>> transports_;
    std::vector<Transport*> rotation_;
    std::size_t turn_ = 0;
    std::unordered_map<EntryNumber, std::unique_ptr<Entry>> in_flight_;
    EntryNumber next_entry_ = 1;
    std::size_t waiting_ = 0;
};

}  // namespace qmgr
