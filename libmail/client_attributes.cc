// The attributes of XCLIENT and XFORWARD.
#include "libmail/client_attributes.h"

#include "libconf/network.h"
#include "libmail/address.h"
#include "libmail/esmtp.h"
#include "libutil/text.h"

#include <utility>

namespace mail {

namespace {

using Check = bool (*)(std::string& value);

bool any(std::string& value) { return !value.empty(); }

bool host_name(std::string& value)
{
    // An address is no name: it would be taken for one that was looked up.
    return !conf::IpAddress::parse(value).ok() && !value.starts_with('[') && parse_domain(value).ok();
}

bool ip_address(std::string& value)
{
    auto address = conf::IpAddress::parse(value);
    if (!address.ok() || value.starts_with('['))
        return false;
    value = address->to_text();
    return true;
}

bool port_number(std::string& value)
{
    auto number = util::parse_unsigned(value, 65535);
    if (!number.ok() || *number == 0)
        return false;
    value = util::concat(*number);
    return true;
}

bool protocol_name(std::string& value) { return !value.empty() && value.size() <= 64; }

template <std::size_t Count>
bool one_of(std::string& value, const std::string_view (&words)[Count])
{
    value = util::upper(value);
    for (std::string_view word : words)
        if (value == word)
            return true;
    return false;
}

bool smtp_or_esmtp(std::string& value) { return one_of(value, {"SMTP", "ESMTP"}); }
bool local_or_remote(std::string& value) { return one_of(value, {"LOCAL", "REMOTE"}); }

constexpr unsigned in_xclient = 1, in_xforward = 2;

struct Known {
    std::string_view name;
    std::optional<ClientAttribute> ClientAttributes::* member;
    unsigned commands;
    Check check;
    bool may_be_missing = true;  // [UNAVAILABLE]
};

// In the order in which EHLO tells them.
constexpr Known known[] = {
    {"NAME", &ClientAttributes::name, in_xclient | in_xforward, host_name},
    {"ADDR", &ClientAttributes::address, in_xclient | in_xforward, ip_address},
    {"PROTO", &ClientAttributes::protocol, in_xclient, smtp_or_esmtp, false},
    {"PROTO", &ClientAttributes::protocol, in_xforward, protocol_name},  // need not have been SMTP
    {"HELO", &ClientAttributes::helo, in_xclient | in_xforward, any},
    {"REVERSE_NAME", &ClientAttributes::reverse_name, in_xclient, host_name},
    {"SOURCE", &ClientAttributes::source, in_xforward, local_or_remote, false},
    {"PORT", &ClientAttributes::port, in_xclient | in_xforward, port_number},
    {"IDENT", &ClientAttributes::ident, in_xforward, any},
    {"LOGIN", &ClientAttributes::login, in_xclient, any},
    {"DESTADDR", &ClientAttributes::destination_address, in_xclient, ip_address},
    {"DESTPORT", &ClientAttributes::destination_port, in_xclient, port_number},
};

constexpr unsigned bit_of(ClientCommand command) { return command == ClientCommand::Xclient ? in_xclient : in_xforward; }
constexpr std::string_view name_of(ClientCommand command) { return command == ClientCommand::Xclient ? "XCLIENT" : "XFORWARD"; }

util::Result<ClientAttribute> parse_value(const Known& attribute, std::string_view encoded)
{
    auto wrong = [&] {
        return util::invalid(util::concat("Bad ", attribute.name, " syntax: ", util::printable(encoded, 100)));
    };
    auto text = decode_xtext(encoded);
    if (!text.ok() || text->size() > ClientAttributes::max_value)
        return wrong();
    ClientAttribute value{ClientAttribute::Kind::Known, text.take()};
    bool unavailable = util::equal_nocase(value.text, "[UNAVAILABLE]");
    bool temporary = util::equal_nocase(value.text, "[TEMPUNAVAIL]");
    if (attribute.may_be_missing && (unavailable || temporary))
        return ClientAttribute{temporary ? ClientAttribute::Kind::Temporary : ClientAttribute::Kind::Unavailable, {}};
    if (!attribute.check(value.text))
        return wrong();
    return value;
}

}  // namespace

void ClientAttributes::merge(ClientAttributes later)
{
    // An attribute may stand in the table twice.
    for (const Known& attribute : known)
        if (auto value = std::exchange(later.*attribute.member, std::nullopt))
            this->*attribute.member = std::move(value);
}

std::string client_attribute_names(ClientCommand command)
{
    std::string names;
    for (const Known& attribute : known)
        if (attribute.commands & bit_of(command))
            util::append(names, names.empty() ? "" : " ", attribute.name);
    return names;
}

util::Result<ClientAttributes> parse_client_attributes(ClientCommand command, std::string_view argument)
{
    auto words = util::split_words(argument, " \t");
    if (words.empty())
        return util::invalid(util::concat("Syntax: ", name_of(command), " attribute=value..."));
    ClientAttributes all;
    for (std::string_view word : words) {
        std::size_t equals = word.find('=');
        if (equals == std::string_view::npos)
            return util::invalid("Error: attribute=value expected");
        std::string_view name = word.substr(0, equals);
        const Known* found = nullptr;
        for (const Known& attribute : known)
            if ((attribute.commands & bit_of(command)) && util::equal_nocase(attribute.name, name))
                found = &attribute;
        if (!found)
            return util::invalid(util::concat("Bad ", name_of(command), " attribute name: ", util::printable(name, 100)));
        all.*found->member = TRY(parse_value(*found, word.substr(equals + 1)));
    }
    return all;
}

}  // namespace mail
