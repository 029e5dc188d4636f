// Bytes between a client's descriptor and its protocol session.
#include "mailbox/client.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace mailbox {

namespace {

// On the stack: a session that waits holds no buffer.
constexpr std::size_t read_size = 16U << 10;

std::string_view name_of(ipc::Service service)
{
    switch (service) {
    case ipc::Service::Imap: return "imap";
    case ipc::Service::Pop3: return "pop3";
    case ipc::Service::Smtp: return "smtp";
    case ipc::Service::Sieve: return "sieve";
    }
    return "unknown";
}

}  // namespace

Client::Client(util::EventLoop& loop, util::UniqueFd fd, ipc::SessionFacts facts,
               std::unique_ptr<ipc::ProtocolSession> session)
    : fd_(std::move(fd)), facts_(std::move(facts)), session_(std::move(session)),
      quiet_since_(util::now()), started_(quiet_since_),
      watch_(loop, fd_.get(), util::Watch::None, [this](unsigned what) { ready(what); }),
      timer_(loop, [this] {
          timer_at_ = util::Instant::max();
          if (over_ || parking_)
              return;
          if (session_->finished())
              return end("client does not read");
          auto deadline = session_->deadline();
          util::Instant now = util::now();
          if (deadline && *deadline <= now) {
              session_->deadline_passed(now);
              if (session_->finished())
                  reason_ = "timeout";
          }
      })
{
}

void Client::begin(std::string_view greeting, std::string_view pending)
{
    // One segment with the session's first words.
    std::string words(greeting);
    session_->adjust_greeting(words);
    session_->output().insert(0, words);
    if (!pending.empty())
        session_->feed(pending);
}

void Client::store_changed(std::uint64_t mailbox)
{
    if (!parking_)
        session_->store_changed(mailbox);
}

void Client::durable_grew()
{
    if (!parking_)
        session_->durable_grew();
}

std::optional<util::Instant> Client::parks_at(util::Duration delay) const
{
    using Waits = ipc::ProtocolSession::Waits;
    if (over_ || parking_ || input_ended_ || unsent() > 0)
        return std::nullopt;
    switch (session_->waits()) {
    case Waits::No:
        return std::nullopt;
    case Waits::ForNews:
        return quiet_since_ + (woken_ ? std::min(delay, park_again_delay) : delay);
    case Waits::ForClient:
        return quiet_since_ + delay * park_delay_without_news;
    }
    return std::nullopt;
}

std::optional<ipc::ParkSession> Client::park()
{
    auto resting = session_->rest();
    auto copy = util::sys::duplicate(fd_.get());
    if (!resting || !copy.ok() || resting->watches.size() > ipc::max_watches) {
        quiet_since_ = util::now() + park_retry_delay;
        return std::nullopt;
    }
    ipc::ParkSession order;
    order.session = facts_.session;
    order.client = copy.take();
    order.state = std::move(resting->state);
    for (const auto& watch : resting->watches)
        order.watches.push_back({watch.mailbox, watch.position});
    order.started = started_.time_since_epoch().count();
    if (auto deadline = session_->deadline())
        order.deadline = deadline->time_since_epoch().count();
    order.late = std::move(resting->late);
    order.farewell = std::move(resting->farewell);
    parking_ = true;
    watch_.want(util::Watch::None);
    return order;
}

void Client::parked(bool taken)
{
    if (!parking_)
        return;
    parking_ = false;
    if (taken) {
        moved_ = true;
        return end("parked");
    }
    quiet_since_ = util::now() + park_retry_delay;
    session_->catch_up();
}

void Client::was_parked(util::Instant started)
{
    started_ = std::min(started, started_);
    woken_ = true;
    session_->catch_up();
}

bool Client::wants_slice() const
{
    return !over_ && !parking_ && session_->has_work() && session_->output().size() < output_limit;
}

void Client::slice()
{
    active_ = true;
    session_->work();
}

