// Workers: processes that do nothing but hash passwords, so that the event loop never waits for
// them.  Each is a fork of auth(8) that has closed all but its own socket and the log.
#pragma once

#include "libipc/channel.h"

#include <deque>
#include <functional>
#include <list>

namespace auth {

// To a worker, and back.
struct Check {
    static constexpr std::string_view message_name = "check";
    std::string hash;
    std::string verifier;
    std::string password;

    static void fields(auto& message, auto& visit)
    {
        visit("hash", message.hash);
        visit("verifier", message.verifier);
        visit("password", message.password);
    }
};
struct Checked {
    static constexpr std::string_view message_name = "checked";
    bool good = false;

    static void fields(auto& message, auto& visit) { visit("good", message.good); }
};

enum class Verdict : unsigned char { Good, Bad, Unavailable };

class Workers {
public:
    using Callback = std::function<void(Verdict)>;

    Workers(util::EventLoop& loop, std::size_t count, std::size_t queue_limit);
    ~Workers();

    // Calls back from the event loop, never from within this call.  Unavailable: the queue is full,
    // or the worker died over it.
    void check(Check check, Callback callback);
    // Buries workers that have ended (SIGCHLD).
    void reap();
    std::size_t waiting() const { return queue_.size(); }

private:
    struct Job {
        Check check;
        Callback callback;
    };
    struct Worker {
        pid_t pid = 0;
        std::unique_ptr<ipc::Channel> channel;
        Callback callback;  // of the job at hand
        bool busy = false;
    };
    bool start();
    void pump();
    void done(Worker& worker, Verdict verdict);
    void lost(std::list<Worker>::iterator worker);

    util::EventLoop& loop_;
    std::size_t count_;
    std::size_t queue_limit_;
    std::list<Worker> workers_;
    std::deque<Job> queue_;
    std::deque<Callback> refused_;
    util::Timer refuse_;
};

}  // namespace auth
