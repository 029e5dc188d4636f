#include "libmail/ehlo.h"

#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

void add_words(std::vector<std::string>& list, std::string_view text)
{
    for (std::string_view word : util::split_words(text, " \t")) {
        std::string name = util::upper(word);
        if (list.size() < max_announced_words && std::ranges::find(list, name) == list.end())
            list.push_back(std::move(name));
    }
}

void take_keyword(ServerExtensions& server, std::string_view keyword, std::string_view argument)
{
    struct Flag {
        std::string_view keyword;
        bool ServerExtensions::*member;
    };
    static constexpr Flag flags[] = {
        {"PIPELINING", &ServerExtensions::pipelining}, {"8BITMIME", &ServerExtensions::eight_bit_mime},
        {"SMTPUTF8", &ServerExtensions::utf8},         {"DSN", &ServerExtensions::dsn},
        {"STARTTLS", &ServerExtensions::starttls},     {"CHUNKING", &ServerExtensions::chunking},
        {"SIZE", &ServerExtensions::size},             {"AUTH", &ServerExtensions::auth},
        {"ENHANCEDSTATUSCODES", &ServerExtensions::enhanced_status_codes}, {"REQUIRETLS", &ServerExtensions::requiretls},
    };
    for (const Flag& flag : flags)
        if (util::equal_nocase(flag.keyword, keyword))
            server.*flag.member = true;
    if (util::equal_nocase(keyword, "SIZE"))
        server.size_limit = util::parse_unsigned(util::trim(argument)).value_or(0);
    else if (util::equal_nocase(keyword, "AUTH"))
        add_words(server.mechanisms, argument);
    else if (util::equal_nocase(keyword, "XFORWARD"))
        add_words(server.xforward, argument);
}

}  // namespace

bool ServerExtensions::takes_xforward(std::string_view attribute) const
{
    return std::ranges::find(xforward, attribute) != xforward.end();
}

ServerExtensions parse_ehlo(const Reply& reply, const std::vector<std::string>& discard)
{
    ServerExtensions server;
    auto lines = util::split(reply.text, '\n');
    auto greeting = util::split_words(lines.front(), " \t");
    if (!greeting.empty())
        server.name = greeting.front();
    for (std::size_t i = 1; i < lines.size(); ++i) {
        std::string_view line = util::trim(lines[i]);
        std::size_t end = line.find_first_of(" \t=");
        std::string_view keyword = line.substr(0, end);
        std::string_view argument = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
        bool unwanted =
            std::ranges::any_of(discard, [&](const std::string& word) { return util::equal_nocase(word, keyword); });
        if (!unwanted)
            take_keyword(server, keyword, argument);
    }
    return server;
}

}  // namespace mail
