// Names of the DNS as text.
#include "libnet/dns_name.h"

#include "libutil/handle.h"
#include "libutil/text.h"

#include <idn2.h>

#include <algorithm>

namespace net::dns {

namespace {

bool is_host_byte(char c)
{
    return util::is_alnum(c) || c == '-' || c == '_';
}

template <typename Allowed>
bool has_labels_of(std::string_view name, Allowed allowed)
{
    if (name.empty() || name.size() > max_name)
        return false;
    return std::ranges::all_of(util::split(name, '.'), [&](std::string_view label) {
        return !label.empty() && label.size() <= max_label && std::ranges::all_of(label, allowed);
    });
}

std::optional<std::string> to_a_labels(std::string_view text)
{
    constexpr std::size_t most = 4 * max_name;  // bytes in UTF-8 that could still become a name
    if (text.size() > most || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    char* raw = nullptr;
    if (::idn2_to_ascii_8z(std::string(text).c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return std::nullopt;
    util::Handle<char, ::idn2_free> converted(raw);
    return std::string(raw);
}

}  // namespace

std::optional<std::string> question_name(std::string_view text)
{
    std::string ascii;
    if (!util::is_ascii(text)) {
        auto converted = to_a_labels(text);
        if (!converted)
            return std::nullopt;
        ascii = std::move(*converted);
        text = ascii;
    }
    if (text.ends_with('.'))
        text.remove_suffix(1);
    if (!has_labels_of(text, [](char c) { return is_host_byte(c) || c == '/'; }))
        return std::nullopt;
    return util::lower(text);
}

std::optional<std::string> name_from_wire(std::string_view wire)
{
    std::string name;
    while (!wire.empty() && wire[0] != 0) {
        auto length = std::size_t(static_cast<unsigned char>(wire[0]));
        if (length > max_label || length >= wire.size())
            return std::nullopt;
        if (!name.empty())
            name += '.';
        for (char c : wire.substr(1, length)) {
            if (!util::is_printable(c) || c == ' ' || c == '.' || c == '\\')
                return std::nullopt;
            name += util::to_lower(c);
        }
        wire.remove_prefix(1 + length);
    }
    if (wire.size() != 1 || name.size() > max_name)
        return std::nullopt;
    return name;
}

bool is_host_name(std::string_view name)
{
    return has_labels_of(name, is_host_byte);
}

std::string reverse_name(const conf::IpAddress& address)
{
    std::string name;
    for (int i = address.length - 1; i >= 0; --i) {
        unsigned byte = address.bytes[std::size_t(i)];
        if (address.length == 4) {
            util::append(name, byte, '.');
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            util::append(name, digits[byte & 15], '.', digits[byte >> 4], '.');
        }
    }
    return name + (address.length == 4 ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace net::dns
