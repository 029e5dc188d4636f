// Workers: processes that hash passwords.
#include "auth/workers.h"

#include "auth/password.h"
#include "libipc/child.h"
#include "libipc/connection.h"
#include "libutil/log.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace auth {

namespace {

// The whole life of a worker.
[[noreturn]] void serve(int fd)
{
    // An inherited peer end would never see the end of a connection.  0 to 2 and the log stay.
    int keep = ::dup2(fd, server::control_descriptor);
    ::close_range(unsigned(keep) + 1, ~0U, 0);
    ::signal(SIGCHLD, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ipc::Connection peer{util::UniqueFd(keep)};
    for (;;) {
        auto check = peer.receive_as<Check>();
        if (!check.ok())
            ::_exit(0);  // auth has ended, or wants this worker to
        bool good = password_matches(check->hash, check->verifier, check->password);
        if (!peer.send(Checked{good}).ok())
            ::_exit(0);
    }
}

}  // namespace

Workers::Workers(util::EventLoop& loop, std::size_t count, std::size_t queue_limit)
    : loop_(loop), count_(count), queue_limit_(queue_limit), refuse_(loop, [this] {
          for (auto refused = std::move(refused_); Refused& one : refused)
              one.callback(one.verdict);
      })
{
}

Workers::~Workers() = default;

bool Workers::start()
{
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    pid_t pid = pair.ok() ? ::fork() : -1;
    if (pid == 0)
        serve(pair->second.get());
    if (pid < 0) {
        auto error = pair.ok() ? util::system_error("fork", errno) : pair.take_error();
        util::log::warning("no worker for password checks: ", error.text);
        return false;
    }
    auto worker = workers_.emplace(workers_.end());
    worker->pid = pid;
    ipc::Channel::Events events;
    events.received = [this, worker](ipc::Packet& packet) {
        auto checked = ipc::decode<Checked>(packet);
        if (!checked.ok() || !worker->busy)
            return worker->channel->fail(util::invalid("a worker broke the protocol"));
        done(*worker, checked->good ? Verdict::Good : Verdict::Bad);
    };
    events.closed = [this, worker](const util::Error&) { lost(worker); };
    worker->channel = std::make_unique<ipc::Channel>(loop_, std::move(pair->first), std::move(events));
    return true;
}

void Workers::check(const std::string& key, Check check, Callback callback)
{
    if (waiting() >= queue_limit_) {
        refused_.push_back({std::move(callback), Verdict::Busy});
        return refuse_.start(util::Duration::zero());
    }
    auto [asked, fresh] = asked_.try_emplace(key);
    asked->second.push_back(std::move(callback));
    ++callbacks_;
    if (fresh) {
        queue_.push_back({key, std::move(check)});
        return pump();
    }
    explicit_bzero(check.password.data(), check.password.size());
}

std::vector<Workers::Callback> Workers::take_callbacks(const std::string& key)
{
    auto asked = asked_.find(key);
    CHECK(asked != asked_.end());
    std::vector<Callback> callbacks = std::move(asked->second);
    asked_.erase(asked);
    callbacks_ -= callbacks.size();
    return callbacks;
}

void Workers::pump()
{
    while (!queue_.empty()) {
        auto idle =
            std::ranges::find_if(workers_, [](const Worker& worker) { return !worker.busy && worker.channel->is_open(); });
        if (idle == workers_.end()) {
            if (workers_.size() >= count_)
                return;
            if (start())
                continue;
            if (!workers_.empty())
                return;
            // No worker, and none to be had: nobody may wait for ever.
            for (Callback& callback : take_callbacks(queue_.front().key))
                refused_.push_back({std::move(callback), Verdict::Unavailable});
            queue_.pop_front();
            refuse_.start(util::Duration::zero());
            continue;
        }
        Job job = std::move(queue_.front());
        queue_.pop_front();
        idle->busy = true;
        ++checks_made_;
        idle->key = std::move(job.key);
        idle->channel->send(job.check);
        explicit_bzero(job.check.password.data(), job.check.password.size());
    }
}

void Workers::done(Worker& worker, Verdict verdict)
{
    worker.busy = false;
    auto callbacks = take_callbacks(worker.key);
    pump();
    for (Callback& callback : callbacks)
        callback(verdict);
}

void Workers::lost(std::list<Worker>::iterator worker)
{
    util::log::warning("a worker for password checks has ended");
    auto callbacks = worker->busy ? take_callbacks(worker->key) : std::vector<Callback>();
    workers_.erase(worker);
    pump();
    for (Callback& callback : callbacks)
        callback(Verdict::Unavailable);
}

void Workers::reap()
{
    while (::waitpid(-1, nullptr, WNOHANG) > 0)
        ;
}

}  // namespace auth
