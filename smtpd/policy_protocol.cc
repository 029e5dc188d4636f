// The policy delegation protocol's texts.
#include "smtpd/policy_protocol.h"

#include "libconf/parameter.h"
#include "libconf/words.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

util::Result<void> parse_endpoint(std::string_view text, PolicySpec& spec)
{
    auto [type, rest] = util::split_first(text, ':');
    if (type == "unix" && !rest.empty()) {
        spec.local = true;
        spec.path = rest;
        return {};
    }
    if (type != "inet")
        return util::invalid(util::concat("a policy server is inet:host:port or unix:path, not ", util::printable(text, 100)));
    std::size_t colon = rest.rfind(':');
    std::string_view host = colon == std::string_view::npos ? std::string_view() : rest.substr(0, colon);
    std::string_view port = colon == std::string_view::npos ? rest : rest.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    auto number = util::parse_unsigned(port, 65535);
    if (!number.ok() || *number == 0 || host.find_first_of("[]/ ") != std::string_view::npos || host.size() > 255)
        return util::invalid(
            util::concat("a policy server is inet:host:port, with a number as port, not ", util::printable(text, 100)));
    spec.host = host;
    spec.port = port;
    return {};
}

util::Result<void> parse_setting(std::string_view name, std::string_view value, PolicySpec& spec)
{
    auto duration = [&](std::optional<util::Duration>& into) -> util::Result<void> {
        into = TRY(conf::parse_duration(value, "s"));
        return {};
    };
    auto number = [&](std::optional<std::uint64_t>& into) -> util::Result<void> {
        into = TRY(util::parse_unsigned(value, 1'000'000'000));
        return {};
    };
    if (name == "timeout" || name == "max_idle" || name == "max_ttl") {
        std::optional<util::Duration> time;
        TRY(duration(time));
        if (*time <= util::Duration::zero())
            return util::invalid("a time above 0 is wanted");
        (name == "timeout" ? spec.timeout : name == "max_idle" ? spec.max_idle : spec.max_ttl) = time;
        return {};
    }
    if (name == "retry_delay")
        return duration(spec.retry_delay);
    if (name == "request_limit")
        return number(spec.request_limit);
    if (name == "try_limit") {
        TRY(number(spec.try_limit));
        return *spec.try_limit > 0 ? util::Result<void>() : util::invalid("at least 1 is wanted");
    }
    if (name == "default_action")
        spec.default_action = value;
    else if (name == "policy_context")
        spec.policy_context = value;
    else
        return util::invalid("there are timeout, max_idle, max_ttl, request_limit, try_limit, retry_delay, "
                             "default_action and policy_context");
    return {};
}

}  // namespace

util::Result<PolicySpec> parse_policy_spec(std::string_view argument)
{
    PolicySpec spec;
    argument = util::trim(argument);
    if (!argument.starts_with('{')) {
        TRY(parse_endpoint(argument, spec));
        return spec;
    }
    if (!argument.ends_with('}'))
        return util::invalid("'{' without '}'");
    argument = argument.substr(1, argument.size() - 2);
    // Commas and blanks separate, as in lists; a value with blanks stands in braces: { name = value }.
    auto words = TRY(conf::parse_words(argument));
    if (words.empty())
        return util::invalid("no policy server is named");
    TRY(parse_endpoint(words.front(), spec));
    for (std::size_t i = 1; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (word.front() == '{')
            word = util::trim(word.substr(1, word.size() - 2));
        auto [name, value] = util::split_first(word, '=');
        if (word.find('=') == std::string_view::npos)
            return util::invalid(util::concat("name=value is wanted, not ", util::printable(word, 100)));
        auto read = parse_setting(util::trim(name), util::trim(value), spec);
        if (!read.ok())
            return read.take_error().in(util::printable(name, 60));
    }
    return spec;
}

void PolicyRequest::add(std::string_view name, std::string_view value)
{
    util::append(text_, name, '=');
    std::size_t start = text_.size();
    text_ += value;
    std::replace_if(text_.begin() + std::ptrdiff_t(start), text_.end(), is_control, '?');
    text_ += '\n';
}

void PolicyRequest::add(std::string_view name, std::uint64_t value)
{
    util::append(text_, name, '=', value, '\n');
}

std::string PolicyRequest::take()
{
    text_ += '\n';
    return std::exchange(text_, {});
}

util::Result<std::string> parse_policy_answer(std::string_view text)
{
    std::optional<std::string> action;
    std::size_t attributes = 0;
    for (std::string_view line : util::split(text, '\n')) {
        if (line.empty() && text.empty())
            break;
        std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return util::invalid(util::concat("a line that is no attribute: ", util::printable(line, 100)));
        if (++attributes > max_policy_attributes)
            return util::invalid(util::concat("more than ", max_policy_attributes, " attributes"));
        if (line.substr(0, equals) != "action")
            continue;
        if (action)
            return util::invalid("two actions");
        action = util::trim(line.substr(equals + 1));
    }
    if (!action || action->empty())
        return util::invalid("no action");
    if (std::ranges::any_of(*action, is_control) || !util::is_utf8(*action))
        return util::invalid(util::concat("bytes that cannot stand in a reply: ", util::printable(*action, 100)));
    return std::move(*action);
}

}  // namespace smtpd
