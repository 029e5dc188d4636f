// A line of the mail log.
#include "tools/common/log_line.h"

#include "libmail/date.h"
#include "libutil/log_text.h"
#include "libutil/text.h"

#include <algorithm>

namespace tools {

namespace {

constexpr std::string_view level_words[] = {"panic", "fatal", "error", "warning"};
constexpr std::string_view no_queue = "NOQUEUE";

// The id and what is behind it.
void split_text(LogLine& line)
{
    line.id = util::log::leading_queue_id(line.text);
    if (line.id.empty() && line.text.starts_with("NOQUEUE: "))
        line.id = line.text.substr(0, no_queue.size());
    line.rest = line.id.empty() ? line.text : line.text.substr(line.id.size() + 2);
}

bool set_program(LogLine& line, std::string_view program)
{
    line.program = program;
    line.service = program.substr(program.rfind('/') + 1);
    return !line.service.empty();
}

bool take_word(std::string_view& rest, std::string_view& word)
{
    std::size_t space = rest.find(' ');
    if (space == std::string_view::npos || space == 0)
        return false;
    word = rest.substr(0, space);
    rest.remove_prefix(space + 1);
    return true;
}

// "TIME HOST PROGRAM[PID]: [LEVEL: ]TEXT"
bool parse_text(std::string_view line, LogLine& out)
{
    std::string_view tag;
    if (!take_word(line, out.time) || !take_word(line, out.host) || !take_word(line, tag) || !tag.ends_with("]:"))
        return false;
    std::size_t bracket = tag.find('[');
    if (bracket == std::string_view::npos || !set_program(out, tag.substr(0, bracket)))
        return false;
    auto pid = util::parse_unsigned(tag.substr(bracket + 1, tag.size() - bracket - 3), UINT32_MAX);
    if (!pid)
        return false;
    out.pid = static_cast<std::uint32_t>(*pid);
    out.level = "info";
    for (std::string_view word : level_words) {
        if (line.starts_with(word) && line.substr(word.size()).starts_with(": ")) {
            out.level = word;
            line.remove_prefix(word.size() + 2);
            break;
        }
    }
    out.text = line;
    split_text(out);
    return true;
}

// --- JSON: one flat object; what is nested is passed over -------------------------------------------

class JsonCursor {
public:
    JsonCursor(std::string_view text, std::string& storage) : rest_(text), storage_(storage) {}

