#include "libipc/splice.h"

#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>

namespace {

// A splice between a client, which is a connection without TLS, and a session that the test plays.
struct Spliced {
    Spliced()
    {
        auto outside = util::sys::socket_pair(SOCK_STREAM).take();
        client = std::move(outside.second);
        channel.emplace(loop, std::move(outside.first),
                        net::TlsChannel::Events{.received = [](std::string_view) {}, .ended = [](util::Result<void>) {}});
        auto inside = util::sys::socket_pair(SOCK_STREAM).take();
        // More room than an ordinary process may have.
        int room = 8 << 20;
        for (const auto* end : {&inside.first, &inside.second})
            roomy = ::setsockopt(end->get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0;
        session = std::move(inside.second);
        door_end = inside.first.get();
        splice.emplace(loop, *channel, std::move(inside.first), [] {});
    }
    static void fill(int socket, std::size_t size)
    {
        std::string bytes(size, 'x');
        EQ(::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL), ssize_t(size));
    }

    util::EventLoop loop = util::EventLoop::create().take();
    util::UniqueFd client, session;
    int door_end = -1;
    bool roomy = false;
    std::optional<net::TlsChannel> channel;
    std::optional<ipc::Splice> splice;
};

TEST(what_neither_side_has_read_comes_back_and_goes_out)
{
    Spliced it;
    it.splice->client_sent("for nobody");
    Spliced::fill(it.session.get(), 3);
    auto unread = it.splice->take_back(it.session.get());
    OK(unread);
    EQ(*unread, "for nobody");
    char buffer[10];
    EQ(::recv(it.client.get(), buffer, sizeof buffer, MSG_DONTWAIT), 3);
    EQ(it.splice->bytes_in(), 10u);
    EQ(it.splice->bytes_out(), 3u);
    THAT(!it.splice->take_back(it.session.get()).ok());   // a second time
}
END_TEST

TEST(more_of_either_than_may_be_taken_back_is_too_much)
{
    for (bool from_client : {false, true}) {
        for (std::size_t beyond : {0U, 1U}) {
            Spliced it;
            if (!it.roomy)
                return;   // not root
            Spliced::fill(from_client ? it.door_end : it.session.get(), ipc::Splice::max_taken_back + beyond);
            auto unread = it.splice->take_back(it.session.get());
            EQ(unread.ok(), beyond == 0);
            if (unread.ok())
                EQ(unread->size(), from_client ? ipc::Splice::max_taken_back : 0);
        }
    }
}
END_TEST

TEST(what_waits_here_counts_with_what_waits_in_the_socket)
{
    for (std::size_t beyond : {0U, 1U}) {
        Spliced it;
        if (!it.roomy)
            return;
        // The socket has room for that and no more; the rest stays here.
        std::size_t in_socket = 0;
        char chunk[1024] = {};
        while (in_socket < ipc::Splice::max_taken_back - sizeof chunk)
            in_socket +=
                std::size_t(std::max<ssize_t>(0, ::send(it.door_end, chunk, sizeof chunk, MSG_DONTWAIT | MSG_NOSIGNAL)));
        int room = 1;
        THAT(::setsockopt(it.door_end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
        it.splice->client_sent(std::string(ipc::Splice::max_taken_back - in_socket + beyond, 'y'));
        EQ(it.splice->take_back(it.session.get()).ok(), beyond == 0);
    }
}
END_TEST

SUITE(splice, what_neither_side_has_read_comes_back_and_goes_out, more_of_either_than_may_be_taken_back_is_too_much,
      what_waits_here_counts_with_what_waits_in_the_socket)

}  // namespace
