// Intake: which of the messages that lie in files comes into the active queue next, and how much that holds.  It
// knows no clock, no descriptors and no disk: who owns one gives it names and asks what to look at.
//
// New mail (incoming) and old mail (deferred) each have a look of their own, which stops where there is no room and
// goes on when there is.  Old mail leaves a fifth of the active queue to new mail: a destination that hangs while a
// hundred thousand messages wait for it must not keep everybody else's mail out.
#pragma once

#include "libqueue/backoff.h"
#include "libqueue/directory.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace qmgr {

// When a message is tried again, and when it is given up.  Times in microseconds.
struct RetryRules {
    queue::Backoff backoff;
    std::int64_t lifetime = 0;
    std::int64_t bounce_lifetime = 0;   // of mail without sender, when that is less

    std::int64_t next_attempt(std::int64_t arrival, std::int64_t last_attempt) const
    {
        return last_attempt + backoff.delay(last_attempt - arrival);
    }
    bool is_over(std::int64_t age, bool no_sender) const
    {
        return age >= (no_sender ? std::min(lifetime, bounce_lifetime) : lifetime);
    }
};

class Intake {
public:
    // No message is taken in while there are as many messages, or open recipients, in the active queue; nor while those
    // that are done, but whose messages are not, are so many times that: they take memory, too.
    struct Limits {
        std::size_t messages = 0;
        std::size_t recipients = 0;
    };
    static constexpr std::size_t max_done_share = 10;
    explicit Intake(Limits limits) : limits_(limits) {}

    // --- the active queue ---
    // `open`: of the recipients, those who have not had their turn.
    void entered(std::size_t recipients, std::size_t open);
    void done(std::size_t open);
    // `open`: those who are left without done().
    void left(std::size_t recipients, std::size_t open);
    std::size_t messages() const { return messages_; }
    std::size_t recipients() const { return recipients_; }
    std::size_t open_recipients() const { return open_; }
    bool has_room(queue::Place place = queue::Place::Incoming) const;

    // --- a look through a queue ---
    // `all`: whatever their time.  True: the names are asked for (listed()).  False: one is under way, and another one
    // follows it (ended()).
    bool begin(queue::Place place, bool all);
    void listed(queue::Place place, std::vector<std::string> names);
    // The next name; null when there is none or no room.  Valid until the next call for that queue.
    const std::string* next(queue::Place place);
    bool all(queue::Place place) const { return look(place).all; }
    // What next() gave could not be looked at now: it is next again.
    void put_back(queue::Place place) { --look(place).next; }
    bool running(queue::Place place) const { return look(place).next < look(place).names.size(); }
    // After the last name.  True: another look was asked for meanwhile.
    bool ended(queue::Place place);
    // Does a look wait for nothing but its turn?
    bool can_go_on() const;

private:
    struct Look {
        std::vector<std::string> names;
        std::size_t next = 0;
        bool all = false;
        bool again = false;
    };
    static std::size_t index(queue::Place place) { return place == queue::Place::Deferred; }
    Look& look(queue::Place place) { return looks_[index(place)]; }
    const Look& look(queue::Place place) const { return looks_[index(place)]; }

    Limits limits_;
    std::size_t messages_ = 0;
    std::size_t recipients_ = 0;
    std::size_t open_ = 0;
    std::array<Look, 2> looks_;
};

}  // namespace qmgr