    bool take(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    // A string's value, which may lie in the storage.
    bool string(std::string_view& out)
    {
        if (!take('"'))
            return false;
        std::size_t end = rest_.find('"');
        if (end == std::string_view::npos)
            return false;
        if (rest_.substr(0, end).find('\\') == std::string_view::npos) {
            out = rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            return true;
        }
        std::size_t start = storage_.size();
        while (!take('"'))
            if (rest_.empty() || !unescape())
                return false;
        out = std::string_view(storage_).substr(start);
        return true;
    }

    bool number(std::uint32_t& out)
    {
        std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
        auto value = util::parse_unsigned(rest_.substr(0, end), UINT32_MAX);
        rest_.remove_prefix(end);
        out = value ? static_cast<std::uint32_t>(*value) : 0;
        return value.ok();
    }

    // Whatever stands here, up to the comma or brace behind it.
    bool skip()
    {
        std::size_t depth = 0;
        bool quoted = false;
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            char c = rest_[i];
            if (quoted) {
                if (c == '\\')
                    ++i;
                quoted = c != '"';
            } else if (c == '"') {
                quoted = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (depth == 0 && (c == ',' || c == '}')) {
                rest_.remove_prefix(i);
                return i > 0;
            } else if (c == '}' || c == ']') {
                if (depth-- == 0)
                    return false;
            }
        }
        return false;
    }
    bool at_end() const { return rest_.empty(); }

private:
    // One byte, or one escape, to the storage, which has been given room.
    bool unescape()
    {
        char c = rest_.front();
        rest_.remove_prefix(1);
        if (c != '\\') {
            storage_ += c;
            return true;
        }
        constexpr std::string_view letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
        if (rest_.empty())
            return false;
        c = rest_.front();
        rest_.remove_prefix(1);
        if (std::size_t at = letters.find(c); at != std::string_view::npos) {
            storage_ += values[at];
            return true;
        }
        if (c != 'u' || rest_.size() < 4)
            return false;
        auto byte = util::unhex(rest_.substr(2, 2));
        // We write only control bytes so.
        if (!rest_.starts_with("00") || !byte)
            return false;
        rest_.remove_prefix(4);
        storage_ += *byte;
        return true;
    }

    std::string_view rest_;
    std::string& storage_;
};

bool parse_json(std::string_view line, LogLine& out, std::string& storage)
{
    storage.clear();
    storage.reserve(line.size());  // views into it must stay
    JsonCursor cursor(line, storage);
    if (!cursor.take('{'))
        return false;
    do {
        std::string_view name, program;
        if (!cursor.string(name) || !cursor.take(':'))
            return false;
        bool good = true;
        if (name == "time")
            good = cursor.string(out.time);
        else if (name == "host")
            good = cursor.string(out.host);
        else if (name == "level")
            good = cursor.string(out.level);
        else if (name == "text")
            good = cursor.string(out.text);
        else if (name == "pid")
            good = cursor.number(out.pid);
        else if (name == "program")
            good = cursor.string(program) && set_program(out, program);
        else
            good = cursor.skip();
        if (!good)
            return false;
    } while (cursor.take(','));
    if (!cursor.take('}') || !cursor.at_end() || out.time.empty() || out.service.empty() || out.level.empty())
        return false;
    split_text(out);
    return true;
}

std::string json_fields(std::string_view rest)
{
    std::string fields;
    for (auto pair = util::log::next_pair(rest); !pair.first.empty(); pair = util::log::next_pair(rest))
        util::append(fields, fields.empty() ? "" : ",", util::json_quote(pair.first), ":", util::json_quote(pair.second));
    return fields;
}

}  // namespace

bool parse_log_line(std::string_view line, LogLine& out, std::string& storage)
{
    out = {};
    if (line.size() > max_log_line)
        return false;
    return line.starts_with('{') ? parse_json(line, out, storage) : parse_text(line, out);
}

std::optional<std::int64_t> parse_log_time(std::string_view text)
{
    // 2026-11-23T20:01:02.123456+00:00
    constexpr std::size_t zone_size = 6, least = 19 + zone_size;
    if (text.size() < least || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
        return {};
    auto number = [&](std::size_t at, std::size_t length) {
        return std::int64_t(util::parse_unsigned(text.substr(at, length)).value_or(1'000'000));
    };
    std::int64_t year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2), minute = number(14, 2),
                 second = number(17, 2);
    std::string_view zone = text.substr(text.size() - zone_size), fraction = text.substr(19, text.size() - least);
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return {};
    if ((zone[0] != '+' && zone[0] != '-') || zone[3] != ':')
        return {};
    std::int64_t zone_hours = std::int64_t(util::parse_unsigned(zone.substr(1, 2)).value_or(99));
    std::int64_t zone_minutes = std::int64_t(util::parse_unsigned(zone.substr(4, 2)).value_or(99));
    if (zone_hours > 23 || zone_minutes > 59)
        return {};
    std::int64_t microseconds = 0;
    if (!fraction.empty()) {
        if (fraction[0] != '.' || fraction.size() > 7)
            return {};
        std::string digits(fraction.substr(1));
        digits.resize(6, '0');
        auto parsed = util::parse_unsigned(digits);
        if (!parsed)
            return {};
        microseconds = std::int64_t(*parsed);
    }
    std::int64_t days = mail::days_from_day({.year = int(year), .month = int(month), .day = int(day)});
    std::int64_t offset = (zone_hours * 60 + zone_minutes) * (zone[0] == '-' ? -60 : 60);
    return (days * 86'400 + hour * 3600 + minute * 60 + second - offset) * 1'000'000 + microseconds;
}

std::string log_line_to_json(const LogLine& line)
{
    std::string out = util::concat("{\"time\":", util::json_quote(line.time), ",\"host\":", util::json_quote(line.host),
                                   ",\"program\":", util::json_quote(line.program), ",\"pid\":", line.pid,
                                   ",\"level\":", util::json_quote(line.level));
    if (!line.id.empty() && line.id != no_queue) {
        util::append(out, ",\"queue_id\":", util::json_quote(line.id));
        if (std::string fields = json_fields(line.rest); !fields.empty())
            util::append(out, ",\"fields\":{", fields, "}");
    }
    util::append(out, ",\"text\":", util::json_quote(line.text), "}");
    return out;
}

std::string log_line_to_text(const LogLine& line)
{
    bool quiet = line.level == "info" || line.level == "verbose";
    return util::printable(util::concat(line.time, " ", line.host, " ", line.program, "[", line.pid,
                                        "]: ", quiet ? "" : line.level, quiet ? "" : ": ", line.text),
                           max_log_line);
}

std::string_view log_field(std::string_view rest, std::string_view key)
{
    for (auto pair = util::log::next_pair(rest); !pair.first.empty(); pair = util::log::next_pair(rest)) {
        if (pair.first != key)
            continue;
        std::string_view value = pair.second;
        bool bracketed = value.size() >= 2 && value.front() == '<' && value.back() == '>';
        return bracketed ? value.substr(1, value.size() - 2) : value;
    }
    return {};
}

bool names_address(std::string_view rest, std::string_view address)
{
    constexpr std::string_view keys[] = {"from", "to", "orig_to", "message-id"};
    for (std::size_t at = rest.find("=<"); at != std::string_view::npos; at = rest.find("=<", at + 2)) {
        std::string_view value = rest.substr(at + 2);
        if (value.size() <= address.size() || value[address.size()] != '>' ||
            !util::equal_nocase(value.substr(0, address.size()), address))
            continue;
        std::string_view before = rest.substr(0, at);
        std::string_view key = before.substr(before.rfind(' ') + 1);
        if (std::ranges::find(keys, key) != std::end(keys))
            return true;
    }
    return false;
}

}  // namespace tools