void Client::terminate(std::string_view reason)
{
    if (over_ || session_->finished())
        return;
    parking_ = false;   // usher will not answer any more, or what it answers is too late
    reason_ = reason;
    session_->terminate(reason);
}

void Client::ready(unsigned what)
{
    if (over_)
        return;
    if (what & util::Watch::Read)
        read();
    // Writing is settle()'s: the host calls it at the end of the turn.
}

void Client::read()
{
    active_ = true;
    char buffer[read_size];
    ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
        quiet_since_ = util::now();
        woken_ = false;
        util::sys::acknowledge(fd_.get(), std::size_t(count));
        return session_->feed({buffer, static_cast<std::size_t>(count)});
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count < 0)
        return end(util::concat("connection lost: ", ::strerror(errno)));
    input_ended_ = true;
    if (reason_.empty() && !session_->finished())
        reason_ = "connection closed by the client";
    session_->end_of_input();
}

void Client::write()
{
    wrote_ = true;
    quiet_since_ = std::max(quiet_since_, util::now());
    std::string& output = session_->output();
    while (sent_ < output.size()) {
        std::string_view rest = std::string_view(output).substr(sent_);
        ssize_t count = ::send(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        if (count < 0)
            return end(util::concat("connection lost: ", ::strerror(errno)));
        sent_ += static_cast<std::size_t>(count);
    }
    // Erasing from the front moves what is left: only when it is the smaller part.
    if (sent_ == output.size())
        output.clear();
    else if (sent_ > output.size() / 2)
        output.erase(0, sent_);
    else
        return;
    sent_ = 0;
}

void Client::release_memory(bool at_once)
{
    if (!std::exchange(wrote_, false) || at_once)
        session_->output().shrink_to_fit();
}

void Client::settle()
{
    if (over_ || parking_)
        return;
    if (unsent() > 0)
        write();
    if (over_)
        return;
    if (session_->finished() && unsent() == 0)
        return finish();
    bool reads = !input_ended_ && session_->wants_input() && !session_->finished() && unsent() <= output_limit;
    watch_.want((reads ? util::Watch::Read : util::Watch::None) | (unsent() ? util::Watch::Write : util::Watch::None));
    watch_deadline();
}

void Client::finish()
{
    auto left = input_ended_ ? std::nullopt : session_->left_over();
    if (!left)
        return end(reason_.empty() ? std::string_view("logged out") : std::string_view(reason_));
    ipc::ReturnSession order;
    order.session = facts_.session;
    order.pending = std::move(*left);
    order.farewell = session_->farewell();
    watch_.reset();
    order.client = std::move(fd_);
    returned_ = std::move(order);
    end("unauthenticated");
}

void Client::watch_deadline()
{
    auto deadline = session_->finished() ? std::optional(util::now() + last_words_time) : session_->deadline();
    // A deadline that moved away is looked at again when the timer fires.
    if (!deadline || *deadline >= timer_at_)
        return;
    timer_at_ = *deadline;
    timer_.start_at(*deadline);
}

void Client::end(std::string_view reason)
{
    if (over_)
        return;
    over_ = true;
    reason_ = std::string(reason);
    watch_.reset();
    timer_.reset();
    fd_.reset();
}

std::string Client::describe_end(std::string_view account) const
{
    return util::concat(
        facts_.session.empty() ? std::string_view("-") : std::string_view(facts_.session), ": user=<",
        util::printable(account, 320), ">",
        facts_.guest.empty() ? std::string() : util::concat(", guest=<", util::printable(facts_.guest, 320), ">"),
        ", service=", name_of(facts_.service), ", client=", util::printable(facts_.client_address, 100), ", tls=", facts_.tls,
        ", duration=", util::format_delay(std::chrono::duration_cast<util::Duration>(util::now() - started_)), ", ",
        session_->summary(), ", status=closed (", util::printable(reason_, 200), ")");
}

}  // namespace mailbox
