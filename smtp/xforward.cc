#include "smtp/xforward.h"

#include "libmail/esmtp.h"

namespace smtp {

namespace {

constexpr std::size_t max_value = 255;   // bytes, before encoding: what the other side takes

// What is not known, or cannot be said in xtext, is told to be so.
std::string value_of(std::string_view text)
{
    if (text.empty() || text == "unknown" || !util::is_ascii(text))
        return "[UNAVAILABLE]";
    return mail::encode_xtext(text.substr(0, max_value));
}

}  // namespace

std::vector<std::string> xforward_commands(const ipc::Envelope& envelope, const mail::ServerExtensions& server)
{
    std::string address = envelope.client_address;
    if (address.find(':') != std::string::npos)
        address = util::concat("IPv6:", address);
    bool remote = !envelope.client_address.empty() && !envelope.local_header;
    const std::pair<std::string_view, std::string> attributes[] = {
        {"NAME", value_of(envelope.client_name)},      {"ADDR", value_of(address)},
        {"PORT", value_of(envelope.client_port)},      {"PROTO", value_of(envelope.protocol_name)},
        {"HELO", value_of(envelope.helo_name)},        {"IDENT", value_of(envelope.queue_id)},
        {"SOURCE", remote ? "REMOTE" : "LOCAL"},
    };
    std::vector<std::string> commands;
    for (const auto& attribute : attributes) {
        if (!server.takes_xforward(attribute.first))
            continue;
        std::string word = util::concat(' ', attribute.first, '=', attribute.second);
        if (commands.empty() || commands.back().size() + word.size() + 2 > max_xforward_line)
            commands.emplace_back("XFORWARD");
        commands.back() += word;
    }
    return commands;
}

}  // namespace smtp
