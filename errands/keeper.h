// errands behind its main(): orders of local(8) become processes, and their ends become answers.
#pragma once

#include "errands/worker.h"
#include "libipc/channel.h"
#include "libutil/event.h"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <variant>

namespace errands {

struct Settings {
    std::size_t process_limit = 50;         // errands_process_limit: readers of lists, and all others
    util::Duration time_limit{1000'000'000};   // command_time_limit
    util::Duration list_time_limit{30'000'000};   // errands_list_time_limit
};

constexpr std::size_t shares = 5;           // one user, or alias, has at most that part of the processes
constexpr std::size_t max_waiting = 1000;   // orders of each kind that wait for a process, 64 KB each

class Keeper {
public:
    Keeper(util::EventLoop& loop, Settings settings, Rules rules);

    // A connection of local; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // SIGCHLD.
    void reap();
    // Takes no more orders, and calls `done` when no process is left.
    void stop(std::function<void()> done);
    // Ends them all at once.
    void kill_all();

    std::size_t processes() const { return errands_.size(); }

private:
    struct Peer {
        std::uint64_t id = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::function<void()> gone;
    };
    using Order = std::variant<ipc::ReadList, ipc::RunEntry>;
    struct Waiting {
        std::uint64_t peer = 0;
        Order order;
    };
    struct Errand {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        bool reads = false;                       // a list; else an entry is run
        std::string party;                        // whose it is
        std::unique_ptr<ipc::Channel> result;
        bool answered = false;
        std::string command;                      // once it runs
        util::UniqueFd output;
        util::Watch output_watch;
        std::string printed;
        util::Instant deadline;
        bool timed_out = false;
    };

    void received(std::uint64_t peer, ipc::Packet& packet);
    void place(std::uint64_t peer, Order order);
    bool may_start(const Order& order);
    void forget(std::uint64_t peer, std::uint64_t request);
    util::Result<void> start(std::uint64_t peer, Order& order);
    void fail(std::uint64_t peer, const Order& order, std::string_view why);
    void heard(pid_t pid, ipc::Packet& packet);
    void read_output(Errand& errand);
    void ended(pid_t pid, int status);
    void answer_end(Errand& errand, int status);
    void serve_waiting();
    ipc::Channel* channel_of(std::uint64_t peer);
    void watch_time();
    void sweep();

    util::EventLoop& loop_;
    Settings settings_;
    Rules rules_;
    std::uint64_t next_peer_ = 1;
    std::unordered_map<std::uint64_t, Peer> peers_;
    std::unordered_map<pid_t, Errand> errands_;
    // Of those that read lists, and of others, as each kind has its own limit: commands that take long must
    // not hold up mail that needs none.
    struct Lane {
        std::size_t running = 0;
        std::deque<Waiting> waiting;
    };
    Lane& lane(bool reads) { return lanes_[reads]; }
    Lane lanes_[2];
    std::function<void()> done_;
    bool stopping_ = false;
    util::Timer sweep_timer_;
};

}  // namespace errands
