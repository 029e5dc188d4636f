// Submitter: handing messages to cleanup(8).
#include "libipc/submitter.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace ipc {

namespace {

// Recipients in one record; with the longest addresses (libmail's limits) they fit beside a piece of
// content.
constexpr std::size_t recipients_per_record = 16;

// Between messages cleanup says nothing: whatever can be read is its end.
bool is_alive(const Connection& connection)
{
    char byte = 0;
    return connection.valid() && ::recv(connection.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

util::Result<std::string> Submitter::next_queue_id()
{
    if (is_alive(connection_))
        return next_id_;
    connection_ = TRY(Connection::connect(path_, timeout_));
    auto greeting = connection_.receive_as<Greeting>();
    if (!greeting.ok()) {
        connection_.close();
        return greeting.take_error().in("cleanup");
    }
    next_id_ = std::move(greeting->next_queue_id);
    return next_id_;
}

util::Result<void> Submitter::set_timeout(util::Duration timeout)
{
    timeout_ = timeout;
    return connection_.valid() ? connection_.set_timeout(timeout) : util::Result<void>();
}

Submission::Submission(Submitter& submitter, Envelope envelope) : submitter_(submitter)
{
    begin_.envelope = std::move(envelope);
}

Submission::~Submission()
{
    if (begun_ && !done_)
        submitter_.connection_.close();
}

void Submission::send(const auto& message)
{
    if (error_ || early_)
        return;
    auto sent = submitter_.connection_.send(message);
    if (sent.ok())
        return;
    // cleanup may have answered before the end and closed; its answer is still there to be read.
    auto verdict = submitter_.connection_.receive_as<Verdict>();
    if (verdict.ok())
        early_ = verdict.take();
    else
        error_ = sent.take_error().in("cleanup");
}

void Submission::send_begin(bool last)
{
    std::vector<Recipient> all = std::move(begin_.recipients);
    std::size_t first = std::min(all.size(), recipients_per_record);
    begin_.recipients.assign(all.begin(), all.begin() + std::ptrdiff_t(first));
    begin_.last = last && first == all.size();
    begun_ = true;
    if (first == all.size()) {
        begin_.content = std::move(piece_.content);
        send(begin_);
    } else {
        send(begin_);
        for (std::size_t at = first; at < all.size(); at += recipients_per_record) {
            More more;
            std::size_t end = std::min(all.size(), at + recipients_per_record);
            more.recipients.assign(all.begin() + std::ptrdiff_t(at), all.begin() + std::ptrdiff_t(end));
            send(more);
        }
        send_piece(last);
    }
    begin_.content.clear();
    piece_.content.clear();
}

void Submission::send_piece(bool last)
{
    piece_.last = last;
    send(piece_);
    piece_.content.clear();
}

void Submission::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        std::size_t part = std::min(bytes.size(), content_piece_size - piece_.content.size());
        piece_.content.append(bytes.substr(0, part));
        bytes.remove_prefix(part);
        // A full piece goes out only when more comes, so that the last one can say that it is.
        if (piece_.content.size() == content_piece_size && !bytes.empty()) {
            if (begun_)
                send_piece(false);
            else
                send_begin(false);
        }
    }
}

util::Result<Verdict> Submission::finish()
{
    if (begun_)
        send_piece(true);
    else
        send_begin(true);
    if (early_) {
        submitter_.connection_.close();
        done_ = true;
        return std::move(*early_);
    }
    if (error_)
        return std::move(*error_);
    auto verdict = submitter_.connection_.receive_as<Verdict>();
    if (!verdict.ok())
        return verdict.take_error().in("cleanup");
    done_ = true;
    if (verdict->next_queue_id.empty())
        submitter_.connection_.close();
    submitter_.next_id_ = verdict->next_queue_id;
    return verdict.take();
}

}  // namespace ipc
