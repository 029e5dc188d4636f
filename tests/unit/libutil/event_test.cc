// libutil/event.h
#include "libutil/event.h"

#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>

#include <csignal>
#include <optional>

using namespace util;

namespace {

TEST(a_watch_tells_what_is_ready_until_it_pauses)
{
    EventLoop loop = EventLoop::create().take();
    auto pair = sys::socket_pair(SOCK_STREAM).take();
    unsigned seen = 0;
    int calls = 0;
    Watch watch(loop, pair.first.get(), Watch::Read, [&](unsigned ready) { seen |= ready; ++calls; });
    loop.run_ready();
    EQ(calls, 0);
    OK(sys::write_all(pair.second.get(), "x"));
    loop.run_ready();
    EQ(seen, unsigned(Watch::Read));
    watch.want(Watch::ReadWrite);
    loop.run_ready();
    EQ(seen, unsigned(Watch::ReadWrite));
    watch.want(Watch::None);
    calls = 0;
    loop.run_ready();
    EQ(calls, 0);
    watch.want(Watch::Read);
    loop.run_ready();
    EQ(calls, 1);
}
END_TEST

TEST(a_callback_may_destroy_its_own_watch)
{
    EventLoop loop = EventLoop::create().take();
    auto pair = sys::socket_pair(SOCK_STREAM).take();
    std::optional<Watch> watch;
    std::string captured = "long enough to live on the heap, so that asan sees a mistake";
    std::string after;
    watch.emplace(loop, pair.first.get(), Watch::Write, [&, captured](unsigned) {
        watch.reset();
        after = captured;
        loop.stop();
    });
    loop.run();
    EQ(after, captured);
    THAT(loop.stopping());
}
END_TEST

TEST(a_timer_fires_once_and_can_be_stopped)
{
    EventLoop loop = EventLoop::create().take();
    int fired = 0;
    Timer timer(loop, [&] { ++fired; });
    THAT(!timer.running());
    timer.start(1ms);
    THAT(timer.running());
    loop.run();  // ends when nothing is registered
    EQ(fired, 1);
    THAT(!timer.running());
    timer.start(1h);
    timer.stop();
    loop.run();
    EQ(fired, 1);
    timer.start(-5s);
    loop.run();
    EQ(fired, 2);
}
END_TEST

TEST(a_timer_may_start_itself_again_and_move)
{
    EventLoop loop = EventLoop::create().take();
    int fired = 0;
    Timer moved;
    Timer timer(loop, [&] {
        if (++fired < 3)
            moved.start(0s);
    });
    moved = std::move(timer);
    moved.start(0s);
    loop.run();
    EQ(fired, 3);
}
END_TEST

TEST(signals_arrive_in_the_loop)
{
    EventLoop loop = EventLoop::create().take();
    SignalWatch watch(loop, SIGUSR1, [&] { loop.stop(); });
    raise(SIGUSR1);
    loop.run();
    THAT(loop.stopping());
}
END_TEST

TEST(run_for_ends_without_events)
{
    EventLoop loop = EventLoop::create().take();
    Timer far(loop, [] {});
    far.start(1h);
    loop.run_for(1ms);
    THAT(far.running());
}
END_TEST

SUITE(event, a_watch_tells_what_is_ready_until_it_pauses, a_callback_may_destroy_its_own_watch,
      a_timer_fires_once_and_can_be_stopped, a_timer_may_start_itself_again_and_move,
      signals_arrive_in_the_loop, run_for_ends_without_events)

}  // namespace
