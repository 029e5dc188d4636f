// Passes bytes between a TLS client and the socket of its session.
#include "libipc/splice.h"

#include "libutil/sys.h"

#include <cerrno>
#include <sys/socket.h>

namespace ipc {

namespace {

constexpr std::size_t buffer_size = 16 * 1024;
// The client is paused while more than this waits for the session, and the other way round.
constexpr std::size_t high_water = 64 * 1024;

}  // namespace

Splice::Splice(util::EventLoop& loop, net::TlsChannel& client, util::UniqueFd session,
               std::function<void()> over)
    : loop_(loop), client_(client), session_(std::move(session)), over_(std::move(over)),
      watch_(loop_, session_.get(), util::Watch::Read, [this](unsigned what) { ready(what); })
{
    (void)util::sys::set_nonblocking(session_.get(), true);
}

void Splice::ready(unsigned what)
{
    if (what & util::Watch::Write)
        write_session();
    if (session_.valid() && (what & util::Watch::Read) && !session_done_ &&
        client_.queued() < high_water)
        read_session();
    update_interest();
}

void Splice::read_session()
{
    char buffer[buffer_size];
    auto count = ::recv(session_.get(), buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        // The session is over: what it said is sent, then the client's connection ends.
        session_done_ = true;
        close_session();
        client_.finish();
        return;
    }
    bytes_out_ += std::uint64_t(count);
    client_.send(std::string_view(buffer, std::size_t(count)));
}

void Splice::write_session()
{
    while (session_.valid() && !to_session_.empty()) {
        auto count = ::send(session_.get(), to_session_.data(), to_session_.size(), MSG_NOSIGNAL);
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR)
                std::string().swap(to_session_);  // its end shows when it is read
            break;
        }
        to_session_.erase(0, std::size_t(count));
    }
    if (to_session_.empty()) {
        if (to_session_.capacity() > buffer_size)
            std::string().swap(to_session_);
        if (client_done_ && session_.valid())
            (void)::shutdown(session_.get(), SHUT_WR);
        client_.pause(false);
    }
}

void Splice::client_sent(std::string_view bytes)
{
    bytes_in_ += bytes.size();
    util::sys::acknowledge(client_.fd(), bytes.size());
    to_session_.append(bytes);
    write_session();
    if (to_session_.size() >= high_water)
        client_.pause(true);
    update_interest();
}

void Splice::client_drained()
{
    update_interest();
}

void Splice::client_ended(const util::Result<void>&)
{
    client_done_ = true;
    if (!client_.is_open()) {
        // Nobody reads any more; the session sees the end of its input and finishes.
        close_session();
        return over_();
    }
    write_session();
    update_interest();
}

namespace {

util::Error too_much()
{
    return util::invalid("too much waits for a session that has ended");
}

// What waits in a socket, until there is no more.
util::Result<std::string> read_waiting(int socket)
{
    std::string all;
    for (;;) {
        char buffer[buffer_size];
        auto count = ::recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return all;
        all.append(buffer, std::size_t(count));
        if (all.size() > Splice::max_taken_back)
            return too_much();
    }
}

}  // namespace

util::Result<std::string> Splice::take_back(int session_end)
{
    if (!session_.valid())
        return util::invalid("the session has ended already");
    auto said = TRY(read_waiting(session_.get()));
    bytes_out_ += said.size();
    auto unread = TRY(read_waiting(session_end));
    unread += std::exchange(to_session_, {});
    if (unread.size() > max_taken_back)
        return too_much();
    close_session();
    session_done_ = true;
    client_.send(said);
    return unread;
}

void Splice::close_session()
{
    watch_.reset();
    session_.reset();
}

void Splice::update_interest()
{
    if (!session_.valid())
        return;
    unsigned interest = util::Watch::None;
    if (!session_done_ && client_.queued() < high_water)
        interest |= util::Watch::Read;
    if (!to_session_.empty())
        interest |= util::Watch::Write;
    if (interest != watch_.interest())
        watch_.want(interest);
}

}  // namespace ipc
