// Workers: processes that do nothing but hash passwords, so that the event loop never waits for
// them.  Each is a fork of auth(8) that has closed all but its own socket and the log.
#pragma once

#include "libipc/channel.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

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

// Busy: too many wait.  Unavailable: no worker could be started, or it ended over the check.
enum class Verdict : unsigned char { Good, Bad, Busy, Unavailable };

class Workers {
public:
    using Callback = std::function<void(Verdict)>;

    Workers(util::EventLoop& loop, std::size_t count, std::size_t queue_limit);
    ~Workers();

    // Calls back from the event loop, never from within this call.  Checks of the same key (which stands
    // for the same contents) that meet here are made once, for all their callbacks.  Busy: as many as
    // the queue's limit are waiting.
    void check(const std::string& key, Check check, Callback callback);
    // Buries workers that have ended (SIGCHLD).
    void reap();
    // Callbacks, those that share a check among them, but for one of each busy worker.
    std::size_t waiting() const { return callbacks_ - std::size_t(std::ranges::count_if(workers_, &Worker::busy)); }
    // Checks that were given to workers so far.
    std::uint64_t checks_made() const { return checks_made_; }

private:
    struct Job {
        std::string key;
        Check check;
    };
    struct Worker {
        pid_t pid = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::string key;  // of the job at hand
        bool busy = false;
    };
    bool start();
    void pump();
    void done(Worker& worker, Verdict verdict);
    std::vector<Callback> take_callbacks(const std::string& key);
    void lost(std::list<Worker>::iterator worker);

    util::EventLoop& loop_;
    std::size_t count_;
    std::size_t queue_limit_;
    std::list<Worker> workers_;
    std::deque<Job> queue_;
    std::unordered_map<std::string, std::vector<Callback>> asked_;  // by key, in the queue or with a worker
    std::size_t callbacks_ = 0;                                     // in it
    std::uint64_t checks_made_ = 0;
    struct Refused {
        Callback callback;
        Verdict verdict = Verdict::Busy;
    };
    std::deque<Refused> refused_;   // to be told from the event loop
    util::Timer refuse_;
};

}  // namespace auth
