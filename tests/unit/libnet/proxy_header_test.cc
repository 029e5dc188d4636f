#include "libnet/proxy_header.h"

#include "libnet/transport.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>

namespace {

using namespace std::literals;

// "address:port address:port", "none", "more", or what is wrong.
std::string read_header(std::string_view text)
{
    net::ProxyHeaderParser parser;
    auto used = parser.take(text);
    if (!used.ok())
        return used.error().text;
    if (!parser.done())
        return "more";
    const net::ProxyHeader& header = parser.header();
    if (!header.client)
        return "none";
    return util::concat(header.client->address, '#', header.client->port, ' ', header.server->address, '#',
                        header.server->port);
}

std::string binary(int command, int family, std::string_view rest)
{
    std::string out = "\r\n\r\n\0\r\nQUIT\n"s;
    for (std::size_t byte : {std::size_t(0x20 | command), std::size_t(family), rest.size() >> 8, rest.size() & 255})
        out += char(byte);
    out += rest;
    return out;
}

const std::string ends4 = "\xc0\x00\x02\x01\xc0\x00\x02\x02\xc8\x22\x00\x19"s;

TEST(reads_the_text_form)
{
    EQ(read_header("PROXY TCP4 192.0.2.1 192.0.2.2 51234 25\r\n"), "192.0.2.1#51234 192.0.2.2#25");
    EQ(read_header("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), "2001:db8::1#1 2001:db8::2#65535");
    EQ(read_header("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 25\r\n"), "192.0.2.1#1 192.0.2.2#25");
    EQ(read_header("PROXY UNKNOWN\r\n"), "none");
    EQ(read_header("PROXY UNKNOWN ffff::1 what ever\r\n"), "none");
    EQ(read_header("PROXY TCP4 192.0.2.1"), "more");
}
END_TEST

TEST(refuses_text_that_is_no_header)
{
    for (std::string_view text :
         {"EHLO x\r\n", "PROXX", "PROXY TCP4 192.0.2.1 192.0.2.2 51234 25\n", "PROXY \r\n",
          "PROXY TCP4 192.0.2.1 192.0.2.2 51234\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 51234 25 \r\n",
          "PROXY TCP4 2001:db8::1 192.0.2.2 51234 25\r\n", "PROXY TCP6 192.0.2.1 192.0.2.2 51234 25\r\n",
          "PROXY TCP6 [2001:db8::1] 2001:db8::2 51234 25\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n",
          "PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n", "PROXY TCP4 192.0.2 192.0.2.2 1 25\r\n",
          "PROXY UDP4 192.0.2.1 192.0.2.2 51234 25\r\n", "proxy UNKNOWN\r\n"}) {
        net::ProxyHeaderParser parser;
        THAT(!parser.take(text).ok());
    }
    // §2.1: 107 bytes at most.
    EQ(read_header("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "none");
    EQ(read_header("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "the line is too long");
    EQ(read_header("PROXY UNKNOWN " + std::string(200, 'x')), "the line is too long");
}
END_TEST

TEST(reads_the_binary_form)
{
    EQ(read_header(binary(1, 0x11, ends4)), "192.0.2.1#51234 192.0.2.2#25");
    EQ(read_header(binary(1, 0x11, ends4 + "\x04\x00\x02xx"s)), "192.0.2.1#51234 192.0.2.2#25");
    std::string six =
        "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x02\x00\x01\x00\x19"s;
    EQ(read_header(binary(1, 0x21, six)), "2001:db8::1#1 2001:db8::2#25");
    EQ(read_header(binary(0, 0x11, ends4)), "none");
    EQ(read_header(binary(0, 0, "")), "none");
    EQ(read_header(binary(1, 0, "abc")), "none");
    EQ(read_header(binary(1, 0x31, std::string(216, 'u'))), "none");
    EQ(read_header(binary(1, 0x11, ends4).substr(0, 20)), "more");
}
END_TEST

TEST(refuses_a_binary_form_that_is_broken)
{
    EQ(read_header(binary(1, 0x11, ends4.substr(0, 11))), "too short for its addresses");
    EQ(read_header(binary(1, 0x12, ends4)), "address family and protocol 18");
    EQ(read_header(binary(2, 0x11, ends4)), "command 2");
    std::string version = binary(1, 0x11, ends4);
    version[12] = 0x11;
    EQ(read_header(version), "version 1");
    EQ(read_header("\r\n\r\nQUIT"), "no PROXY header");
}
END_TEST

TEST(extensions_end_at_the_limit)
{
    std::size_t room = net::max_proxy_header - 16 - ends4.size();
    EQ(read_header(binary(1, 0x11, ends4 + std::string(room, 't'))), "192.0.2.1#51234 192.0.2.2#25");
    EQ(read_header(binary(1, 0x11, ends4 + std::string(room + 1, 't'))), "longer than 4096 bytes");
    // Said by the length already: nothing is waited for.
    EQ(read_header("\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"s), "longer than 4096 bytes");
}
END_TEST

TEST(leaves_what_follows_in_the_socket)
{
    for (const std::string& header : {"PROXY TCP4 192.0.2.1 192.0.2.2 51234 25\r\n"s, binary(1, 0x11, ends4 + "tlv")}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        net::ProxyHeaderParser parser;
        THAT(::send(pair.second.get(), header.data(), 5, 0) == 5);
        EQ(net::read_proxy_header(pair.first.get(), parser).value_or(true), false);
        std::string rest = header.substr(5) + "\x16\x03handshake";
        THAT(::send(pair.second.get(), rest.data(), rest.size(), 0) == ssize_t(rest.size()));
        EQ(net::read_proxy_header(pair.first.get(), parser).value_or(false), true);
        char buffer[100];
        ssize_t got = ::recv(pair.first.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        EQ(std::string_view(buffer, std::size_t(got)), "\x16\x03handshake");
    }
}
END_TEST

TEST(waiting_ends_with_the_deadline_and_with_the_connection)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    THAT(::send(pair.second.get(), "PROXY ", 6, 0) == 6);
    auto late = net::wait_for_proxy_header(pair.first.get(), util::Deadline::in(20ms), {});
    EQ(late.error().code, net::timeout_code);
    pair.second.reset();
    auto gone = net::wait_for_proxy_header(pair.first.get(), util::Deadline::in(20s), {});
    EQ(gone.error().code, net::closed_code);
}
END_TEST

}  // namespace

SUITE(proxy_header, reads_the_text_form, refuses_text_that_is_no_header, reads_the_binary_form,
      refuses_a_binary_form_that_is_broken, extensions_end_at_the_limit, leaves_what_follows_in_the_socket,
      waiting_ends_with_the_deadline_and_with_the_connection)
