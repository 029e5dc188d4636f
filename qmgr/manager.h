// Manager: the life of every message from its offer or its file to its end.
//
// It alone decides, once, how the commit race of an offered message ends, and it is the only one who
// moves, marks and removes named files.
//
//   manager.cc            taking messages up, starting jobs, forgetting messages
//   manager_offers.cc     cleanup's connections: offers, rulings, names
//   manager_outcomes.cc   what agents say, agents that end or are not there
//   manager_ending.cc     notifications, deferral, removal
//   manager_scan.cc       files: import, scans of incoming and deferred
#pragma once

#include "libipc/offer.h"
#include "libipc/verification.h"
#include "libqueue/change.h"
#include "librouting/router.h"
#include "libutil/shortage.h"
#include "qmgr/agents.h"
#include "qmgr/config.h"
#include "qmgr/counters.h"
#include "qmgr/intake.h"
#include "qmgr/message.h"
#include "qmgr/race_estimate.h"

#include <deque>
#include <queue>
#include <unordered_set>

namespace qmgr {

using Router = std::function<routing::Route(const ipc::Recipient& recipient, const std::string& sender)>;

// Who takes notices.
constexpr std::string_view bounce_service = "bounce";
// As stories and envelopes give the time.
inline std::int64_t wall_microseconds() { return util::wall_now().time_since_epoch().count(); }

TransportRules rules_of(const Config& config, std::string_view transport);
RetryRules retry_rules(const Config& config);

class Manager {
public:
    // `open_files`: how many the process may have; they bound the active queue, too.
    Manager(util::EventLoop& loop, const Config& config, queue::Directory& directory, Router router,
            Agents::PathOf path_of, std::size_t open_files = SIZE_MAX);
    ~Manager();
    // What separates users from extensions (recipient_delimiter): where each recipient is a destination, all of a
    // user's addresses are one, as in Postfix, so that nobody has more than his share of an agent.
    void set_recipient_delimiter(std::string delimiter) { recipient_delimiter_ = std::move(delimiter); }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    // Looks through the queue, now and every queue_run_delay.
    void start();
    // No further jobs; calls back when those that are out have ended.
    void stop(std::function<void()> stopped);

    // Address verification: which way probes go, and who hears what they have found.  Unset: they go as mail
    // does, and nobody hears of it.
    struct Probes {
        Router router;
        std::function<void(const ipc::ProbeResult&)> report;
    };
    void set_probes(Probes probes) { probes_ = std::move(probes); }

    // A connection of cleanup; `gone` is called when it has ended.
    void add_cleaner(util::UniqueFd fd, std::function<void()> gone);

    // --- for tools ---
    // Looks at deferred messages at once, whatever their time; dead destinations get a chance.
    void flush();
    // The same for one message; false when it is not there.
    bool flush_message(const std::string& id);
    using Change = ipc::QueueChange::Kind;
    // Without queues: wherever the change makes sense.
    util::Result<void> change(const std::string& id, Change change, ipc::QueueSet queues = 0,
                              const std::string& reason = "by request");
    // When a deferred message is tried again, by the time of its last attempt (the file's mtime), both
    // in microseconds since 1970.
    std::int64_t next_attempt(const std::string& id, std::int64_t mtime) const;
    const Message* find(const std::string& id) const;
    const std::unordered_map<MessageNumber, std::unique_ptr<Message>>& messages() const { return messages_; }
    const queue::Directory& directory() const { return directory_; }
    std::vector<ipc::Metric> metrics() const;

private:
    struct Cleaner {
        std::size_t number = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::unordered_set<MessageNumber> messages;   // offered, and neither named nor forgotten
        std::function<void()> gone;
    };
    enum class Import : std::uint8_t { Taken, NotNow, NoDescriptor, Gone };

    // manager.cc
    Message& add_message(std::unique_ptr<Message> message);
    void activate(Message& message);
    const Router& router_for(const Message& message) const;
    void route(Message& message, const std::vector<std::uint32_t>& recipients);
    bool decide_inside(Message& message, std::uint32_t index, const routing::Route& route);
    void dispatch();
    void start_job(const Order& order);
    void answer_for_agent(const Order& order, Message& message);
    void start_quarantined();
    void start_notices();
    void forget(Message& message);
    void take_out(Message& message, std::size_t recipients);
    void use_room();
    bool has_room() const { return !stopped_ && intake_.has_room(); }
    Message* find_number(MessageNumber number);

    // manager_offers.cc
    void received(Cleaner& cleaner, ipc::Packet& packet);
    void offered(Cleaner& cleaner, ipc::Offer& offer, bool cut);
    void rule(Message& message, ipc::Ruling::Kind kind);
    void named(Message& message);
    void not_named(Message& message);
    void cleaner_closed(Cleaner& cleaner);
    void race_is_over();
    bool may_race(const ipc::Offer& offer, const Message& message) const;

