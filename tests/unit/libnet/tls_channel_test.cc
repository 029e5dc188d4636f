// TlsChannel against a blocking client in a thread.
#include "libnet/tls_channel.h"

#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/lingering_socket.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <csignal>
#include <functional>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

net::TlsContext make_context()
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("mail.example.org");
    return net::TlsContext::server(pem.key + pem.certificate, {}).take();
}

struct TlsClient {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = nullptr;

    bool connect(int fd)
    {
        ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        return SSL_connect(ssl) == 1;
    }
    void write(const std::string& text) { SSL_write(ssl, text.data(), int(text.size())); }
    // Until this many bytes came, or the end.
    std::string read(std::size_t wanted)
    {
        std::string out;
        char buffer[10'000];
        while (out.size() < wanted) {
            int count = SSL_read(ssl, buffer, int(std::min(sizeof buffer, wanted - out.size())));
            if (count <= 0)
                break;
            out.append(buffer, std::size_t(count));
        }
        return out;
    }
    ~TlsClient()
    {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
};

// A channel at one end of a pair, the client's thread at the other.
struct ChannelFixture {
    util::EventLoop loop = util::EventLoop::create().take();
    std::unique_ptr<net::TlsChannel> channel;
    std::string received;
    bool secured = false;
    int drained = 0;
    std::optional<util::Result<void>> ended;
    std::function<void(std::string_view)> on_received = [](std::string_view) {};
    util::UniqueFd other;
    std::thread thread;

    ChannelFixture()
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        other = std::move(pair.second);
        channel = std::make_unique<net::TlsChannel>(
            loop, std::move(pair.first),
            net::TlsChannel::Events{.received =
                                        [this](std::string_view bytes) {
                                            received += bytes;
                                            on_received(bytes);
                                        },
                                    .secured = [this](const net::TlsFacts&) { secured = true; },
                                    .drained = [this] { ++drained; },
                                    .ended = [this](const util::Result<void>& how) { ended = how; }});
    }
    ~ChannelFixture()
    {
        if (thread.joinable())
            thread.join();
    }
    void until(const std::function<bool()>& done)
    {
        auto deadline = util::Deadline::in(std::chrono::seconds(100));
        while (!done() && !deadline.passed())
            loop.run_for(std::chrono::milliseconds(20));
        THAT(done());
    }
};

}  // namespace

TEST(plain_bytes_go_both_ways_until_the_end)
{
    ChannelFixture f;
    OK(util::sys::write_all(f.other.get(), "ping"));
    f.until([&] { return f.received == "ping"; });
    f.channel->send("pong");
    char buffer[10];
    EQ(::read(f.other.get(), buffer, 10), 4);
    f.other.reset();
    f.until([&] { return f.ended.has_value(); });
    THAT(f.ended->ok());
    THAT(f.channel->is_open());
}
END_TEST

// The pair is another process's, too, who may do that at any time.
void make_waiting(ChannelFixture& f)
{
    OK(util::sys::set_nonblocking(f.channel->fd(), false));
}

TEST(a_socket_that_waits_holds_nobody_up)
{
    // Without TLS: a whole buffer, behind which another read finds nothing; and more than the pair takes.
    ChannelFixture f;
    make_waiting(f);
    OK(util::sys::write_all(f.other.get(), std::string(16U << 10, 'x')));
    f.until([&] { return f.received.size() == 16U << 10; });
    f.channel->send(std::string(4U << 20, 'y'));
    THAT(f.channel->queued() > 0);
    // With it: the beginning of a record; and again more than the pair takes.
    auto context = make_context();
    ChannelFixture g;
    g.channel->start_tls(context);
    make_waiting(g);
    TlsClient client;
    g.thread = std::thread([&] { (void)client.connect(g.other.get()); });
    g.until([&] { return g.secured; });
    g.thread.join();
    make_waiting(g);
    OK(util::sys::write_all(g.other.get(), std::string("\x17\x03\x03\x01", 4)));
    g.loop.run_for(std::chrono::milliseconds(20));
    g.channel->send(std::string(4U << 20, 'y'));
    THAT(g.channel->queued() > 0);
}
END_TEST

// close() would wait two minutes here for a client who does not read.
TEST(a_socket_that_lingers_is_closed_at_once)
{
    util::UniqueFd client;
    util::UniqueFd server = test::lingering_socket(client);
    auto loop = util::EventLoop::create().take();
    auto began = util::now();
    {
        net::TlsChannel channel(loop, std::move(server),
                                {.received = [](std::string_view) {}, .ended = [](util::Result<void>) {}});
        channel.send(std::string(16U << 20, 'x'));
        THAT(channel.queued() > 0);
    }
    THAT(util::now() - began < std::chrono::seconds(60));
}
END_TEST

TEST(a_released_socket_is_the_callers)
{
    ChannelFixture f;
    auto socket = f.channel->release();
    THAT(socket.valid());
    THAT(!f.channel->is_open());
    OK(util::sys::write_all(f.other.get(), "x"));
    f.loop.run_for(std::chrono::milliseconds(20));
    EQ(f.received, "");
}
END_TEST

