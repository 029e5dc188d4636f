// Handing messages to cleanup(8).
#include "local/forwarder.h"

#include "libmail/date.h"
#include "libutil/log.h"
#include "libutil/sys.h"

#include <algorithm>
#include <cerrno>

namespace local {

namespace {

constexpr std::size_t recipients_at_once = 50;   // in one record

}  // namespace

Forwarder::Forwarder(util::EventLoop& loop, ForwardSettings settings)
    : loop_(loop), settings_(std::move(settings)), serve_timer_(loop, [this] { serve(); }),
      sweep_timer_(loop, [this] { sweep(); })
{
}

void Forwarder::submit(ForwardOrder order, Done done)
{
    waiting_.push_back(std::make_unique<Pending>(Pending{std::move(order), std::move(done)}));
    if (!serve_timer_.running())
        serve_timer_.start({});
}

void Forwarder::serve()
{
    for (auto& link : links_) {
        if (waiting_.empty())
            return;
        if (link->channel->is_open() && !link->current && !link->next_queue_id.empty())
            begin(*link);
    }
    // One connection for each that waits: those without an id yet count.
    std::size_t greeting = static_cast<std::size_t>(std::count_if(
        links_.begin(), links_.end(), [](const auto& link) { return link->next_queue_id.empty() && !link->current; }));
    while (greeting < waiting_.size() && links_.size() < settings_.connection_limit) {
        if (!open())
            break;
        ++greeting;
    }
    if (!links_.empty())
        return;
    for (auto& pending : std::exchange(waiting_, {}))
        pending->done(util::temporary("cleanup cannot be reached"));
}

bool Forwarder::open()
{
    auto link = std::make_unique<Link>();
    Link* raw = link.get();
    auto connected = ipc::Channel::connect(loop_, settings_.cleanup_socket,
                                           {.received = [this, raw](ipc::Packet& packet) { received(*raw, packet); },
                                            .closed = [this, raw](const util::Error& error) { lost(*raw, error); },
                                            .drained = [this, raw] { send_more(*raw); }});
    if (!connected.ok()) {
        util::log::warning("cleanup: ", connected.error().text);
        return false;
    }
    link->channel = connected.take();
    link->progress = util::now();
    links_.push_back(std::move(link));
    watch_time();
    return true;
}

void Forwarder::begin(Link& link)
{
    link.current = std::move(waiting_.front());
    waiting_.pop_front();
    link.queue_id = std::exchange(link.next_queue_id, {});
    ForwardOrder& order = link.current->order;
    util::WallTime now = util::wall_now();
    link.prefix = util::concat("Received: by ", settings_.hostname, " (", settings_.mail_name, ")\r\n\tid ", link.queue_id,
                               "; ", mail::format_date({.seconds = util::unix_seconds(now), .zone_minutes = 0}), "\r\n");
    if (!order.delivered_to.empty())
        util::append(link.prefix, "Delivered-To: ", order.delivered_to, "\r\n");
    order.envelope.queue_id = link.queue_id;
    order.envelope.arrival = now.time_since_epoch().count();
    link.sent = 0;
    link.recipients_sent = 0;
    link.begun = link.all_sent = false;
    link.progress = util::now();
    watch_time();
    send_more(link);
}

// The next bytes of prefix and content, at most `room`.
util::Result<std::string> Forwarder::next_piece(Link& link, std::size_t room) const
{
    std::string piece = std::exchange(link.prefix, {});
    const Message& message = *link.current->order.message;
    std::size_t size = std::min<std::uint64_t>(room - piece.size(), message.size - link.sent);
    if (!message.shared.valid()) {
        piece.append(message.content, link.sent, size);
        link.sent += size;
        return piece;
    }
    while (size > 0) {
        std::size_t before = piece.size();
        piece.resize(before + size);
        std::size_t count = TRY(util::sys::pread(message.shared.get(), {piece.data() + before, size}, link.sent));
        piece.resize(before + count);
        if (count == 0)
            return util::invalid("the message is shorter than it was");
        link.sent += count;
        size -= count;
    }
    return piece;
}

// As much as the socket takes at once; the rest when it has taken that.
void Forwarder::send_more(Link& link)
{
    while (link.current && !link.all_sent && link.channel->is_open() && link.channel->queued() == 0) {
        const ForwardOrder& order = link.current->order;
        link.progress = util::now();
        auto first = order.recipients.begin() + static_cast<std::ptrdiff_t>(link.recipients_sent);
        std::size_t count = std::min(recipients_at_once, order.recipients.size() - link.recipients_sent);
        std::vector<ipc::Recipient> some(first, first + static_cast<std::ptrdiff_t>(count));
        link.recipients_sent += count;
        bool with_content = link.recipients_sent == order.recipients.size();
        std::string piece;
        if (with_content) {
            auto read = next_piece(link, ipc::content_piece_size);
            if (!read.ok())
                return link.channel->fail(read.take_error());
            piece = read.take();
            link.all_sent = link.sent == order.message->size;
        }
        if (!std::exchange(link.begun, true)) {
            ipc::Begin begin;
            begin.envelope = order.envelope;
            begin.recipients = std::move(some);
            begin.content = std::move(piece);
            begin.last = link.all_sent;
            link.channel->send(begin);
            continue;
        }
        if (!some.empty()) {
            ipc::More more;
            more.recipients = std::move(some);
            link.channel->send(more);
        }
        if (!piece.empty() || link.all_sent) {
            ipc::Content content;
            content.content = std::move(piece);
            content.last = link.all_sent;
            link.channel->send(content);
        }
    }
}

void Forwarder::received(Link& link, ipc::Packet& packet)
{
    link.progress = util::now();
    if (packet.name() == ipc::Greeting::message_name && !link.current) {
        auto greeting = ipc::decode<ipc::Greeting>(packet);
        if (!greeting.ok() || greeting->next_queue_id.empty())
            return link.channel->fail(util::invalid("cleanup greets without a queue id"));
        link.next_queue_id = std::move(greeting->next_queue_id);
        return serve();
    }
    if (packet.name() == ipc::Verdict::message_name && link.current) {
        auto answer = ipc::decode<ipc::Verdict>(packet);
        if (!answer.ok())
            return link.channel->fail(answer.take_error());
        return verdict(link, *answer);
    }
    link.channel->fail(util::invalid("cleanup said something that cannot be understood"));
}

void Forwarder::verdict(Link& link, const ipc::Verdict& verdict)
{
    auto done = std::move(link.current->done);
    std::string queue_id = link.queue_id;
    bool goes_on = link.all_sent && !verdict.next_queue_id.empty();
    link.current.reset();
    link.next_queue_id = verdict.next_queue_id;
    if (!goes_on)
        drop(link);
    using Kind = ipc::Verdict::Kind;
    if (verdict.kind == Kind::Kept || verdict.kind == Kind::Delivered)
        done(std::move(queue_id));
    else
        done(util::Error{verdict.kind == Kind::Refused ? util::Kind::Permanent : util::Kind::Temporary, verdict.text});
    serve();
}

void Forwarder::lost(Link& link, const util::Error& error)
{
    // cleanup ends after max_use messages and max_idle seconds.
    auto pending = std::move(link.current);
    bool greeted = pending || !link.next_queue_id.empty();
    if (pending || !greeted)
        util::log::warning("cleanup: ", error.text);
    drop(link);
    if (pending)
        pending->done(util::temporary("cleanup went away"));
    if (!greeted && links_.empty()) {
        for (auto& one : std::exchange(waiting_, {}))
            one->done(util::temporary("cleanup cannot be reached"));
        return;
    }
    serve();
}

void Forwarder::drop(Link& link)
{
    std::erase_if(links_, [&](const auto& one) { return one.get() == &link; });
}

// --- time --------------------------------------------------------------------------------------------

void Forwarder::watch_time()
{
    if (!sweep_timer_.running())
        sweep_timer_.start(std::max(settings_.timeout / 4, util::Duration(1000)));
}

void Forwarder::sweep()
{
    util::Instant late = util::now() - settings_.timeout;
    bool busy = false;
    for (auto& link : links_) {
        bool owes = link->current || link->next_queue_id.empty();
        if (owes && link->progress <= late)
            link->channel->fail(util::temporary("cleanup does not answer"));
        busy |= owes;
    }
    if (busy)
        watch_time();
}

}  // namespace local
