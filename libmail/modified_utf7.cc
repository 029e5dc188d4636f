// Modified UTF-7: RFC 3501 §5.1.3.
#include "libmail/encoding.h"

#include "libutil/text.h"

namespace mail {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

// Collects UTF-16 units into base64.
class Shift {
public:
    explicit Shift(std::string& out) : out_(out) {}

    void put(std::uint32_t unit)
    {
        bits_ = (bits_ << 16) | unit;
        count_ += 16;
        while (count_ >= 6) {
            count_ -= 6;
            out_ += alphabet[(bits_ >> count_) & 63];
        }
    }
    void end()
    {
        if (count_ > 0)
            out_ += alphabet[(bits_ << (6 - count_)) & 63];
        out_ += '-';
    }

private:
    std::string& out_;
    std::uint64_t bits_ = 0;
    unsigned count_ = 0;
};

// The UTF-8 of one shifted sequence (what stands between '&' and '-').
util::Result<std::string> decode_shifted(std::string_view text)
{
    std::string out;
    std::uint64_t bits = 0;
    unsigned count = 0;
    std::uint32_t high = 0;  // the first surrogate of a pair
    for (char c : text) {
        std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos)
            return util::invalid("not modified UTF-7: bad base64");
        bits = (bits << 6) | value;
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        auto unit = std::uint32_t((bits >> count) & 0xFFFF);
        bool low = unit >= 0xDC00 && unit < 0xE000;
        if (low != (high != 0))
            return util::invalid("not modified UTF-7: lone surrogate");
        if (low) {
            append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            high = 0;
        } else if (unit >= 0xD800 && unit < 0xDC00) {
            high = unit;
        } else if (unit >= 0x20 && unit < 0x7F) {
            return util::invalid("not modified UTF-7: ASCII in base64");
        } else {
            append_utf8(out, unit);
        }
    }
    bool stray = count >= 6 || (bits & ((1U << count) - 1)) != 0;
    if (high != 0 || stray || out.empty())
        return util::invalid("not modified UTF-7: bits left over");
    return out;
}

}  // namespace

std::string encode_modified_utf7(std::string_view utf8)
{
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        if (util::is_printable(utf8[at])) {
            out += utf8[at];
            if (utf8[at++] == '&')
                out += '-';
            continue;
        }
        out += '&';
        Shift shift(out);
        while (at < utf8.size() && !util::is_printable(utf8[at])) {
            std::uint32_t point = next_code_point(utf8, at);
            if (point >= 0x10000) {
                shift.put(0xD800 + ((point - 0x10000) >> 10));
                shift.put(0xDC00 + ((point - 0x10000) & 0x3FF));
            } else {
                shift.put(point);
            }
        }
        shift.end();
    }
    return out;
}

util::Result<std::string> decode_modified_utf7(std::string_view text)
{
    std::string out;
    bool shifted_before = false;  // "&..-&..-" must be one sequence
    for (std::size_t at = 0; at < text.size();) {
        if (!util::is_printable(text[at]))
            return util::invalid("not modified UTF-7: not printable ASCII");
        if (text[at] != '&') {
            out += text[at++];
            shifted_before = false;
            continue;
        }
        std::size_t end = text.find('-', at);
        if (end == std::string_view::npos)
            return util::invalid("not modified UTF-7: no end of base64");
        std::string_view inner = text.substr(at + 1, end - at - 1);
        at = end + 1;
        if (inner.empty()) {
            out += '&';
            shifted_before = false;
            continue;
        }
        if (shifted_before)
            return util::invalid("not modified UTF-7: base64 twice in a row");
        out += TRY(decode_shifted(inner));
        shifted_before = true;
    }
    return out;
}

}  // namespace mail
