// From the queue's form to that of mailboxes.
#include "errands/letter.h"

#include "libutil/sys.h"

#include <ctime>

namespace errands {

namespace {

constexpr std::string_view from_word = "From ";
constexpr std::size_t piece_size = 64 * 1024;

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

std::string letter_head(const ipc::RunEntry& order, LetterForm form, std::int64_t now)
{
    std::string head;
    if (form.from_line) {
        std::time_t seconds = now;
        std::tm local{};
        ::localtime_r(&seconds, &local);
        char date[64];
        std::size_t size = std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &local);
        util::append(head, from_word, order.sender.empty() ? "MAILER-DAEMON" : one_word(order.sender), "  ",
                     std::string_view(date, size), "\n");
    }
    util::append(head, "Return-Path: <", one_line(order.sender), ">\n");
    if (!order.original_recipient.empty())
        util::append(head, "X-Original-To: ", one_line(order.original_recipient), "\n");
    if (form.delivered_to)
        util::append(head, "Delivered-To: ", one_line(order.delivered_to), "\n");
    return head;
}

// The first letters of a line are kept back until they differ from "From ", or do not.
void LetterFilter::flush_start(std::string& out)
{
    if (start_ == from_word)
        out += '>';
    out += start_;
    start_.clear();
}

void LetterFilter::put(std::string_view bytes, std::string& out)
{
    while (!bytes.empty()) {
        if (quote_ && (!in_line_ || !start_.empty())) {
            char c = bytes.front();
            in_line_ = true;
            if (c == from_word[start_.size()]) {
                start_ += c;
                bytes.remove_prefix(1);
                if (start_.size() == from_word.size())
                    flush_start(out);
                continue;
            }
            if (!start_.empty())
                flush_start(out);
        }
        std::size_t end = bytes.find('\n');
        std::size_t size = end == std::string_view::npos ? bytes.size() : end + 1;
        out.append(bytes.substr(0, size));
        in_line_ = end == std::string_view::npos;
        bytes.remove_prefix(size);
    }
}

void LetterFilter::feed(std::string_view bytes, std::string& out)
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

void LetterFilter::finish(std::string& out)
{
    if (after_cr_)
        put("\r", out);
    after_cr_ = false;
    bool open = in_line_;
    flush_start(out);
    if (open)
        out += '\n';
    in_line_ = false;
}

util::Result<void> write_letter(const ipc::RunEntry& order, LetterForm form, std::int64_t now, const LetterSink& sink)
{
    std::string out = letter_head(order, form, now);
    LetterFilter filter(form.mailbox_file);
    if (!order.message.valid()) {
        filter.feed(order.content, out);
    } else {
        std::string buffer(piece_size, '\0');
        for (std::uint64_t at = 0; at < order.size;) {
            std::size_t count = TRY(util::sys::pread(order.message.get(), buffer, at));
            if (count == 0)
                return util::temporary("the message is shorter than it was");
            at += count;
            filter.feed(std::string_view(buffer).substr(0, count), out);
            if (out.size() >= piece_size) {
                TRY(sink(out));
                out.clear();
            }
        }
    }
    filter.finish(out);
    if (form.mailbox_file)
        out += '\n';
    return sink(out);
}

}  // namespace errands
