// The PROXY protocol: both forms of the header.
#include "libnet/proxy_header.h"

#include "libconf/network.h"
#include "libnet/transport.h"
#include "libutil/text.h"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace net {

namespace {

// §2.2: bytes that no client of a mail protocol begins with.
constexpr std::string_view binary_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view text_signature = "PROXY ";
constexpr std::size_t binary_fixed_size = 16;
constexpr std::size_t max_text_header = 107;  // §2.1, with CRLF

// Do the two agree as far as both go?
bool agree(std::string_view bytes, std::string_view signature)
{
    std::size_t count = std::min(bytes.size(), signature.size());
    return bytes.substr(0, count) == signature.substr(0, count);
}

std::size_t big_endian(std::string_view two)
{
    return std::size_t(static_cast<unsigned char>(two[0])) << 8 | static_cast<unsigned char>(two[1]);
}

Endpoint binary_end(std::string_view address, std::string_view port)
{
    conf::IpAddress ip;
    ip.length = int(address.size());
    std::memcpy(ip.bytes.data(), address.data(), address.size());
    // Written out and read again: so IPv4 within IPv6 becomes IPv4.
    auto plain = conf::IpAddress::parse(ip.to_text());
    return {plain.ok() ? plain->to_text() : ip.to_text(), std::uint16_t(big_endian(port))};
}

util::Result<Endpoint> text_end(std::string_view address, std::string_view port, bool ipv6)
{
    constexpr std::string_view letters = "0123456789abcdefABCDEF:.";  // no brackets, no "IPv6:"
    bool colons = address.find(':') != std::string_view::npos;
    auto ip = conf::IpAddress::parse(address);
    if (!ip.ok() || colons != ipv6 || address.find_first_not_of(letters) != std::string_view::npos)
        return util::invalid("bad address");
    auto number = util::parse_unsigned(port, 65535);
    if (!number.ok() || port.size() > 5)
        return util::invalid("bad port");
    return Endpoint{ip->to_text(), std::uint16_t(*number)};
}

}  // namespace

util::Result<std::size_t> ProxyHeaderParser::wanted() const
{
    if (bytes_.size() < binary_fixed_size)
        return binary_fixed_size;
    std::size_t size = binary_fixed_size + big_endian(std::string_view(bytes_).substr(14));
    if (size > max_proxy_header)
        return util::invalid(util::concat("longer than ", max_proxy_header, " bytes"));
    return size;
}

util::Result<std::size_t> ProxyHeaderParser::take(std::string_view input)
{
    std::size_t used = 0;
    while (used < input.size() && !done_) {
        std::string_view rest = input.substr(used);
        bool binary = (bytes_.empty() ? rest.front() : bytes_.front()) == binary_signature.front();
        std::size_t count = 0;
        if (binary) {
            count = std::min(rest.size(), TRY(wanted()) - bytes_.size());
        } else {
            std::size_t line = rest.find('\n');
            count = line == std::string_view::npos ? rest.size() : line + 1;
            if (bytes_.size() + count > max_text_header)
                return util::invalid("the line is too long");
        }
        bytes_ += rest.substr(0, count);
        used += count;
        if (!agree(bytes_, binary ? binary_signature : text_signature))
            return util::invalid("no PROXY header");
        if (binary) {
            if (bytes_.size() >= binary_fixed_size && bytes_.size() == TRY(wanted()))
                TRY(parse_binary());
        } else if (bytes_.back() == '\n') {
            TRY(parse_text());
        }
    }
    return used;
}

// §2.1: "PROXY TCP4 192.0.2.1 192.0.2.2 51234 25"; behind UNKNOWN anything may stand.
util::Result<void> ProxyHeaderParser::parse_text()
{
    std::string_view line = bytes_;
    if (!line.ends_with("\r\n"))
        return util::invalid("the line ends without CR");
    line.remove_suffix(2);
    auto words = util::split(line, ' ');
    done_ = true;
    if (words.size() > 1 && words[1] == "UNKNOWN")
        return {};
    if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6"))
        return util::invalid("bad syntax");
    bool ipv6 = words[1] == "TCP6";
    header_.client = TRY(text_end(words[2], words[4], ipv6));
    header_.server = TRY(text_end(words[3], words[5], ipv6));
    return {};
}

// §2.2: signature, version and command, family and protocol, length; addresses, ports, extensions.
util::Result<void> ProxyHeaderParser::parse_binary()
{
    auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes_[at]); };
    if (byte(12) >> 4 != 2)
        return util::invalid(util::concat("version ", byte(12) >> 4));
    int command = byte(12) & 15;
    if (command > 1)
        return util::invalid(util::concat("command ", command));
    done_ = true;
    if (command == 0)
        return {};  // LOCAL: whatever else it says counts for nothing
    constexpr int unspecified = 0x00, tcp4 = 0x11, tcp6 = 0x21, unix_stream = 0x31;
    int family = byte(13);
    if (family == unspecified || family == unix_stream)
        return {};
    if (family != tcp4 && family != tcp6)
        return util::invalid(util::concat("address family and protocol ", family));
    std::size_t length = family == tcp4 ? 4 : 16;
    std::string_view rest = std::string_view(bytes_).substr(binary_fixed_size);
    if (rest.size() < 2 * length + 4)
        return util::invalid("too short for its addresses");
    header_.client = binary_end(rest.substr(0, length), rest.substr(2 * length, 2));
    header_.server = binary_end(rest.substr(length, length), rest.substr(2 * length + 2, 2));
    return {};
}

util::Result<bool> read_proxy_header(int socket, ProxyHeaderParser& parser)
{
    char buffer[max_proxy_header];
    while (!parser.done()) {
        // A look first: what does not belong to the header stays in the socket.
        ssize_t there = ::recv(socket, buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
        if (there < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (there < 0)
            return util::system_error("recv", errno);
        if (there == 0)
            return util::Error{util::Kind::Temporary, "lost connection", closed_code};
        std::size_t used = TRY(parser.take({buffer, std::size_t(there)}));
        if (::recv(socket, buffer, used, MSG_DONTWAIT) != ssize_t(used))
            return util::temporary("what was there is gone");
    }
    return true;
}

util::Result<ProxyHeader> wait_for_proxy_header(int socket, util::Deadline deadline,
                                                const std::function<bool()>& wants_stop)
{
    ProxyHeaderParser parser;
    while (!TRY(read_proxy_header(socket, parser))) {
        pollfd wanted{.fd = socket, .events = POLLIN, .revents = 0};
        int count = ::poll(&wanted, 1, deadline.poll_milliseconds());
        if (count < 0 && errno == EINTR && wants_stop && wants_stop())
            return util::Error{util::Kind::Temporary, "interrupted", interrupted_code};
        if (count <= 0 && deadline.passed())
            return util::Error{util::Kind::Temporary, "timeout", timeout_code};
        if (count < 0 && errno != EINTR)
            return util::system_error("poll", errno);
    }
    return parser.header();
}

}  // namespace net
