#include "libnet/stream.h"
#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/libnet/signals.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <future>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <thread>

namespace {

// A client that shakes hands, says "ping", reads the answer and its own exporter value.
struct Client {
    std::string answer;
    std::string exporter;
    bool connected = false;

    void run(int fd, int version, const char* name)
    {
        SSL_CTX* context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        SSL* ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        SSL_set_tlsext_host_name(ssl, name);
        connected = SSL_connect(ssl) == 1;
        if (connected) {
            unsigned char out[32];
            SSL_export_keying_material(ssl, out, 32, "EXPORTER-Channel-Binding", 24, out, 0, 1);
            exporter.assign(reinterpret_cast<char*>(out), 32);
            SSL_write(ssl, "ping\r\n", 6);
            char buffer[100];
            int count = SSL_read(ssl, buffer, sizeof buffer);
            answer.assign(buffer, std::size_t(count > 0 ? count : 0));
        }
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
};

TEST(shakes_hands_and_binds_the_channel)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("mail.example.org");
    auto context = net::TlsContext::server(pem.key + pem.certificate, {});
    OK(context);
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        Client client;
        std::thread thread([&] { client.run(pair.second.get(), version, "MAIL.example.org"); });
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::seconds(10));
        auto facts = stream.start_tls(*context);
        OK(facts);
        auto line = stream.read_line(100);
        OK(line);
        EQ(line->text, "ping");
        stream.write("pong");
        OK(stream.flush());
        stream.close();
        thread.join();
        EQ(client.answer, "pong");
        EQ(facts->protocol, version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
        EQ(facts->server_name, "mail.example.org");
        EQ(facts->exporter.size(), 32U);
        EQ(facts->exporter, client.exporter);
        THAT(facts->cipher_bits >= 128);
    }
}
END_TEST

TEST(refuses_an_old_protocol)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {.protocols = ">=TLSv1.3"});
    OK(context);
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    Client client;
    std::thread thread([&] { client.run(pair.second.get(), TLS1_2_VERSION, "a"); });
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::seconds(10));
    auto facts = stream.start_tls(*context);
    thread.join();
    THAT(!facts.ok());
    THAT(!client.connected);
}
END_TEST

TEST(refuses_plaintext_behind_starttls)
{
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    OK(util::sys::write_all(pair.second.get(), "STARTTLS\r\nMAIL FROM:<>\r\n"));
    EQ(stream.read_line(100)->text, "STARTTLS");
    auto facts = stream.start_tls(*context);
    EQ(facts.error().kind, util::Kind::Invalid);
}
END_TEST

TEST(garbage_instead_of_a_handshake_is_an_error)
{
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::seconds(10));
    OK(util::sys::write_all(pair.second.get(), "GET / HTTP/1.0\r\n\r\n"));
    THAT(!stream.start_tls(*context).ok());
}
END_TEST

TEST(a_silent_client_times_out_in_the_handshake)
{
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::milliseconds(20));
    EQ(stream.start_tls(*context).error().code, net::timeout_code);
}
END_TEST

// Each wait for a byte is short; it is all of them together that have an end.
TEST(a_client_that_sends_byte_by_byte_times_out_in_the_handshake)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::milliseconds(100));
    // The head of a record of 16,384 bytes, and its bytes until nobody reads them.
    OK(util::sys::write_all(pair.second.get(), std::string_view("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9)));
    std::thread thread([&] {
        while (util::sys::write_all(pair.second.get(), "x").ok())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    int code = stream.start_tls(*context).error().code;
    stream.close();
    thread.join();
    EQ(code, net::timeout_code);
}
END_TEST

TEST(checks_that_key_and_certificate_belong_together)
{
    auto one = test::make_certificate("a"), two = test::make_certificate("b");
    THAT(!net::TlsContext::server(one.key + two.certificate, {}).ok());
    THAT(!net::TlsContext::server(one.key, {}).ok());
    THAT(!net::TlsContext::server(one.certificate, {}).ok());
    THAT(!net::TlsContext::server("", {}).ok());
    THAT(!net::TlsContext::server("no PEM here\n", {}).ok());
    THAT(!net::TlsContext::server("-----BEGIN CERTIFICATE-----\nAAAA\n", {}).ok());
    THAT(!net::TlsContext::server(one.key + one.certificate + two.key, {}).ok());
    // The chain behind the leaf, in either order of key and certificates.
    OK(net::TlsContext::server(one.key + one.certificate + two.certificate, {}));
    OK(net::TlsContext::server(one.certificate + two.certificate + one.key, {}));
    THAT(!net::TlsContext::server(one.key + one.certificate, {.ciphers = "no-such-cipher"}).ok());
    THAT(!net::TlsContext::server(one.key + one.certificate + std::string(1024 * 1024, ' '), {}).ok());
}
END_TEST

TEST(reads_the_protocols_text)
{
    struct Case {
        const char* text;
        int lowest, highest;  // 0: an error
    };
    for (const Case& c : {Case{"", 0x301, 0x304}, Case{">=TLSv1.2", 0x303, 0x304},
                          Case{"TLSv1.2 TLSv1.3", 0x303, 0x304}, Case{"!TLSv1, !tlsv1.1", 0x303, 0x304},
                          Case{"!SSLv2:!SSLv3", 0x301, 0x304}, Case{">=TLSv1.1, <=TLSv1.2", 0x302, 0x303},
                          Case{"TLSv1.3", 0x304, 0x304}, Case{"TLSv1.1 TLSv1.3", 0, 0},
                          Case{"!TLSv1.2", 0, 0}, Case{">=TLSv1.3 <=TLSv1.2", 0, 0},
                          Case{"TLSv9", 0, 0}, Case{"SSLv3", 0, 0}, Case{">=SSLv3", 0, 0},
                          Case{">=", 0, 0}, Case{"!", 0, 0}}) {
        auto versions = net::parse_tls_protocols(c.text);
        EQ(versions.ok(), c.lowest != 0);
        if (versions.ok()) {
            EQ(versions->lowest, c.lowest);
            EQ(versions->highest, c.highest);
        }
    }
}
END_TEST

TEST(a_signal_ends_a_write_that_waits_over_tls_too)
{
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::server(pem.certificate + pem.key, {});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    std::promise<void> over;
    std::thread client([&, done = over.get_future()] {
        sigset_t signals;
        ::sigfillset(&signals);
        ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        SSL_CTX* own = SSL_CTX_new(TLS_client_method());
        SSL* ssl = SSL_new(own);
        SSL_set_fd(ssl, pair.second.get());
        SSL_connect(ssl);
        done.wait();   // and reads nothing
        SSL_free(ssl);
        SSL_CTX_free(own);
    });
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::hours(1));
    stream.set_stop(test::Signals::several);
    stream.stop_writes();
    OK(stream.start_tls(*context));
    test::Signals signals;
    stream.write(std::string(4'000'000, 'x'));
    auto sent = stream.flush();
    over.set_value();
    client.join();
    EQ(sent.error().code, net::interrupted_code);
    stream.close();
}
END_TEST

}  // namespace

SUITE(tls, a_signal_ends_a_write_that_waits_over_tls_too, shakes_hands_and_binds_the_channel, refuses_an_old_protocol,
      refuses_plaintext_behind_starttls, garbage_instead_of_a_handshake_is_an_error,
      a_silent_client_times_out_in_the_handshake,
      a_client_that_sends_byte_by_byte_times_out_in_the_handshake, checks_that_key_and_certificate_belong_together,
      reads_the_protocols_text)
