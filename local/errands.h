// Asking errands(8): what users' files say, and what is to be done with users' rights.
#pragma once

#include "libipc/channel.h"
#include "libipc/errands.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace local {

// For so long a name that is no user's is not asked for again, and so many are remembered.
constexpr util::Duration unknown_user_time{10'000'000};
constexpr std::size_t max_unknown_users = 1000;
constexpr std::size_t max_list_destinations = 100'000;   // of one list, whatever errands says

class Errands {
public:
    using ListAnswer = std::function<void(ipc::ListPart)>;
    using Done = std::function<void(ipc::ErrandDone)>;

    // An answer that takes longer than `timeout` counts as a temporary failure.
    Errands(util::EventLoop& loop, std::string socket, util::Duration timeout);

    // The whole list, in one ListPart, however many records it took.  May answer from within, where it is
    // known that there is no such user.
    void read(const ipc::Place& place, const std::string& recipient, ListAnswer answer);
    // What was moved into `order` for the time of sending may be moved back afterwards.
    void run(ipc::RunEntry& order, Done done);

private:
    struct Request {
        ListAnswer list;
        Done done;
        std::string user;        // whose .forward it is
        ipc::ListPart parts;
        util::Instant deadline;
    };

    bool reach();
    void received(ipc::Packet& packet);
    void take_part(ipc::ListPart part);
    void lost(const util::Error& error);
    void fail(Request request, std::string_view why);
    void note_unknown(const std::string& user);
    void watch_time();
    void sweep();

    util::EventLoop& loop_;
    std::string socket_;
    util::Duration timeout_;
    std::unique_ptr<ipc::Channel> channel_;
    std::uint64_t next_request_ = 1;
    std::unordered_map<std::uint64_t, Request> requests_;
    std::unordered_map<std::string, util::Instant> unknown_;   // until when
    std::deque<std::string> unknown_order_;
    bool missing_ = false;   // there is no such service here, and that was logged
    util::Timer sweep_timer_;
};

}  // namespace local
