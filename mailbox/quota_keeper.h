// QuotaKeeper: the limits of one user's store as usher tells them, what usher hears in return, and the warnings
// that the user finds in INBOX.
//
// When the domain has limits, each growth is asked for and waited for over the account socket: usher answers in
// a fraction of a millisecond, and at once for what is full.
#pragma once

#include "libipc/quota.h"
#include "libipc/mailbox.h"
#include "libstore/store.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"
#include "mailbox/deliveries.h"

#include <optional>
#include <string>
#include <vector>

namespace mailbox {

// How long an answer of usher's may take; then the growth is refused for now.
constexpr util::Duration room_timeout{10'000'000};

class QuotaKeeper {
public:
    QuotaKeeper(util::EventLoop& loop, store::Store& store, std::string account, Renderer render);
    ~QuotaKeeper();

    // New limits.
    void take(ipc::QuotaOrder order);
    // At the end of each turn of the loop, before the store's changes are handed over: warns, and tells usher.
    void turn();

private:
    struct Level {
        unsigned threshold = 0;   // the highest that is passed
        unsigned percent = 0;
        bool storage = true;
        std::uint64_t used = 0;
        std::uint64_t limit = 0;
    };

    util::Result<void> ask_for_room(const store::QuotaUsage& used, const store::QuotaUsage& more);
    util::Result<ipc::RoomAnswer> room_answer(std::uint64_t request);
    void heard();
    bool received(ipc::Packet& packet);
    bool worth_telling(const store::QuotaUsage& usage) const;
    void tell(const store::QuotaUsage& usage);
    Level level() const;
    void watch_levels();
    bool warn(const Level& level);
    void lost(const util::Error& error);

    util::EventLoop& loop_;
    store::Store& store_;
    std::string account_;
    Renderer render_;
    ipc::QuotaOrder order_;
    util::UniqueFd socket_;
    std::optional<util::Watch> watch_;
    std::optional<ipc::RoomAnswer> answer_;
    std::uint64_t request_ = 0;
    std::optional<store::QuotaUsage> told_;
    bool asked_ = false;              // usher wants to hear it at the end of this turn
    store::Lsn looked_at_ = 0;        // the store's last change then
    unsigned passed_ = 0;             // the highest threshold that was passed when last looked
    bool limits_seen_ = false;        // there was an order before
};

}  // namespace mailbox
