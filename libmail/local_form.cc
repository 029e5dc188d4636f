#include "libmail/local_form.h"

#include "libutil/text.h"

#include <ctime>

namespace mail {

namespace {

constexpr std::string_view from_word = "From ";

// A line's worth of an address.
std::string one_word(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        if (util::is_space(c) || static_cast<unsigned char>(c) < ' ')
            c = '_';
    return out;
}

// What stands in a field stays in it.
std::string one_line(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            c = '?';
    return out;
}

}  // namespace

std::string local_head(const LocalTrace& trace, const LocalForm& form, std::int64_t now)
{
    std::string head;
    if (form.from_line) {
        std::time_t seconds = now;
        std::tm local{};
        ::localtime_r(&seconds, &local);
        char date[64];
        std::size_t size = std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &local);
        util::append(head, from_word, trace.sender.empty() ? "MAILER-DAEMON" : one_word(trace.sender), "  ",
                     std::string_view(date, size), form.line_end);
    }
    if (form.return_path)
        util::append(head, "Return-Path: <", one_line(trace.sender), ">", form.line_end);
    if (form.original_to && !trace.original.empty())
        util::append(head, "X-Original-To: ", one_line(trace.original), form.line_end);
    if (form.delivered_to)
        util::append(head, "Delivered-To: ", one_line(trace.delivered_to), form.line_end);
    return head;
}

void LocalLines::flush_start(std::string& out)
{
    if (start_ == from_word)
        out += '>';
    out += start_;
    start_.clear();
}

// The first letters of a line are kept back until they differ from "From ", or do not.  How many bytes went
// there, or were settled.
std::size_t LocalLines::put_start(std::string_view bytes, std::string& out)
{
    bool fresh = !in_line_;
    if (fresh && stuff_ && bytes.front() == '.')
        out += '.';
    in_line_ = true;
    if (!quote_ || (!fresh && start_.empty()))
        return 0;
    if (bytes.front() == from_word[start_.size()]) {
        start_ += bytes.front();
        if (start_.size() == from_word.size())
            flush_start(out);
        return 1;
    }
    flush_start(out);
    return 0;
}

void LocalLines::put(std::string_view bytes, std::string& out)
{
    while (!bytes.empty()) {
        if (std::size_t taken = put_start(bytes, out); taken > 0) {
            bytes.remove_prefix(taken);
            continue;
        }
        std::size_t end = bytes.find('\n');
        out.append(bytes.substr(0, end));
        if (end == std::string_view::npos)
            return;
        out += line_end_;
        in_line_ = false;
        bytes.remove_prefix(end + 1);
    }
}

void LocalLines::feed(std::string_view bytes, std::string& out)
{
    while (!bytes.empty()) {
        if (after_cr_ && bytes.front() != '\n')
            put("\r", out);
        after_cr_ = false;
        std::size_t cr = bytes.find('\r');
        put(bytes.substr(0, cr), out);
        if (cr == std::string_view::npos)
            return;
        after_cr_ = true;
        bytes.remove_prefix(cr + 1);
    }
}

void LocalLines::finish(std::string& out)
{
    if (after_cr_)
        put("\r", out);
    after_cr_ = false;
    bool open = in_line_;
    flush_start(out);
    if (open)
        out += line_end_;
    in_line_ = false;
}

}  // namespace mail
