// Prober: the client's end of submission.h, without waiting.
#include "verify/prober.h"

#include "libmail/date.h"
#include "libutil/log.h"
#include "libutil/text.h"

namespace verify {

Prober::Prober(util::EventLoop& loop, ProbeSettings settings, Events events)
    : loop_(loop), settings_(std::move(settings)), events_(std::move(events)), serve_timer_(loop, [this] { serve(); }),
      patience_(loop, [this] {
          if (channel_)
              channel_->fail(util::temporary("cleanup does not answer"));
      })
{
}

void Prober::probe(std::string address)
{
    waiting_.push_back({std::move(address)});
    if (!serve_timer_.running())
        serve_timer_.start({});
}

void Prober::serve()
{
    if (waiting_.empty() || current_)
        return;
    if (!channel_ && !connect())
        return;
    if (!next_queue_id_.empty())
        send();
}

bool Prober::connect()
{
    auto connected = ipc::Channel::connect(loop_, settings_.cleanup_socket,
                                           {.received = [this](ipc::Packet& packet) { received(packet); },
                                            .closed = [this](const util::Error& error) { lost(error); }});
    if (!connected.ok()) {
        util::log::warning("cleanup: ", connected.error().text);
        fail_all(util::temporary("cleanup cannot be reached"));
        return false;
    }
    channel_ = connected.take();
    next_queue_id_.clear();
    patience_.start(settings_.timeout);
    return true;
}

// Nobody will read it: a header that says what it is, should it be found somewhere.
void Prober::send()
{
    current_ = std::make_unique<Probe>(std::move(waiting_.front()));
    waiting_.pop_front();
    std::string queue_id = std::exchange(next_queue_id_, {});
    util::WallTime now = util::wall_now();
    ipc::Begin begin;
    begin.envelope.queue_id = queue_id;
    begin.envelope.arrival = now.time_since_epoch().count();
    begin.envelope.sender = settings_.sender.at(now);
    begin.envelope.origin = ipc::Origin::Bounce;
    begin.envelope.report = ipc::Report::Probe;
    begin.recipients.push_back({.address = current_->address, .original = {}, .notify = ipc::NotifyNever});
    begin.content = util::concat("Received: by ", settings_.hostname, "\r\n\tid ", queue_id, "; ",
                                 mail::format_date({.seconds = util::unix_seconds(now), .zone_minutes = 0}),
                                 "\r\nSubject: Is this address deliverable?\r\n\r\n");
    begin.last = true;
    patience_.start(settings_.timeout);
    events_.leaves(current_->address, queue_id);
    channel_->send(begin);
}

void Prober::received(ipc::Packet& packet)
{
    if (packet.name() == ipc::Greeting::message_name && !current_) {
        auto greeting = ipc::decode<ipc::Greeting>(packet);
        if (!greeting.ok() || greeting->next_queue_id.empty())
            return channel_->fail(util::invalid("cleanup greets without a queue id"));
        next_queue_id_ = std::move(greeting->next_queue_id);
        patience_.stop();
        return serve();
    }
    if (packet.name() == ipc::Verdict::message_name && current_) {
        auto answer = ipc::decode<ipc::Verdict>(packet);
        if (!answer.ok())
            return channel_->fail(answer.take_error());
        return verdict(*answer);
    }
    channel_->fail(util::invalid("cleanup said something that cannot be understood"));
}

void Prober::verdict(const ipc::Verdict& verdict)
{
    using Kind = ipc::Verdict::Kind;
    auto probe = std::move(current_);
    patience_.stop();
    next_queue_id_ = verdict.next_queue_id;
    if (next_queue_id_.empty())
        channel_.reset();
    if (verdict.kind == Kind::Refused)
        events_.failed(probe->address, util::permanent(verdict.text));
    else if (verdict.kind == Kind::Failed)
        events_.failed(probe->address, util::temporary(verdict.text));
    serve();
}

// cleanup ends after max_use messages and max_idle seconds; what it had in hand goes again, once.
void Prober::lost(const util::Error& error)
{
    bool greeted = current_ || !next_queue_id_.empty();
    channel_.reset();
    next_queue_id_.clear();
    patience_.stop();
    if (!greeted) {
        util::log::warning("cleanup: ", error.text);
        return fail_all(util::temporary("cleanup cannot be reached"));
    }
    if (auto probe = std::move(current_)) {
        if (probe->again) {
            util::log::warning("cleanup: ", error.text);
            events_.failed(probe->address, util::temporary("cleanup went away"));
        } else {
            probe->again = true;
            waiting_.push_front(std::move(*probe));
        }
    }
    if (!waiting_.empty() && !serve_timer_.running())
        serve_timer_.start({});
}

void Prober::fail_all(const util::Error& error)
{
    for (const Probe& probe : std::exchange(waiting_, {}))
        events_.failed(probe.address, error);
}

}  // namespace verify