    // manager_outcomes.cc
    void stored(const ipc::StoredNotice& notice);
    void outcome(ipc::Outcome& outcome);
    void notice_outcome(ipc::Outcome& outcome);
    void lost(const std::string& transport, const std::vector<ipc::JobId>& jobs, Agents::Loss loss);
    void hold_for_deaths(Message& message);
    void unavailable(const std::string& transport, const util::Error& error);
    void stop_when_idle();
    bool pass_on(Message& message, ipc::Outcome& result);
    void end_flight(ipc::JobId job, Scheduler::Result result);
    void defer_withdrawn(std::vector<Withdrawn> withdrawn, std::string_view dsn, std::string_view text);
    void defer_slice();
    // The recipient's fate in this attempt; `log` when no agent has said it.
    void decide(Message& message, std::uint32_t index, ipc::DeliveryStatus status, bool log);
    void defer_recipient(Message& message, std::uint32_t index, std::string_view dsn, std::string_view text);

    // manager_ending.cc
    void settle(Message& message);
    void settle_race(Message& message);
    void conclude(Message& message);
    void conclude_probe(Message& message);
    void expire(Message& message, std::int64_t age);
    static void add_aliases(Message& message, const std::vector<ipc::Recipient>& aliases);
    bool owes_success(const Message& message, const MessageRecipient& recipient) const;
    bool notify_failures(Message& message);
    bool notify_success(Message& message);
    bool notify_report(Message& message);
    bool notify_delay(Message& message, std::int64_t age);
    void notify(Message& message, ipc::Notify::Kind kind, std::vector<std::uint32_t> recipients);
    static std::size_t fitting_notice(const Message& message, const std::vector<std::uint32_t>& recipients);
    void order_the_next(Message& message, const Notice& notice);
    void defer(Message& message);
    void remove(Message& message);
    void put_on_hold(Message& message);
    int writable(Message& message);
    void mark(Message& message, MessageRecipient& recipient);
    void mark_all_done(Message& message);
    void tell(Message& message, const queue::StoryEntry& entry);
    bool short_of_files(const util::Error& error);
    void put_off(const Message& message);
    void try_again();

    // manager_scan.cc
    void scan(queue::Place place, bool all);
    void scan_slice();
    bool scan_some(queue::Place place, std::size_t budget);
    Import import(const std::string& id, queue::Place place);
    void set_aside(const std::string& id, queue::Place place, const util::Error& error);
    static void obey(Message& message, const queue::Summary& summary);
    void restore_state(Message& message, const queue::Reader& reader);
    void clear_litter(const std::string& name);
    void change_active(Message& message, Change change, const std::string& reason);

    util::EventLoop& loop_;
    const Config& config_;
    queue::Directory& directory_;
    Router router_;
    Probes probes_;
    std::string recipient_delimiter_;
    Scheduler scheduler_;
    Agents agents_;

    std::unordered_map<MessageNumber, std::unique_ptr<Message>> messages_;
    std::unordered_map<std::string, Message*> by_id_;
    MessageNumber next_number_ = 1;
    Intake intake_;
    Counters counters_;
    bool overflow_ = false;     // something waits in incoming/ for room
    util::Shortage shortage_;   // of descriptors
    std::vector<MessageNumber> put_off_;   // what is to be written to their files waits for one
    bool flushing_ = false;     // deferred transports are served, too

    std::unordered_map<ipc::JobId, Flight> flights_;
    std::unordered_map<ipc::JobId, Notice> notices_;
    std::deque<ipc::JobId> waiting_notices_;
    ipc::JobId next_own_job_;
    struct Quarantined {
        MessageNumber message;
        std::string nexthop;
        std::vector<std::uint32_t> recipients;
    };
    std::map<std::string, std::deque<Quarantined>, std::less<>> quarantine_;
    // What the scheduler gave back, to be deferred a slice at a time.
    struct Suspended {
        std::vector<Withdrawn> items;
        std::string dsn;
        std::string text;
        std::size_t next = 0;
    };
    std::deque<Suspended> suspended_;
    bool deferring_ = false;
    struct Down {
        util::Instant until;
        std::string reason;
    };
    std::map<std::string, Down, std::less<>> down_;

    std::unordered_map<std::size_t, std::unique_ptr<Cleaner>> cleaners_;
    std::size_t next_cleaner_ = 1;
    std::vector<std::unique_ptr<Cleaner>> gone_cleaners_;
    RaceEstimate estimate_;
    using Race = std::pair<util::Instant, MessageNumber>;
    std::priority_queue<Race, std::vector<Race>, std::greater<>> races_;

    std::function<void()> stopped_;
    bool dispatching_ = false;
    bool dispatch_again_ = false;

    util::Timer race_timer_;
    util::Timer slice_timer_;
    util::Timer suspended_timer_;
    util::Timer run_timer_;
    util::Timer rate_timer_;
    util::Timer sweep_timer_;
    util::Timer shortage_timer_;
};

}  // namespace qmgr
