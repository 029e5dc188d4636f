// Stream: buffers above a Transport.
#include "libnet/stream.h"

#include "libnet/tls_client.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace net {

Stream::Stream(std::unique_ptr<Transport> transport)
    : transport_(std::move(transport)), input_(std::make_unique_for_overwrite<char[]>(input_size))
{
}

Stream::Stream(util::UniqueFd socket) : Stream(socket_transport(std::move(socket))) {}

void Stream::set_timeout(util::Duration timeout)
{
    timeout_ = timeout;
}

void Stream::stop_writes()
{
    stops_writes_ = true;
    transport_->set_write_stop(wants_stop_);
}

void Stream::replace_transport(std::unique_ptr<Transport> transport)
{
    transport_ = std::move(transport);
    kernel_timeout_ = util::Duration::zero();
    if (stops_writes_)
        transport_->set_write_stop(wants_stop_);
}

void Stream::consume(std::size_t count)
{
    CHECK(count <= end_ - begin_);
    begin_ += count;
    if (begin_ == end_)
        begin_ = end_ = 0;
}

bool Stream::has_input()
{
    return begin_ != end_ || (transport_ && transport_->readable());
}

// One read from the transport to behind what is buffered.
util::Result<void> Stream::receive()
{
    TRY(flush());
    if (end_ == input_size && begin_ > 0) {
        std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == input_size)
        return util::invalid("the input buffer is full");
    for (;;) {
        util::Duration wait = timeout_;
        if (!deadline_.is_never()) {
            wait = std::min(wait, deadline_.instant() - util::now());
            if (wait <= util::Duration::zero())
                return util::Error{util::Kind::Temporary, "timeout", timeout_code};
        }
        // A signal may have come while nobody waited.
        bool hurried = false;
        if (stopping()) {
            util::Instant now = util::now();
            if (!stop_seen_)
                stop_seen_ = now;
            util::Duration left = *stop_seen_ + patience_ - now;
            if (left <= util::Duration::zero())
                return util::Error{util::Kind::Temporary, "interrupted", interrupted_code};
            hurried = left < wait;
            wait = std::min(wait, left);
        }
        // The kernel keeps the time, so that a read without a deadline is one system call.
        if (wait != kernel_timeout_) {
            TRY(transport_->set_timeout(wait));
            kernel_timeout_ = wait;
        }
        auto count = transport_->read({input_.get() + end_, input_size - end_});
        if (!count.ok() && (count.error().code == interrupted_code || (hurried && count.error().code == timeout_code)))
            continue;
        if (!count.ok())
            return count.take_error();
        if (*count == 0)
            return util::Error{util::Kind::Temporary, "lost connection", closed_code};
        end_ += *count;
        return {};
    }
}

util::Result<std::string_view> Stream::fill()
{
    if (begin_ == end_) {
        begin_ = end_ = 0;
        TRY(receive());
    }
    return buffered();
}

util::Result<std::string_view> Stream::fill_more()
{
    TRY(receive());
    return buffered();
}

util::Result<LineView> Stream::read_line(std::size_t limit)
{
    CHECK(limit + 2 <= input_size);
    std::size_t searched = 0;
    for (;;) {
        std::string_view have = buffered();
        std::size_t lf = have.find('\n', searched);
        if (lf != std::string_view::npos) {
            bool crlf = lf > 0 && have[lf - 1] == '\r';
            std::string_view text = have.substr(0, crlf ? lf - 1 : lf);
            bool too_long = text.size() > limit;
            begin_ += lf + 1;  // not consume(): the view must stay where it is
            return LineView{text.substr(0, limit), !crlf, too_long};
        }
        if (have.size() >= limit + 2)
            return skip_long_line(limit);
        searched = have.size();
        if (begin_ == end_)
            begin_ = end_ = 0;
        else if (begin_ + limit + 2 > input_size) {
            std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        TRY(receive());
    }
}

// Keeps the first `limit` bytes at the start of the buffer and reads on over the rest of it.
util::Result<LineView> Stream::skip_long_line(std::size_t limit)
{
    std::memmove(input_.get(), input_.get() + begin_, limit);
    begin_ = end_ = limit;
    for (;;) {
        TRY(receive());
        std::string_view have = buffered();
        std::size_t lf = have.find('\n');
        if (lf == std::string_view::npos) {
            end_ = begin_;
            continue;
        }
        begin_ += lf + 1;
        return LineView{{input_.get(), limit}, false, true};
    }
}

void Stream::write(std::string_view bytes)
{
    if (!write_result_.ok())
        return;
    output_ += bytes;
    if (output_.size() >= output_size)
        (void)flush();
}

util::Result<void> Stream::flush()
{
    if (!write_result_.ok())
        return write_result_.error();
    if (output_.empty())
        return {};
    if (whole_writes_ || kernel_timeout_ == util::Duration::zero()) {
        TRY(transport_->set_timeout(timeout_));
        kernel_timeout_ = timeout_;
    }
    if (whole_writes_) {
        transport_->set_write_deadline(util::Deadline::in(timeout_));
        kernel_timeout_ = util::Duration::zero();  // a write in pieces leaves less
    }
    write_result_ = transport_->write_all(output_);
    output_.clear();
    return write_result_;
}

util::Result<util::Deadline> Stream::ready_for_tls(std::string_view injected)
{
    TRY(flush());
    if (begin_ != end_)
        return util::invalid(std::string(injected));
    if (transport_->fd() < 0)
        return util::permanent("TLS needs a socket");
    return util::Deadline::at(std::min(util::now() + timeout_, deadline_.instant()));
}

util::Result<TlsFacts> Stream::start_tls(const TlsContext& context)
{
    auto deadline = TRY(ready_for_tls("plaintext follows STARTTLS"));
    auto accepted = TRY(tls_accept(context, transport_->release(), deadline, wants_stop_));
    replace_transport(std::move(accepted.transport));
    return std::move(accepted.facts);
}

util::Result<TlsPeerFacts> Stream::start_tls_client(const TlsContext& context, const TlsTarget& target)
{
    auto deadline = TRY(ready_for_tls("plaintext follows the reply to STARTTLS"));
    auto connected = TRY(tls_connect(context, target, transport_->release(), deadline, wants_stop_));
    replace_transport(std::move(connected.transport));
    return std::move(connected.facts);
}

void Stream::close()
{
    if (!transport_)
        return;
    if (flush().ok())
        transport_->finish();
}

}  // namespace net
