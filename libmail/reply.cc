// Writing and reading of SMTP replies.
#include "libmail/reply.h"

#include "libmail/dsn_status.h"
#include "libutil/text.h"

namespace mail {

namespace {

// What may stand in a reply line (RFC 5321 §4.2 textstring).
std::string clean(std::string_view text, bool utf8)
{
    std::string out(text);
    bool keep_high = utf8 && util::is_utf8(text);
    for (char& c : out) {
        bool high = static_cast<unsigned char>(c) >= 128;
        if (c == '\t')
            c = ' ';
        else if (high ? !keep_high : !util::is_printable(c))
            c = '?';
    }
    return out;
}

// The piece of `text` that fits into `room` bytes: up to a space if there is one late enough, and
// never within a UTF-8 sequence.
std::size_t fitting(std::string_view text, std::size_t room)
{
    if (text.size() <= room)
        return text.size();
    std::size_t space = text.rfind(' ', room);
    if (space != std::string_view::npos && space > room / 2)
        return space;
    while (room > 1 && (static_cast<unsigned char>(text[room]) & 0xC0) == 0x80)
        --room;
    return room;
}

int code_of(std::string_view line)
{
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !util::is_digit(line[1]) ||
        !util::is_digit(line[2]))
        return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

// Text after a reply code; the status code goes into `dsn` if that is still empty.
std::string_view take_status(std::string_view text, int code, std::string& dsn)
{
    std::string_view status = leading_dsn_status(text, code);
    if (status.empty())
        return text;
    if (dsn.empty())
        dsn = status;
    text.remove_prefix(status.size());
    return util::trim_left(text);
}

}  // namespace

std::string to_wire(const Reply& reply, bool utf8)
{
    std::string prefix = reply.dsn.empty() ? "" : util::concat(reply.dsn, ' ');
    std::size_t room = max_reply_line - 6 - prefix.size();  // "250 " and CRLF
    std::vector<std::string> lines;
    for (std::string_view line : util::split(reply.text, '\n')) {
        std::string text = clean(util::trim_right(line), utf8);
        std::string_view left = text;
        do {
            std::size_t size = fitting(left, room);
            lines.emplace_back(left.substr(0, size));
            left.remove_prefix(size);
            left = util::trim_left(left);
        } while (!left.empty());
    }
    std::string wire;
    for (std::size_t i = 0; i < lines.size(); ++i)
        util::append(wire, reply.code, i + 1 < lines.size() ? '-' : ' ', prefix, lines[i], "\r\n");
    return wire;
}

std::string to_line(const Reply& reply)
{
    std::string line = util::concat(reply.code);
    if (!reply.dsn.empty())
        util::append(line, ' ', reply.dsn);
    for (std::string_view text : util::split(reply.text, '\n'))
        if (!text.empty())
            util::append(line, ' ', text);
    return line;
}

util::Result<bool> ReplyParser::feed(std::string_view line)
{
    line = line.substr(0, max_remote_reply_line);
    int code = code_of(line);
    if (code == 0 || (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
        return util::invalid(util::concat("not an SMTP reply: ", util::printable(line, 100)));
    // RFC 5321 §4.2.1: all lines carry the same code; where they do not, the last one counts.
    reply_.code = code;
    std::string_view text = line.size() > 4 ? line.substr(4) : std::string_view{};
    text = take_status(text, code, reply_.dsn);
    if (lines_ < max_remote_reply_lines) {
        if (lines_ > 0)
            reply_.text += '\n';
        reply_.text += util::trim_right(text);
        ++lines_;
    }
    return line.size() == 3 || line[3] == ' ';
}

Reply ReplyParser::take()
{
    Reply reply = std::move(reply_);
    // The status came from a line whose code was another.
    if (!reply.dsn.empty() && reply.dsn[0] - '0' != reply.code / 100)
        reply.dsn.clear();
    reply_ = {};
    lines_ = 0;
    return reply;
}

util::Result<Reply> parse_reply_line(std::string_view line)
{
    line = util::trim(line);
    Reply reply;
    reply.code = code_of(line);
    if (reply.code == 0 || (line.size() > 3 && !util::is_blank(line[3])))
        return util::not_found("no reply code");
    reply.text = take_status(util::trim(line.substr(3)), reply.code, reply.dsn);
    return reply;
}

}  // namespace mail
