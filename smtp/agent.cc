#include "smtp/agent.h"

#include "libutil/log.h"

#include <algorithm>
#include <poll.h>

namespace smtp {

namespace {

using namespace std::chrono_literals;

// Between looks at `stop`; a signal ends the wait before.
constexpr util::Duration longest_wait = 60s;

}  // namespace

// True: there is something to read from qmgr.  Meanwhile the kept connection ends when its time is over, or
// when the server says or does something.
bool Agent::wait_for_job(bool (*stop)())
{
    for (;;) {
        if (stop())
            return false;
        Kept& kept = services_.kept;
        util::Instant until = util::now() + longest_wait;
        if (kept.session)
            until = std::min(until, kept.until);
        pollfd wanted[] = {{.fd = connection_.fd(), .events = POLLIN, .revents = 0},
                           {.fd = kept.session ? kept.session->fd() : -1, .events = POLLIN, .revents = 0}};
        int ready = ::poll(wanted, std::size(wanted), util::Deadline::at(until).poll_milliseconds());
        if (ready > 0 && wanted[0].revents)
            return true;
        if (kept.session && (util::now() >= kept.until || (ready > 0 && wanted[1].revents)))
            kept.drop();
    }
}

// The job came without its message: qmgr gives it again later.
util::Result<void> Agent::put_off(const ipc::Job& job)
{
    util::log::warning(job.queue_id, ": not delivered: ", ipc::cut_error().text);
    for (const ipc::JobRecipient& recipient : job.recipients) {
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = recipient.index;
        outcome.status = deferral("4.3.0", ipc::cut_error().text).status;
        TRY(connection_.send(outcome));
    }
    return {};
}

util::Result<void> Agent::run(bool (*stop)())
{
    ipc::OrderTaker<ipc::Job> taker;
    taker.wait = [&] { return wait_for_job(stop); };
    taker.began = began_;
    taker.carry_out = [this](const ipc::Job& job) {
        return Delivery(services_, job, [this](const ipc::Outcome& outcome) { return connection_.send(outcome); }).run();
    };
    taker.put_off = [this](const ipc::Job& job) { return put_off(job); };
    return ipc::take_orders(connection_, {.verifies = true}, taker);
}

}  // namespace smtp
