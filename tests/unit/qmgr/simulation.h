// A world for the scheduler, with a clock of its own: mail that comes, and sites that take it, refuse it, hang or are
// gone.  Days pass in seconds.
//
// World plays the part of Manager and of the agents.  Scheduler, Intake, RetryRules and the rules of transports are
// qmgr's own, and everything that they promise is checked where it happens: a violation ends the test with the seed, the
// time in the simulation, and what was wrong.
#pragma once

#include "qmgr/manager.h"
#include "tests/unit/suite.h"

#include <deque>
#include <random>

namespace test {

using namespace qmgr;
using namespace std::chrono_literals;

// A destination as it really is; what the scheduler knows of it, it has to find out.
struct Site {
    std::string name;
    std::string transport = "smtp";
    util::Duration shortest = 100ms, longest = 1s;   // of a delivery
    unsigned capacity = 1000;                        // deliveries at a time; one more is refused
    util::Duration up = 1000h, down{};               // in turn
    util::Duration failure_time = 30s;               // until one learns that it is down
    unsigned percent_deferred = 0;                   // recipients that are to come again
    bool healthy = true;                             // what is new for it must not wait

    // What is seen of it.
    unsigned active = 0;
    std::uint64_t attempts = 0, refusals = 0, deliveries = 0;
    double busy_seconds = 0;
    util::Instant changed{}, last_end{};
};

// What Postfix makes of the results: SCHEDULER_README, "Preemptive scheduler: adaptive concurrency".  Written down a
// second time, as simply as it can be.
struct ReferenceWindow {
    double window = 0, success = 0, failure = 0, cohorts = 0;
    util::Instant dead_until{};
    bool dead = false;

    void reset(const TransportRules& rules);
    void delivered(const TransportRules& rules, unsigned busy);
    void failed(const TransportRules& rules, util::Instant now);
};

class World {
public:
    struct Waits {
        std::uint64_t messages = 0;
        util::Duration longest{};
    };

    World(unsigned seed, const Config& config, unsigned processes, util::Duration patience);

    std::size_t add_site(Site site);
    Site& site(std::size_t index) { return sites_[index]; }
    // New mail with a recipient at each of the sites.
    void post(const std::vector<std::uint32_t>& sites);
    // Mail that came `age` ago and was tried last `since` ago.
    void preload(std::uint32_t site, util::Duration age, util::Duration since);
    void at(util::Instant when, std::function<void()> what);
    void run_until(util::Instant end);
    // Until all mail is delivered or has gone back; fails when that takes longer than its life.
    void finish();

    util::Instant now() const { return now_; }
    std::uint64_t random(std::uint64_t limit) { return random_() % limit; }
    util::Duration random(util::Duration from, util::Duration to)
    {
        return from + util::Duration(static_cast<std::int64_t>(random(static_cast<std::uint64_t>((to - from).count() + 1))));
    }
    std::size_t waiting() const { return scheduler_.waiting(); }
    double window(const Site& site) const { return scheduler_.window(site.transport, site.name); }
    const Waits& waits() const { return waits_; }
    std::uint64_t posted() const { return posted_; }
    std::uint64_t delivered() const { return delivered_; }
    std::uint64_t returned() const { return returned_; }
    std::uint64_t orders() const { return orders_; }
    std::size_t most_active() const { return most_active_; }
    // Called with each order.
    std::function<void(const Order& order)> watch;

private:
    struct Recipient {
        std::uint32_t site = 0;
        bool done = false;
    };
    struct Mail {
        util::Instant arrival{}, last_attempt{};
        std::vector<Recipient> recipients;
        std::size_t outstanding = 0, flights = 0;
        queue::Place place = queue::Place::Incoming;
        bool active = false, gone = false, tried = false, listed = false;
        bool fresh = false;    // for a healthy site, and not tried before
    };
    struct Event {
        util::Instant at;
        std::uint64_t number;
        std::function<void()> what;
        bool operator<(const Event& other) const { return std::tie(at, number) > std::tie(other.at, other.number); }
    };

    void require(bool condition, const std::string& what) const;
    std::string where(const Site& site) const;
    std::int64_t microseconds(util::Instant instant) const { return instant.time_since_epoch().count(); }
    void activate(MessageNumber number);
    void dispatch();
    void start(const Order& order);
    void check_start(const Order& order, const Site& site, std::size_t index);
    void end(const Order& order, std::size_t index, Scheduler::Result result);
    void take_out(Mail& mail, std::size_t recipients);
    void settle(MessageNumber number);
    void conclude(MessageNumber number);
    void count_active(Site& site, int change);
    bool is_down(const Site& site) const;
    void run_queue();
    void look(queue::Place place);
    void put_into(queue::Place place, MessageNumber number);
    void slice();
    void want_slice();

    unsigned seed_;
    const Config& config_;
    RetryRules retry_;
    unsigned processes_;
    util::Duration patience_;
    std::mt19937_64 random_;
    util::Instant now_;
    std::vector<Event> events_;
    std::uint64_t event_number_ = 0;
    Scheduler scheduler_;
    Intake intake_;
    std::map<std::string, TransportRules> rules_;
    std::map<std::string, unsigned> in_use_;
    std::map<std::string, util::Instant> last_start_;
    std::vector<Site> sites_;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::vector<ReferenceWindow> reference_;
    std::deque<Mail> mail_;
    std::array<std::vector<MessageNumber>, 2> files_;   // of the two queues, with some that have left
    util::Instant wake_;
    bool overflow_ = false, slicing_ = false;
    Waits waits_;
    std::uint64_t posted_ = 0, delivered_ = 0, returned_ = 0, orders_ = 0, left_ = 0;
    std::size_t most_active_ = 0;
};

}  // namespace test
