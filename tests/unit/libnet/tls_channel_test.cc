// TlsChannel against a blocking client in a thread.
#include "libnet/tls_channel.h"

#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
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
struct Fixture {
    util::EventLoop loop = util::EventLoop::create().take();
    std::unique_ptr<net::TlsChannel> channel;
    std::string received;
    bool secured = false;
    int drained = 0;
    std::optional<util::Result<void>> ended;
    std::function<void(std::string_view)> on_received = [](std::string_view) {};
    util::UniqueFd other;
    std::thread thread;

    Fixture()
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
    ~Fixture()
    {
        if (thread.joinable())
            thread.join();
    }
    void until(const std::function<bool()>& done)
    {
        auto deadline = util::Deadline::in(std::chrono::seconds(20));
        while (!done() && !deadline.passed())
            loop.run_for(std::chrono::milliseconds(20));
        THAT(done());
    }
};

}  // namespace

TEST(plain_bytes_go_both_ways_until_the_end)
{
    Fixture f;
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

TEST(a_released_socket_is_the_callers)
{
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
        Fixture f;
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
    Fixture f;
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
      tls_begins_when_told_and_carries_much_both_ways,
      a_paused_channel_reads_nothing_and_goes_on_where_it_was,
      finish_sends_what_waits_and_says_goodbye, a_handshake_that_is_none_ends_with_an_error,
      a_client_that_goes_in_the_handshake_ends_the_channel,
      a_client_that_goes_is_told_once_and_sending_is_harmless)
