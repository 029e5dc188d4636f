// The event loop of multiplexers: ownership and trampolines around libevent.
#include "libutil/event.h"

#include "libutil/handle.h"

#include <event2/event.h>

#include <algorithm>

namespace util {

namespace {

timeval to_timeval(Duration duration)
{
    std::int64_t left = std::max<std::int64_t>(duration.count(), 0);
    return {.tv_sec = left / 1'000'000, .tv_usec = left % 1'000'000};
}

short to_libevent(unsigned interest)
{
    return static_cast<short>(((interest & Watch::Read) ? EV_READ : 0) | ((interest & Watch::Write) ? EV_WRITE : 0) |
                              EV_PERSIST);
}

}  // namespace

namespace detail {

struct Registration : std::enable_shared_from_this<Registration> {
    Handle<event, event_free> registered;
    EventLoop* loop = nullptr;
    int fd = -1;
    unsigned interest = 0;
    std::function<void(unsigned)> callback;

    static void fired(evutil_socket_t, short what, void* argument) noexcept
    {
        auto self = static_cast<Registration*>(argument)->shared_from_this();
        unsigned ready = ((what & EV_READ) ? unsigned(Watch::Read) : 0u) |
                         ((what & EV_WRITE) ? unsigned(Watch::Write) : 0u);
        self->callback(ready);
    }
};

}  // namespace detail

namespace {

std::shared_ptr<detail::Registration> make(EventLoop& loop, int fd, short what, std::function<void(unsigned)> callback)
{
    auto self = std::make_shared<detail::Registration>();
    self->loop = &loop;
    self->fd = fd;
    self->callback = std::move(callback);
    self->registered.reset(event_new(loop.base(), fd, what, detail::Registration::fired, self.get()));
    CHECK(self->registered);  // out of memory only
    return self;
}

}  // namespace

void free_event_base(event_base* base) { event_base_free(base); }

Result<EventLoop> EventLoop::create()
{
    Handle<event_config, event_config_free> config(event_config_new());
    if (!config)
        return temporary("no memory for an event loop");
    // The environment must not choose the way we wait; there is one thread.
    event_config_set_flag(config.get(), EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK);
    event_base* base = event_base_new_with_config(config.get());
    if (!base)
        return temporary("cannot make an event loop");
    return EventLoop(base);
}

void EventLoop::run()
{
    while (!stopping_ && event_base_loop(base_.get(), 0) == 0) {
    }
}

void EventLoop::run_once() { event_base_loop(base_.get(), EVLOOP_ONCE); }

void EventLoop::run_ready() { event_base_loop(base_.get(), EVLOOP_ONCE | EVLOOP_NONBLOCK); }

void EventLoop::run_for(Duration limit)
{
    timeval wait = to_timeval(limit);
    event_base_loopexit(base_.get(), &wait);
    event_base_loop(base_.get(), EVLOOP_ONCE);
}

void EventLoop::stop()
{
    stopping_ = true;
    event_base_loopbreak(base_.get());
}

void EventLoop::after_fork() { CHECK(event_reinit(base_.get()) == 0); }

Watch::Watch(EventLoop& loop, int fd, unsigned interest, Callback callback)
    : registration_(make(loop, fd, to_libevent(interest), std::move(callback)))
{
    registration_->interest = None;
    want(interest);
}

void Watch::want(unsigned interest)
{
    detail::Registration& self = *registration_;
    if (self.interest == interest)
        return;
    self.interest = interest;
    event_del(self.registered.get());
    if (interest == None)
        return;
    CHECK(event_assign(self.registered.get(), self.loop->base(), self.fd, to_libevent(interest), detail::Registration::fired,
                       &self) == 0);
    CHECK(event_add(self.registered.get(), nullptr) == 0);
}

unsigned Watch::interest() const { return registration_ ? registration_->interest : unsigned(None); }

Timer::Timer(EventLoop& loop, std::function<void()> callback)
    : registration_(make(loop, -1, 0, [callback = std::move(callback)](unsigned) { callback(); }))
{
}

void Timer::start(Duration after)
{
    timeval wait = to_timeval(after);
    CHECK(event_add(registration_->registered.get(), &wait) == 0);
}

void Timer::stop()
{
    if (registration_)
        event_del(registration_->registered.get());
}

bool Timer::running() const
{
    return registration_ && event_pending(registration_->registered.get(), EV_TIMEOUT, nullptr) != 0;
}

SignalWatch::SignalWatch(EventLoop& loop, int signal, std::function<void()> callback)
    : registration_(make(loop, signal, EV_SIGNAL | EV_PERSIST, [callback = std::move(callback)](unsigned) { callback(); }))
{
    CHECK(event_add(registration_->registered.get(), nullptr) == 0);
}

}  // namespace util
