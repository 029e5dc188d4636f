// What the text of a nexthop means.
#include "smtp/site/destination.h"

#include "libconf/network.h"
#include "libmail/address.h"
#include "libnet/dns_name.h"
#include "libutil/text.h"

namespace smtp {

namespace {

util::Error no_destination(std::string_view text, std::string_view why)
{
    return util::invalid(util::concat("not a destination: ", util::printable(text, 200), ": ", why));
}

// "[host]" or "host", and what stands behind the colon.
struct Split {
    std::string_view host;
    std::string_view port;
    bool bracketed = false;
};

util::Result<Split> split_port(std::string_view text)
{
    Split parts;
    parts.bracketed = text.starts_with('[');
    std::size_t end = parts.bracketed ? text.find(']') : text.find(':');
    if (parts.bracketed && end == std::string_view::npos)
        return util::invalid("a bracket is not closed");
    parts.host = text.substr(parts.bracketed, end == std::string_view::npos ? end : end - parts.bracketed);
    std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end + parts.bracketed);
    if (rest.empty())
        return parts;
    if (rest.front() != ':' || rest.size() == 1)
        return util::invalid("a port is wanted behind the colon");
    parts.port = rest.substr(1);
    return parts;
}

}  // namespace

util::Result<std::uint16_t> parse_port(std::string_view text)
{
    struct Named {
        std::string_view name;
        std::uint16_t port;
    };
    static constexpr Named names[] = {{"smtp", 25}, {"lmtp", 24}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}};
    for (const Named& known : names)
        if (known.name == text)
            return known.port;
    auto number = util::parse_unsigned(text, 65535);
    if (!number || *number == 0)
        return util::invalid(util::concat("not a port: ", util::printable(text, 50)));
    return static_cast<std::uint16_t>(*number);
}

util::Result<Destination> parse_destination(std::string_view text, std::uint16_t default_port, bool lmtp)
{
    std::string_view rest = util::trim(text);
    Destination destination;
    destination.text = rest;
    if (util::starts_with_nocase(rest, "unix:")) {
        destination.kind = Destination::Kind::Path;
        destination.name = rest.substr(5);
        return destination.name.empty() ? util::Result<Destination>(no_destination(text, "a path is wanted")) : destination;
    }
    if (util::starts_with_nocase(rest, "inet:"))
        rest.remove_prefix(5);
    auto parts = split_port(rest);
    if (!parts)
        return no_destination(text, parts.error().text);
    destination.port = default_port;
    if (!parts->port.empty()) {
        auto port = parse_port(parts->port);
        if (!port)
            return no_destination(text, port.error().text);
        destination.port = *port;
        destination.service = util::lower(parts->port);
    }
    destination.in_brackets = parts->bracketed;
    destination.kind = parts->bracketed || lmtp ? Destination::Kind::Host : Destination::Kind::Domain;
    if (auto address = conf::IpAddress::parse(parts->host); address && destination.kind == Destination::Kind::Host) {
        destination.name = address->to_text();
        destination.is_address = true;
        return destination;
    }
    auto domain = mail::parse_domain(parts->host);
    if (!domain)
        return no_destination(text, domain.error().text);
    destination.name = net::dns::question_name(*domain).value_or(*domain);
    return destination;
}

util::Result<std::vector<Destination>> parse_destinations(std::string_view text, std::uint16_t default_port, bool lmtp)
{
    std::vector<Destination> destinations;
    for (std::string_view word : util::split_words(text)) {
        if (destinations.size() == max_destinations)
            return no_destination(text, "too many");
        destinations.push_back(TRY(parse_destination(word, default_port, lmtp)));
    }
    if (destinations.empty())
        return no_destination(text, "it is empty");
    return destinations;
}

}  // namespace smtp
