// Guard: what anvil(8) knows of who tries to log in.
//
// One standing connection, made when it is first needed.  When anvil is away, or does not answer in
// time, nobody has a history: log-ins go on.
#pragma once

#include "libipc/anvil.h"
#include "libipc/channel.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace auth {

class Guard {
public:
    using Answer = std::function<void(const ipc::LoginHistory&)>;

    static constexpr util::Duration timeout{2'000'000};   // of one answer
    static constexpr util::Duration pause{10'000'000};    // after a failure
    static constexpr util::Duration long_pause{600'000'000};  // where master.cf has no anvil
    static constexpr std::size_t max_waiting = 10'000;    // who comes beyond it is not looked up

    Guard(util::EventLoop& loop, std::string socket);

    // May answer at once.
    void ask(const std::string& network, const std::string& account, Answer answer);
    void ended(const std::string& network, const std::string& account, bool good);

private:
    ipc::Channel* anvil();
    void heard(ipc::Packet& packet);
    // All who wait go on without a history.
    void lose(std::string_view why, util::Duration for_how_long = pause);

    util::EventLoop& loop_;
    std::string socket_;
    std::unique_ptr<ipc::Channel> channel_;
    std::map<std::uint64_t, Answer> waiting_;   // by request
    std::uint64_t next_ = 1;
    util::Instant next_try_{};
    util::Timer timer_;                         // runs while somebody waits
};

}  // namespace auth
