// Submitter: the sending side of submission.h.
#include "libipc/submitter.h"

#include "libmail/header.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace ipc {

namespace {

// Room for recipients in Begin and in each More; content_piece_size of content goes beside it.
constexpr std::size_t recipients_size = 48 * 1024;
constexpr std::size_t recipients_count = 1000; // each takes at most four of max_packet_fields
// A record's names and lengths around the text of one recipient.
constexpr std::size_t recipient_overhead = 64;

// Moves recipients from `from` (from `next` on) to `to`, as many as one record holds.
void move_recipients(std::vector<Recipient>& from, std::size_t& next, std::vector<Recipient>& to)
{
    std::size_t size = 0;
    to.clear();
    while (next < from.size() && to.size() < recipients_count) {
        size += from[next].address.size() + from[next].original.size() + recipient_overhead;
        if (size > recipients_size && !to.empty())
            return;
        to.push_back(from[next++]);
    }
}

// Between messages cleanup says nothing: whatever can be read is its end.
bool is_alive(const Connection& connection)
{
    char byte = 0;
    return connection.valid() && ::recv(connection.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
        (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace

Submitter::Submitter(std::string socket_path, util::Duration timeout)
    : Submitter(
          [path = std::move(socket_path), timeout] { return Connection::connect(path, timeout); })
{
}

util::Result<void> Submitter::connect()
{
    Connection connection = TRY(connect_());
    auto greeting = TRY(connection.receive_as<Greeting>());
    if (greeting.next_queue_id.empty())
        return util::temporary("cleanup gave no queue id");
    connection_ = std::move(connection);
    next_queue_id_ = std::move(greeting.next_queue_id);
    spent_ = false;
    return {};
}

// Has a spent id been changed for another?
bool Submitter::renounce()
{
    auto greeting = connection_.call<Greeting>(Renounce{});
    if (!greeting.ok() || greeting->next_queue_id.empty())
        return false;
    next_queue_id_ = std::move(greeting->next_queue_id);
    spent_ = false;
    return true;
}

util::Result<std::string> Submitter::next_queue_id()
{
    if (!is_alive(connection_) || (spent_ && !renounce()))
        TRY(connect());
    told_ = true;
    return next_queue_id_;
}

util::Result<void> Submitter::reconnect()
{
    lose();
    TRY(connect());
    message_.envelope.queue_id = next_queue_id_;
    return {};
}

void Submitter::begin(Envelope envelope, std::vector<Recipient> recipients, Trace trace)
{
    clear();
    message_.envelope = std::move(envelope);
    message_.envelope.queue_id = next_queue_id_;
    message_.recipients = std::move(recipients);
    trace_ = std::move(trace);
}

void Submitter::clear()
{
    message_.recipients.clear();
    trace_ = nullptr;
    buffer_.clear();
    begun_ = false;
    ended_ = false;
    early_.reset();
    broken_.reset();
}

void Submitter::lose()
{
    connection_.close();
    next_queue_id_.clear();
}

void Submitter::abandon()
{
    // A peer that has seen part of the message learns from the close that there is no more of it.
    if (begun_ || early_ || broken_)
        lose();
    spent_ = spent_ || told_;
    told_ = false;
    clear();
}

// Begin, with More until all recipients are named, and as much content as goes with it.
util::Result<void> Submitter::send_begin(bool finishing)
{
    std::vector<Recipient> all = message_.recipients;
    std::size_t next = 0;
    move_recipients(all, next, message_.recipients);
    std::size_t used = 0;
    message_.content = trace_(message_.envelope.queue_id);
    if (!message_.content.empty())
        message_.content += mail::trace_separator(buffer_);
    message_.last = false;
    if (next == all.size()) {
        std::size_t room =
            content_piece_size - std::min(message_.content.size(), content_piece_size);
        used = std::min(room, buffer_.size());
        message_.content.append(buffer_, 0, used);
        message_.last = finishing && used == buffer_.size();
    }
    auto sent = next == all.size() ? connection_.send(message_) : [&]() -> util::Result<void> {
        // The content's beginning must come after the last of the recipients.
        Content first{std::move(message_.content), false};
        message_.content.clear();
        TRY(connection_.send(message_));
        while (next < all.size()) {
            More more;
            move_recipients(all, next, more.recipients);
            TRY(connection_.send(more));
        }
        return connection_.send(first);
    }();
    message_.recipients = std::move(all);
    message_.content.clear();
    TRY(std::move(sent));
    begun_ = true;
    ended_ = message_.last;
    buffer_.erase(0, used);
    return {};
}

// As send_begin; if the standing connection turns out to be closed, over a new one.
util::Result<void> Submitter::send_first(bool finishing)
{
    auto sent = send_begin(finishing);
    if (sent.ok() || (sent.error().code != EPIPE && sent.error().code != ECONNRESET))
        return sent;
    TRY(reconnect());
    return send_begin(finishing);
}

util::Result<void> Submitter::send_piece(bool finishing)
{
    Content piece;
    piece.content.assign(buffer_, 0, content_piece_size);
    piece.last = finishing && piece.content.size() == buffer_.size();
    TRY(connection_.send(piece));
    buffer_.erase(0, piece.content.size());
    ended_ = piece.last;
    return {};
}

util::Result<Verdict> Submitter::receive_verdict(int flags)
{
    auto packet = TRY(receive_packet(connection_.fd(), flags));
    if (!packet)
        return util::Error{util::Kind::Temporary, "cleanup closed the connection", ECONNRESET};
    return decode<Verdict>(*packet);
}

bool Submitter::flow()
{
    if (early_ || broken_) {
        buffer_.clear();
        return false;
    }
    if (buffer_.size() < content_piece_size)
        return true;
    util::Result<void> sent = begun_ ? util::Result<void>() : send_first(false);
    while (sent.ok() && buffer_.size() >= content_piece_size)
        sent = send_piece(false);
    // No space, too large: cleanup says so at once, and takes no more.
    auto verdict = receive_verdict(MSG_DONTWAIT);
    if (verdict.ok())
        early_ = verdict.take();
    else if (!sent.ok())
        broken_ = sent.take_error();
    else if (verdict.error().code != EAGAIN)
        broken_ = verdict.take_error();
    return !early_ && !broken_;
}

void Submitter::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        // Piece by piece, so that a long text does not stand here a second time.
        std::string_view part = bytes.substr(0, content_piece_size);
        buffer_ += part;
        bytes.remove_prefix(part.size());
        flow();
    }
}

// The rest of the message, and what cleanup says to it.
util::Result<Verdict> Submitter::exchange()
{
    if (early_)
        return std::move(*early_);
    if (broken_)
        return std::move(*broken_);
    std::string whole = begun_ ? std::string() : buffer_;
    bool alone = !begun_;
    if (!begun_)
        TRY(send_first(true));
    alone = alone && ended_;
    util::Result<void> sent;
    while (sent.ok() && !ended_)
        sent = send_piece(true);
    // Even when sending failed there may be a verdict to read.
    auto verdict = receive_verdict(0);
    if (verdict.ok() || !alone || verdict.error().code != ECONNRESET)
        return verdict;
    // It was one record, and nothing was answered: once more, over a new connection.
    TRY(reconnect());
    buffer_ = std::move(whole);
    TRY(send_begin(true));
    return receive_verdict(0);
}

util::Result<Verdict> Submitter::finish()
{
    bool whole_read = !early_ && !broken_;
    auto verdict = exchange();
    clear();
    told_ = false;
    if (verdict.ok() && whole_read && !verdict->next_queue_id.empty())
        next_queue_id_ = verdict->next_queue_id;
    else
        lose();
    return verdict;
}

} // namespace ipc
