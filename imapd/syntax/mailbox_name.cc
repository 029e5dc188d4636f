// Modified UTF-7.
#include "imapd/syntax/mailbox_name.h"

#include "imapd/syntax/scanner.h"
#include "imapd/syntax/sequence_set.h"
#include "libutil/text.h"

#include <cstdint>

namespace imapd::syntax {

namespace {

// RFC 3501 §5.1.3: base64 with "," for "/", without padding.
constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

int base64_value(char c)
{
    auto at = alphabet.find(c);
    return c == '\0' || at == std::string_view::npos ? -1 : int(at);
}

void append_utf8(std::string& out, std::uint32_t c)
{
    if (c < 0x80) {
        out += char(c);
    } else if (c < 0x800) {
        out += char(0xc0 | (c >> 6));
        out += char(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out += char(0xe0 | (c >> 12));
        out += char(0x80 | ((c >> 6) & 0x3f));
        out += char(0x80 | (c & 0x3f));
    } else {
        out += char(0xf0 | (c >> 18));
        out += char(0x80 | ((c >> 12) & 0x3f));
        out += char(0x80 | ((c >> 6) & 0x3f));
        out += char(0x80 | (c & 0x3f));
    }
}

// The characters of one &...- run, UTF-16 in base64.
bool decode_run(std::string_view run, std::string& out)
{
    std::uint32_t bits = 0;
    int count = 0;
    std::uint32_t high = 0;  // a high surrogate that waits for its second half
    for (char c : run) {
        int value = base64_value(c);
        if (value < 0)
            return false;
        bits = (bits << 6) | std::uint32_t(value);
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        std::uint32_t unit = (bits >> count) & 0xffff;
        bits &= (1U << count) - 1;
        if (high != 0) {
            if (unit < 0xdc00 || unit > 0xdfff)
                return false;
            append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
        } else if (unit >= 0xd800 && unit <= 0xdbff) {
            high = unit;
        } else if ((unit >= 0xdc00 && unit <= 0xdfff) || (unit >= 0x20 && unit <= 0x7e) ||
                   unit < 0x20 || unit == 0x7f) {
            return false;  // half a pair, what stands for itself, or a control character
        } else {
            append_utf8(out, unit);
        }
    }
    // What is left over is less than one base64 digit's worth, and zero.
    return high == 0 && count < 6 && bits == 0;
}

std::uint32_t take_utf8(std::string_view& text)
{
    auto byte = [&](std::size_t i) { return std::uint32_t(static_cast<unsigned char>(text[i])); };
    std::uint32_t c = byte(0);
    std::size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (length > text.size()) {  // not UTF-8: the store holds none such
        text = {};
        return 0xfffd;
    }
    if (length > 1) {
        c &= 0xffU >> (length + 1);
        for (std::size_t i = 1; i < length; ++i)
            c = (c << 6) | (byte(i) & 0x3f);
    }
    text.remove_prefix(length);
    return c;
}

class RunWriter {
public:
    explicit RunWriter(std::string& out) : out_(out) {}
    void unit(std::uint32_t unit)
    {
        if (!open_)
            out_ += '&';
        open_ = true;
        bits_ = (bits_ << 16) | unit;
        count_ += 16;
        while (count_ >= 6) {
            count_ -= 6;
            out_ += alphabet[(bits_ >> count_) & 0x3f];
        }
        bits_ &= (1U << count_) - 1;
    }
    void close()
    {
        if (!open_)
            return;
        if (count_ > 0)
            out_ += alphabet[(bits_ << (6 - count_)) & 0x3f];
        out_ += '-';
        open_ = false;
        bits_ = 0;
        count_ = 0;
    }

private:
    std::string& out_;
    std::uint32_t bits_ = 0;
    int count_ = 0;
    bool open_ = false;
};

}  // namespace

util::Result<std::string> decode_mailbox_pattern(std::string_view wire)
{
    std::string out;
    out.reserve(wire.size());
    bool after_run = false;
    for (std::size_t i = 0; i < wire.size(); ++i) {
        char c = wire[i];
        if (c != '&') {
            if (!util::is_printable(c))
                return util::invalid("Mailbox name is not in modified UTF-7");
            out += c;
            after_run = false;
            continue;
        }
        auto end = wire.find('-', i);
        if (end == std::string_view::npos)
            return util::invalid("Mailbox name is not in modified UTF-7");
        auto run = wire.substr(i + 1, end - i - 1);
        // Two runs side by side are one run written in a second way.
        if (run.empty())
            out += '&';
        else if (after_run || !decode_run(run, out))
            return util::invalid("Mailbox name is not in modified UTF-7");
        after_run = !run.empty();
        i = end;
    }
    return out;
}

std::string canonical_inbox(std::string_view name)
{
    std::string out(name);
    if (util::starts_with_nocase(out, "INBOX") && (out.size() == 5 || out[5] == '/'))
        out.replace(0, 5, "INBOX");
    return out;
}

util::Result<std::string> decode_mailbox_name(std::string_view wire)
{
    auto name = TRY(decode_mailbox_pattern(wire));
    return canonical_inbox(name);
}

std::string encode_mailbox_name(std::string_view utf8)
{
    std::string out;
    out.reserve(utf8.size());
    RunWriter run(out);
    while (!utf8.empty()) {
        auto c = take_utf8(utf8);
        if (c >= 0x20 && c <= 0x7e) {
            run.close();
            out += char(c);
            if (c == '&')
                out += '-';
        } else if (c >= 0x10000) {
            run.unit(0xd800 + ((c - 0x10000) >> 10));
            run.unit(0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            run.unit(c);
        }
    }
    run.close();
    return out;
}

void append_mailbox_name(std::string& out, std::string_view utf8)
{
    auto wire = encode_mailbox_name(utf8);
    bool plain = !wire.empty() && !util::equal_nocase(wire, "NIL");
    for (char c : wire)
        plain = plain && is_astring_char(c);
    if (plain)
        out += wire;
    else
        append_string(out, wire);
}

void append_string(std::string& out, std::string_view value)
{
    bool quotable = true;
    for (char c : value)
        quotable = quotable && c != '\r' && c != '\n' && static_cast<unsigned char>(c) < 0x80;
    if (!quotable) {
        out += '{';
        append_number(out, value.size());
        out += "}\r\n";
        out += value;
        return;
    }
    out += '"';
    for (char c : value) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace imapd::syntax