TEST(tls_begins_when_told_and_carries_much_both_ways)
{
    auto context = make_context();
    ChannelFixture f;
    std::string large(3'000'000, 'x');
    std::string back;
    bool good = false;
    f.thread = std::thread([&] {
        TlsClient client;
        good = client.connect(f.other.get());
        client.write("hello");
        back = client.read(large.size());
        client.write(large);
        SSL_shutdown(client.ssl);
    });
    f.channel->start_tls(context);
    f.until([&] { return f.secured && f.received == "hello"; });
    f.channel->send(large);
    THAT(f.channel->queued() > 0);
    f.until([&] { return f.drained == 1; });
    EQ(f.channel->queued(), 0U);
    f.until([&] { return f.received.size() == large.size() + 5 && f.ended; });
    THAT(f.ended->ok());
    f.thread.join();
    THAT(good);
    EQ(back, large);
}
END_TEST

TEST(a_paused_channel_reads_nothing_and_goes_on_where_it_was)
{
    auto context = make_context();
    ChannelFixture f;
    f.on_received = [&](std::string_view) { f.channel->pause(true); };
    f.thread = std::thread([&] {
        TlsClient client;
        client.connect(f.other.get());
        client.write(std::string(10, 'a'));
        client.write(std::string(10, 'b'));
        client.write(std::string(40'000, 'c'));
        client.read(1);
    });
    f.channel->start_tls(context);
    std::size_t last = 0;
    while (f.received.size() < 40'020) {
        f.until([&] { return f.received.size() > last; });
        last = f.received.size();
        f.loop.run_for(std::chrono::milliseconds(5));
        EQ(f.received.size(), last);
        f.channel->pause(false);
    }
    f.channel->send("x");
    f.thread.join();
}
END_TEST

TEST(finish_sends_what_waits_and_says_goodbye)
{
    auto context = make_context();
    ChannelFixture f;
    std::string large(1'000'000, 'y');
    std::string got;
    bool orderly = false;
    f.thread = std::thread([&] {
        TlsClient client;
        client.connect(f.other.get());
        got = client.read(large.size() + 10);
        orderly = SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN;
    });
    f.channel->start_tls(context);
    f.until([&] { return f.secured; });
    f.channel->send(large);
    f.channel->finish();
    THAT(!f.ended);
    f.until([&] { return f.ended.has_value(); });
    THAT(!f.channel->is_open());
    f.thread.join();
    EQ(got, large);
    THAT(orderly);
}
END_TEST

TEST(a_handshake_that_is_none_ends_with_an_error)
{
    auto context = make_context();
    ChannelFixture f;
    f.channel->start_tls(context);
    OK(util::sys::write_all(f.other.get(), "a1 CAPABILITY\r\n"));
    f.until([&] { return f.ended.has_value(); });
    THAT(!f.ended->ok());
    THAT(!f.channel->is_open());
    EQ(f.received, "");
}
END_TEST

TEST(a_client_that_goes_in_the_handshake_ends_the_channel)
{
    auto context = make_context();
    // Nothing, part of a record's head, a head and part of what it announces.
    for (std::string_view sent : {std::string_view(""), std::string_view("\x16\x03\x01", 3),
                                  std::string_view("\x16\x03\x01\x01\x00\x01\x00", 7)}) {
        ChannelFixture f;
        f.channel->start_tls(context);
        OK(util::sys::write_all(f.other.get(), sent));
        f.other.reset();
        f.until([&] { return f.ended.has_value(); });
        THAT(!f.ended->ok());
        EQ(f.ended->error().code, ECONNRESET);
        THAT(!f.channel->is_open());
    }
}
END_TEST

TEST(a_client_that_goes_is_told_once_and_sending_is_harmless)
{
    auto context = make_context();
    ChannelFixture f;
    f.thread = std::thread([&] {
        TlsClient client;
        client.connect(f.other.get());
        SSL_set_quiet_shutdown(client.ssl, 1);
    });
    f.channel->start_tls(context);
    f.until([&] { return f.secured; });
    f.thread.join();
    f.other.reset();
    f.until([&] { return f.ended.has_value(); });
    for (int i = 0; i < 10; ++i)
        f.channel->send(std::string(100'000, 'z'));
    f.until([&] { return !f.channel->is_open(); });
    EQ(f.channel->queued(), 0U);
}
END_TEST

SUITE(tls_channel, plain_bytes_go_both_ways_until_the_end, a_released_socket_is_the_callers,
      a_socket_that_waits_holds_nobody_up, a_socket_that_lingers_is_closed_at_once,
      tls_begins_when_told_and_carries_much_both_ways,
      a_paused_channel_reads_nothing_and_goes_on_where_it_was,
      finish_sends_what_waits_and_says_goodbye, a_handshake_that_is_none_ends_with_an_error,
      a_client_that_goes_in_the_handshake_ends_the_channel,
      a_client_that_goes_is_told_once_and_sending_is_harmless)
