#include "pipe/attributes.h"

#include "libutil/text.h"

namespace piping {

using util::concat;
using util::Result;

namespace {

constexpr std::size_t max_line_end = 10;   // bytes of eol=

Result<void> read_flags(std::string_view letters, Attributes& out)
{
    mail::LocalForm& form = out.form;
    const std::pair<char, bool*> flags[] = {
        {'B', &form.empty_line},        {'D', &form.delivered_to},  {'F', &form.from_line},     {'O', &form.original_to},
        {'R', &form.return_path},       {'X', &out.final_delivery}, {'h', &out.folding.domain}, {'q', &out.folding.quote},
        {'u', &out.folding.local_part}, {'.', &form.stuff_dots},    {'>', &form.quote_from}};
    for (char letter : letters) {
        bool known = false;
        for (const auto& flag : flags) {
            if (flag.first != letter)
                continue;
            *flag.second = known = true;
        }
        if (!known)
            return util::invalid(concat("there is no flag ", util::printable(std::string_view(&letter, 1)),
                                        " (there are B D F O R X h q u . >)"));
    }
    return {};
}

Result<void> read_user(std::string_view text, Attributes& out)
{
    auto [user, group] = util::split_first(text, ':');
    if (user.empty() || (group.empty() && text.find(':') != std::string_view::npos))
        return util::invalid("name or name:group is wanted");
    out.user = user;
    out.group = group;
    return {};
}

Result<void> read_path(std::string_view text, std::string& out)
{
    if (!text.starts_with('/'))
        return util::invalid("an absolute path is wanted");
    out = text;
    return {};
}

Result<void> read_line_end(std::string_view text, Attributes& out)
{
    std::string line_end = TRY(unescape(text));
    if (line_end.empty() || line_end.size() > max_line_end)
        return util::invalid(concat("1 to ", max_line_end, " bytes are wanted"));
    out.form.line_end = std::move(line_end);
    return {};
}

Result<void> read_attribute(std::string_view name, std::string_view value, Attributes& out)
{
    if (name == "flags")
        return read_flags(value, out);
    if (name == "user")
        return read_user(value, out);
    if (name == "chroot")
        return read_path(value, out.chroot);
    if (name == "directory")
        return read_path(value, out.directory);
    if (name == "eol")
        return read_line_end(value, out);
    if (name == "size") {
        out.size_limit = TRY(util::parse_unsigned(value, INT64_MAX));
        return {};
    }
    if (name == "null_sender") {
        out.null_sender = value;
        return {};
    }
    return util::invalid(
        "there is no such attribute (there are flags= user= chroot= directory= eol= null_sender= size= argv=)");
}

void read_command(const std::vector<std::string>& words, std::size_t at, Attributes& out, std::vector<std::string>& complaints)
{
    for (; at < words.size(); ++at) {
        auto argument = Template::parse(words[at]);
        if (argument)
            out.command.push_back(argument.take());
        else
            complaints.push_back(concat("argv=: ", util::printable(words[at], 100), ": ", argument.error().text));
    }
    if (!out.command.empty() && !out.command.front().is_constant())
        complaints.emplace_back("argv=: the name of the command must not come from a message");
}

}  // namespace

Result<std::string> unescape(std::string_view text)
{
    constexpr std::string_view letters = "abfnrtv\\", bytes = "\a\b\f\n\r\t\v\\";
    std::string out;
    while (!text.empty()) {
        char c = text.front();
        text.remove_prefix(1);
        if (c != '\\') {
            out += c;
            continue;
        }
        if (std::size_t which = text.empty() ? std::string_view::npos : letters.find(text.front());
            which != std::string_view::npos) {
            out += bytes[which];
            text.remove_prefix(1);
            continue;
        }
        unsigned value = 0;
        std::size_t digits = 0;
        for (; digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '7'; ++digits)
            value = value * 8 + unsigned(text[digits] - '0');
        if (digits == 0 || value > 255)
            return util::invalid("a \\ that is none of C's");
        out += static_cast<char>(value);
        text.remove_prefix(digits);
    }
    return out;
}

Attributes parse_attributes(const std::vector<std::string>& words, std::vector<std::string>& complaints)
{
    Attributes out;
    bool command = false;
    for (std::size_t i = 0; i < words.size() && !command; ++i) {
        auto [name, value] = util::split_first(words[i], '=');
        if (name == "argv") {
            command = true;
            std::vector<std::string> rest(words.begin() + std::ptrdiff_t(i) + 1, words.end());
            if (!value.empty())
                rest.insert(rest.begin(), std::string(value));
            read_command(rest, 0, out, complaints);
            continue;
        }
        if (auto read = read_attribute(name, value, out); !read)
            complaints.push_back(concat(util::printable(words[i], 100), ": ", read.error().text));
    }
    if (out.user.empty())
        complaints.emplace_back("user= is missing");
    if (out.command.empty() && complaints.empty())
        complaints.emplace_back("argv= with a command is missing");
    return out;
}

}  // namespace piping
