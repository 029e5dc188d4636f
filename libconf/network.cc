// IP addresses and networks.
#include "libconf/network.h"

#include "libutil/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace conf {

using util::concat;
using util::Result;

Result<IpAddress> IpAddress::parse(std::string_view text)
{
    std::string_view inner = text;
    if (inner.size() >= 2 && inner.front() == '[' && inner.back() == ']')
        inner = inner.substr(1, inner.size() - 2);
    if (util::starts_with_nocase(inner, "ipv6:"))
        inner.remove_prefix(5);
    std::string plain(inner.substr(0, 64));
    IpAddress address;
    // An embedded NUL would end the text early for inet_pton.
    bool usable = inner.size() < 64 && plain.find('\0') == std::string::npos;
    if (usable && ::inet_pton(AF_INET, plain.c_str(), address.bytes.data()) == 1) {
        address.length = 4;
        return address;
    }
    if (usable && ::inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) == 1) {
        static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        address.length = 16;
        if (std::equal(mapped, mapped + 12, address.bytes.begin())) {
            std::copy(address.bytes.begin() + 12, address.bytes.end(), address.bytes.begin());
            std::fill(address.bytes.begin() + 4, address.bytes.end(), std::uint8_t(0));
            address.length = 4;
        }
        return address;
    }
    return util::invalid(concat("an IP address is wanted, not \"", util::printable(text, 60), '"'));
}

std::string IpAddress::to_text() const
{
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
    return text;
}

Result<Network> Network::parse(std::string_view text)
{
    std::size_t slash = text.rfind('/');
    Network network;
    network.address = TRY(IpAddress::parse(text.substr(0, slash)));
    int most = network.address.length * 8;
    network.bits = most;
    if (slash == std::string_view::npos)
        return network;
    auto bits = util::parse_unsigned(text.substr(slash + 1), std::uint64_t(most));
    if (!bits)
        return util::invalid(concat("a number up to ", most, " is wanted after the slash of \"",
                                    util::printable(text, 60), '"'));
    network.bits = int(*bits);
    for (int bit = network.bits; bit < most; ++bit) {
        if (network.address.bytes[std::size_t(bit / 8)] & (0x80 >> (bit % 8)))
            return util::invalid(concat("\"", util::printable(text, 60), "\" has bits set beyond its mask"));
    }
    return network;
}

bool Network::contains(const IpAddress& other) const
{
    if (other.length != address.length)
        return false;
    auto whole = std::size_t(bits / 8);
    if (!std::equal(other.bytes.begin(), other.bytes.begin() + std::ptrdiff_t(whole), address.bytes.begin()))
        return false;
    int rest = bits % 8;
    return rest == 0 || ((other.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

std::string Network::to_text() const { return concat(address.to_text(), '/', bits); }

std::string client_network(std::string_view address, int ipv4_bits, int ipv6_bits)
{
    auto parsed = IpAddress::parse(address);
    if (!parsed)
        return std::string(address);
    int bits = parsed->length == 4 ? ipv4_bits : ipv6_bits;
    for (int bit = bits; bit < parsed->length * 8; ++bit)
        parsed->bytes[std::size_t(bit / 8)] &= std::uint8_t(~(0x80 >> bit % 8));
    std::string text = parsed->to_text();
    return bits < parsed->length * 8 ? concat(text, '/', bits) : text;
}

}  // namespace conf
