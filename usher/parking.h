// The parked sessions: those that wait, and whose mailbox processes need not be there for it.
//
// Here are their connections and what they need to go on (libipc/parking.h).  Nothing is read from a
// connection, but it is looked whether something is there.  Knows no clock.
#pragma once

#include "libipc/parking.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"
#include "usher/launcher.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace usher {

// All that is kept of parked sessions together; one that would go beyond it is not taken.
constexpr std::size_t max_parked_bytes = 256U << 20;

struct ParkedSession {
    enum class State : unsigned char {
        Parked,
        Waking,     // it waits for its turn, or for another try
        Placed,     // it waits for its mailbox process
        Resuming,   // which has been asked to go on with it
    };
    std::uint64_t number = 0;
    std::string account;
    std::string session;              // its id
    Identity identity;                // whose it is: another account of that name is another
    State state = State::Parked;
    ipc::ParkSession order;           // client and state among it
    util::Instant due = util::Instant::max();   // autologout, or the next try
    bool queued = false;              // it is among those that wait for a process
    bool starts = false;              // one is started for it
    std::string_view over;            // why it ends as soon as no process may have it; empty: it goes on
    util::Watch watch;

    bool watches(std::uint64_t mailbox) const;
    std::size_t bytes() const { return order.state.size() + order.watches.size() * sizeof(ipc::Watched) + 1024; }
};

class Parking {
public:
    using Stirred = std::function<void(std::uint64_t number)>;
    // `stirred`: something has come from the client of a parked session, or its end.
    Parking(util::EventLoop& loop, Stirred stirred) : loop_(loop), stirred_(std::move(stirred)) {}

    // Why this cannot be parked, if it cannot: it is not what a mailbox process sends.
    static std::optional<std::string_view> objection(const ipc::ParkSession& order);
    bool has_room(const ipc::ParkSession& order, std::size_t limit) const;

    ParkedSession& add(const std::string& account, Identity identity, ipc::ParkSession order, util::Instant due);
    ParkedSession* find(std::uint64_t number);
    ParkedSession* find(const std::string& account, std::string_view session);
    // Its connection is closed, unless others have it, too.
    void remove(std::uint64_t number);

    // From Parked to Waking: the client is not listened to.
    void wake(ParkedSession& session);
    // Whether or not it was Waking: again at that time.
    void set_due(ParkedSession& session, util::Instant due);
    // Those whose time has come; the time of the next.
    std::vector<std::uint64_t> due(util::Instant now) const;
    util::Instant next_due() const { return due_.empty() ? util::Instant::max() : due_.begin()->first; }

    // That one, if it has any; for an empty name all.
    std::vector<std::string> accounts(const std::string& name) const;
    std::vector<std::uint64_t> of(const std::string& account) const;
    std::size_t count(const std::string& account) const;
    // What the account's sessions that are Parked watch.
    std::vector<ipc::Watched> watches_of(const std::string& account) const;
    std::vector<std::uint64_t> all() const;
    std::size_t size() const { return sessions_.size(); }

private:
    util::EventLoop& loop_;
    Stirred stirred_;
    std::uint64_t next_ = 1;
    std::size_t bytes_ = 0;
    std::unordered_map<std::uint64_t, ParkedSession> sessions_;
    std::unordered_map<std::string, std::vector<std::uint64_t>> accounts_;
    std::set<std::pair<util::Instant, std::uint64_t>> due_;
};

}  // namespace usher
