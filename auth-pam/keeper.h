// auth-pam behind its main(): questions of auth(8) become processes, and what these say become answers.
#pragma once

#include "auth-pam/attempt.h"
#include "libipc/channel.h"
#include "libutil/event.h"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

namespace auth_pam {

struct Settings {
    Rules rules;
    util::Duration timeout{30'000'000};   // auth_pam_timeout
    std::size_t process_limit = 20;       // auth_pam_process_limit
};

// Questions that wait for a process; beyond it the answer is to try again.
constexpr std::size_t max_waiting = 1000;

class Keeper {
public:
    // What the process of a question does, with the one end of a connection: tests have another one.
    using Work = std::function<void(const ipc::CheckUser& wanted, const Rules& rules, int result)>;
    static void ask_pam(const ipc::CheckUser& wanted, const Rules& rules, int result);

    Keeper(util::EventLoop& loop, Settings settings, Work work = ask_pam);
    ~Keeper();

    // A connection of auth; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // For questions from now on.
    void change(Settings settings) { settings_ = std::move(settings); }
    // SIGCHLD.
    void reap();
    // Ends all of them.
    void stop();

    std::size_t processes() const { return attempts_.size(); }

private:
    struct Peer {
        std::unique_ptr<ipc::Channel> channel;
        std::function<void()> gone;
    };
    struct Waiting {
        std::uint64_t peer = 0;
        ipc::CheckUser wanted;
        util::Instant deadline;
    };
    struct Attempt {
        std::uint64_t peer = 0;
        std::uint64_t request = 0;
        std::unique_ptr<ipc::Channel> result;
        util::Instant deadline;
        bool answered = false;
    };

    void received(std::uint64_t peer, ipc::Packet& packet);
    void serve_waiting();
    util::Result<void> start(Waiting& waiting);
    void answer(std::uint64_t peer, const ipc::UserChecked& answer);
    void give_up(std::uint64_t peer, std::uint64_t request, std::string_view why);
    void ended(pid_t pid);
    void sweep();

    util::EventLoop& loop_;
    Settings settings_;
    Work work_;
    std::uint64_t next_peer_ = 1;
    std::unordered_map<std::uint64_t, Peer> peers_;
    std::unordered_map<pid_t, Attempt> attempts_;
    std::deque<Waiting> waiting_;
    util::Timer sweep_timer_;   // runs while there is something to wait for
};

}  // namespace auth_pam
