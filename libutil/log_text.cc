// What stands in the text of a log line.
#include "libutil/log_text.h"

#include "libutil/text.h"

#include <algorithm>

namespace util::log {

namespace {

constexpr std::size_t max_key = 40;
constexpr std::size_t min_id = 6, max_id = 40;

bool is_key(std::string_view text)
{
    return !text.empty() && text.size() <= max_key &&
           std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-'; });
}

}  // namespace

std::string_view leading_queue_id(std::string_view text)
{
    std::size_t colon = text.substr(0, max_id + 2).find(": ");
    if (colon == std::string_view::npos || colon < min_id)
        return {};
    std::string_view id = text.substr(0, colon);
    bool digits = std::ranges::any_of(id, is_digit);
    return digits && std::ranges::all_of(id, is_alnum) ? id : std::string_view();
}

std::pair<std::string_view, std::string_view> next_pair(std::string_view& rest)
{
    auto [key, after] = split_first(rest, '=');
    if (key.size() == rest.size() || !is_key(key))
        return {};
    for (std::size_t comma = after.find(", "); comma != std::string_view::npos; comma = after.find(", ", comma + 1)) {
        std::string_view next = after.substr(comma + 2);
        if (auto name = split_first(next.substr(0, max_key + 1), '=').first;
            name.size() < std::min(next.size(), max_key + 1) && is_key(name)) {
            rest = next;
            return {key, after.substr(0, comma)};
        }
    }
    rest = {};
    return {key, after};
}

}  // namespace util::log
