// smtpd_reject_footer.
#include "smtpd/footer.h"

#include "libutil/text.h"

#include <algorithm>
#include <ctime>

namespace smtpd {

namespace {

std::string local_time(util::WallTime time)
{
    std::time_t when = util::unix_seconds(time);
    std::tm local{};
    char text[64] = "";
    if (::localtime_r(&when, &local))
        std::strftime(text, sizeof text, "%b %d %H:%M:%S", &local);
    return text;
}

std::string value_of(std::string_view name, const FooterFacts& facts)
{
    if (name == "client_address")
        return facts.client.address;
    if (name == "client_port")
        return util::concat(facts.client.port);
    if (name == "localtime")
        return local_time(facts.time);
    if (name == "server_name")
        return std::string(facts.server_name);
    return {};
}

// The name behind a "$" at the start of `text`, and how many bytes it takes with its brackets.
std::pair<std::string_view, std::size_t> read_name(std::string_view text)
{
    bool bracket = text.starts_with('(') || text.starts_with('{');
    std::string_view inner = text.substr(bracket ? 1 : 0);
    auto end = std::ranges::find_if(inner, [](char c) { return !util::is_alnum(c) && c != '_'; });
    std::string_view name = inner.substr(0, std::size_t(end - inner.begin()));
    std::size_t size = name.size();
    if (bracket) {
        bool closed = end != inner.end() && *end == (text.front() == '(' ? ')' : '}');
        size += closed ? 2 : 1;
    }
    return {name, size};
}

}  // namespace

void add_footer(std::string& text, std::string_view footer, const FooterFacts& facts)
{
    if (footer.empty())
        return;
    bool goes_on = footer.starts_with("\\c");
    if (goes_on)
        footer.remove_prefix(2);
    std::string expanded;
    while (!footer.empty() && expanded.size() < max_footer) {
        std::size_t plain = std::min(footer.find_first_of("$\\"), footer.size());
        expanded += footer.substr(0, plain);
        footer.remove_prefix(plain);
        if (footer.starts_with("\\n")) {
            expanded += '\n';
            footer.remove_prefix(2);
        } else if (footer.starts_with("$$")) {
            expanded += '$';
            footer.remove_prefix(2);
        } else if (footer.starts_with('$')) {
            auto [name, size] = read_name(footer.substr(1));
            expanded += value_of(name, facts);
            footer.remove_prefix(1 + size);
        } else if (!footer.empty()) {
            expanded += footer.front();
            footer.remove_prefix(1);
        }
    }
    expanded.resize(std::min(expanded.size(), max_footer));
    util::append(text, goes_on ? "" : "\n", expanded);
}

}  // namespace smtpd
