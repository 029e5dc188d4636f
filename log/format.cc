// From a datagram to a line of the log.
#include "log/format.h"

#include "libutil/log_text.h"
#include "libutil/text.h"

#include <syslog.h>

#include <algorithm>
#include <ctime>

namespace logger {

namespace {

using util::log::Level;

constexpr std::string_view level_letters = "PFEWIV";  // as libutil/log.cc
constexpr std::size_t max_program = 64;

bool is_program_byte(char c)
{
    return util::is_alnum(c) || c == '/' || c == '-' || c == '_' || c == '.';
}

// Postfix's words before the text; information has none.
std::string_view prefix(Level level)
{
    switch (level) {
    case Level::Panic:
        return "panic: ";
    case Level::Fatal:
        return "fatal: ";
    case Level::Error:
        return "error: ";
    case Level::Warning:
        return "warning: ";
    case Level::Info:
    case Level::Verbose:
        return "";
    }
    return "";
}

int severity(Level level)
{
    switch (level) {
    case Level::Panic:
    case Level::Fatal:
        return LOG_CRIT;
    case Level::Error:
        return LOG_ERR;
    case Level::Warning:
        return LOG_WARNING;
    case Level::Info:
        return LOG_INFO;
    case Level::Verbose:
        return LOG_DEBUG;
    }
    return LOG_INFO;
}

}  // namespace

util::Result<LineView> parse_datagram(std::string_view datagram)
{
    LineView line;
    std::size_t level = datagram.empty() ? std::string_view::npos : level_letters.find(datagram[0]);
    if (level == std::string_view::npos || datagram.size() < 4 || datagram[1] != ' ')
        return util::invalid("a log datagram without a level");
    line.level = static_cast<Level>(level);
    datagram.remove_prefix(2);
    std::size_t space = datagram.find(' ');
    if (space == 0 || space > max_program)
        return util::invalid("a log datagram without a program's name");
    line.program = datagram.substr(0, space);
    line.text = datagram.substr(space + 1);
    if (!std::ranges::all_of(line.program, is_program_byte))
        return util::invalid("a log datagram with a wrong program name");
    return line;
}

std::string_view Formatter::timestamp(util::WallTime time)
{
    std::int64_t second = util::unix_seconds(time);
    if (second != second_) {
        second_ = second;
        std::time_t seconds = second;
        std::tm local{};
        ::localtime_r(&seconds, &local);
        char text[64];
        std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000%z", &local);
        stamp_.assign(text, length);
        stamp_.insert(stamp_.size() - 2, ":");  // +0000 to +00:00 (RFC 3339 §5.6)
    }
    auto microseconds = (time.time_since_epoch() - std::chrono::seconds(second)).count();
    for (std::size_t i = 0; i < 6; ++i) {
        stamp_[25 - i] = static_cast<char>('0' + microseconds % 10);
        microseconds /= 10;
    }
    return stamp_;
}

void Formatter::text(std::string& out, const LineView& line, util::WallTime time)
{
    util::append(out, timestamp(time), " ", host_, " ", line.program, "[", line.pid, "]: ", prefix(line.level));
    // A sender other than libutil/log may have put an end of line there.
    for (char c : line.text)
        out.push_back(static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c);
    out.push_back('\n');
}

void Formatter::json(std::string& out, const LineView& line, util::WallTime time)
{
    util::append(out, "{\"time\":\"", timestamp(time), "\",\"host\":", util::json_quote(host_),
                 ",\"program\":", util::json_quote(line.program), ",\"pid\":", line.pid, ",\"uid\":", line.uid, ",\"level\":\"",
                 util::log::name_of(line.level), "\"");
    if (std::string_view id = util::log::leading_queue_id(line.text); !id.empty()) {
        util::append(out, ",\"queue_id\":", util::json_quote(id));
        std::string_view rest = line.text.substr(id.size() + 2);
        std::string fields;
        for (auto pair = util::log::next_pair(rest); !pair.first.empty(); pair = util::log::next_pair(rest))
            util::append(fields, fields.empty() ? "" : ",", util::json_quote(pair.first), ":", util::json_quote(pair.second));
        if (!fields.empty())
            util::append(out, ",\"fields\":{", fields, "}");
    }
    util::append(out, ",\"text\":", util::json_quote(line.text), "}\n");
}

std::string Formatter::syslog(const LineView& line, int facility)
{
    return util::concat("<", facility | severity(line.level), ">", line.program, "[", line.pid, "]: ", prefix(line.level),
                        line.text);
}

}  // namespace logger
