#include "libmail/esmtp.h"

#include "libmail/encoding.h"
#include "libutil/text.h"

namespace mail {

namespace {

using util::equal_nocase;
using util::invalid;
using util::Result;

int hex_value(char c, bool lower_too)
{
    if (util::is_digit(c))
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return lower_too && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 3461 §4 xchar: printable ASCII without space, '+' and '='.
bool is_xchar(char c) { return c > ' ' && c <= '~' && c != '+' && c != '='; }

void append_hex(std::string& out, unsigned value)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    int shift = 28;
    while (shift > 4 && (value >> shift) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        out += digits[(value >> shift) & 15];
}

// A name and its value; each name at most once.
class Parameters {
public:
    // False at the end.
    Result<bool> next(std::string_view text)
    {
        std::size_t start = text.find_first_not_of(" \t", position_);
        if (start == std::string_view::npos)
            return false;
        if (++count_ > max_parameters)
            return invalid("Too many parameters");
        position_ = std::min(text.find_first_of(" \t", start), text.size());
        std::string_view token = text.substr(start, position_ - start);
        std::size_t equals = token.find('=');
        name = token.substr(0, equals);
        has_value = equals != std::string_view::npos;
        value = has_value ? token.substr(equals + 1) : std::string_view{};
        if (name.empty() || (has_value && value.empty()))
            return invalid("Bad parameter syntax");
        return true;
    }

    // Is this parameter `wanted`?  `seen` gets its bit.
    Result<bool> is(std::string_view wanted, unsigned bit)
    {
        if (!equal_nocase(name, wanted))
            return false;
        if (seen_ & bit)
            return invalid(util::concat(wanted, " given twice"));
        seen_ |= bit;
        return true;
    }

    std::string_view name;
    std::string_view value;
    bool has_value = false;

private:
    std::size_t position_ = 0;
    std::size_t count_ = 0;
    unsigned seen_ = 0;
};

util::Error unknown(const Parameters& parameter)
{
    return util::permanent(
        util::concat("Unsupported parameter: ", util::printable(parameter.name, 40)));
}

Result<Body> parse_body(std::string_view value, const Extensions& offered)
{
    if (equal_nocase(value, "7BIT"))
        return Body::SevenBit;
    if (equal_nocase(value, "8BITMIME"))
        return Body::EightBit;
    if (equal_nocase(value, "BINARYMIME") && offered.binary_mime)
        return Body::Binary;
    return invalid("Bad BODY value");
}

// RFC 4954 §5: AUTH=<> or an xtext-encoded mailbox.
Result<Address> parse_auth(std::string_view value, bool utf8)
{
    std::string text = TRY(decode_xtext(value));
    if (text == "<>")
        return Address{};
    return parse_address(text, utf8);
}

Result<Notify> parse_notify(std::string_view value)
{
    Notify notify = 0;
    for (std::string_view word : util::split(value, ',')) {
        Notify bit = equal_nocase(word, "NEVER")     ? NotifyNever
                     : equal_nocase(word, "SUCCESS") ? NotifySuccess
                     : equal_nocase(word, "FAILURE") ? NotifyFailure
                     : equal_nocase(word, "DELAY")   ? NotifyDelay
                                                     : Notify(0);
        if (bit == 0 || (notify & bit))
            return invalid("Bad NOTIFY value");
        notify = Notify(notify | bit);
    }
    if ((notify & NotifyNever) && notify != NotifyNever)
        return invalid("NOTIFY=NEVER stands alone");  // RFC 3461 §4.1
    return notify;
}

// RFC 3461 §4.2: addr-type ";" xtext.
Result<void> parse_orcpt(std::string_view value, bool utf8, RcptParameters& out)
{
    auto [type, address] = util::split_first(value, ';');
    if (value.size() > max_original_recipient || type.empty() || address.empty())
        return invalid("Bad ORCPT value");
    for (char c : type)
        if (!util::is_alnum(c) && c != '-')
            return invalid("Bad ORCPT address type");
    out.original_type = util::lower(type);
    // RFC 6533 §3: without SMTPUTF8, utf-8 addresses come all in ASCII.
    if (out.original_type == "utf-8") {
        if (!utf8 && !util::is_ascii(address))
            return invalid("Non-ASCII ORCPT without SMTPUTF8");
        out.original_recipient = TRY(decode_utf8_xtext(address));
    } else {
        out.original_recipient = TRY(decode_xtext(address));
    }
    return {};
}

}  // namespace

Result<MailParameters> parse_mail_parameters(std::string_view text, const Extensions& offered)
{
    MailParameters mail;
    Parameters parameter;
    bool utf8 = offered.utf8 && has_smtputf8(text);
    while (TRY(parameter.next(text))) {
        if (offered.size && TRY(parameter.is("SIZE", 1))) {
            // RFC 1870 §4: up to 20 digits; what does not fit into 64 bits is above every limit.
            if (parameter.value.empty() || parameter.value.size() > 20 ||
                parameter.value.find_first_not_of("0123456789") != std::string_view::npos)
                return invalid("Bad SIZE value");
            mail.size = util::parse_unsigned(parameter.value).value_or(UINT64_MAX);
        } else if ((offered.eight_bit_mime || offered.binary_mime) && TRY(parameter.is("BODY", 2))) {
            mail.body = TRY(parse_body(parameter.value, offered));
        } else if (offered.utf8 && TRY(parameter.is("SMTPUTF8", 4))) {
            if (parameter.has_value)
                return invalid("SMTPUTF8 takes no value");
            mail.utf8 = true;
        } else if (offered.dsn && TRY(parameter.is("RET", 8))) {
            if (equal_nocase(parameter.value, "FULL"))
                mail.ret = Return::Full;
            else if (equal_nocase(parameter.value, "HDRS"))
                mail.ret = Return::Headers;
            else
                return invalid("Bad RET value");
        } else if (offered.dsn && TRY(parameter.is("ENVID", 16))) {
            mail.envelope_id = TRY(decode_xtext(parameter.value));
            if (mail.envelope_id.empty() || mail.envelope_id.size() > max_envelope_id)
                return invalid("Bad ENVID value");
        } else if (offered.auth && TRY(parameter.is("AUTH", 32))) {
            mail.auth = TRY(parse_auth(parameter.value, utf8));
        } else if (offered.requiretls && TRY(parameter.is("REQUIRETLS", 64))) {
            if (parameter.has_value)
                return invalid("REQUIRETLS takes no value");
            mail.requiretls = true;
        } else {
            return unknown(parameter);
        }
    }
    return mail;
}

Result<RcptParameters> parse_rcpt_parameters(std::string_view text, const Extensions& offered,
                                             bool utf8)
{
    RcptParameters rcpt;
    Parameters parameter;
    while (TRY(parameter.next(text))) {
        if (offered.dsn && TRY(parameter.is("NOTIFY", 1)))
            rcpt.notify = TRY(parse_notify(parameter.value));
        else if (offered.dsn && TRY(parameter.is("ORCPT", 2)))
            TRY(parse_orcpt(parameter.value, utf8, rcpt));
        else
            return unknown(parameter);
    }
    return rcpt;
}

bool has_smtputf8(std::string_view parameters)
{
    for (std::string_view word : util::split_words(parameters, " \t"))
        if (equal_nocase(word, "SMTPUTF8"))
            return true;
    return false;
}

std::string encode_xtext(std::string_view text)
{
    std::string out;
    for (char c : text) {
        if (is_xchar(c)) {
            out += c;
        } else {
            out += '+';
            append_hex(out, static_cast<unsigned char>(c));
        }
    }
    return out;
}

Result<std::string> decode_xtext(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '+') {
            int high = i + 2 < text.size() ? hex_value(text[i + 1], false) : -1;
            int low = high >= 0 ? hex_value(text[i + 2], false) : -1;
            if (low < 0)
                return invalid("Bad xtext");
            c = char(high * 16 + low);
            i += 2;
            if (!util::is_printable(c))
                return invalid("Control character in xtext");
        } else if (!is_xchar(c)) {
            return invalid("Bad xtext");
        }
        out += c;
    }
    return out;
}

std::string encode_utf8_xtext(std::string_view text)
{
    std::string out;
    bool valid = util::is_utf8(text);
    for (std::size_t i = 0; i < text.size();) {
        if (is_xchar(text[i]) && text[i] != '\\') {
            out += text[i++];
        } else {
            unsigned point = valid ? next_code_point(text, i) : static_cast<unsigned char>(text[i++]);
            out += "\\x{";
            append_hex(out, point);
            out += '}';
        }
    }
    return out;
}

Result<std::string> decode_utf8_xtext(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\') {
            std::size_t close = text.find('}', i);
            if (text.substr(i, 3) != "\\x{" || close == std::string_view::npos || close - i - 3 < 2 ||
                close - i - 3 > 6)
                return invalid("Bad utf-8-addr-xtext");
            unsigned point = 0;
            for (std::size_t k = i + 3; k < close; ++k) {
                int digit = hex_value(text[k], false);
                if (digit < 0)
                    return invalid("Bad utf-8-addr-xtext");
                point = point * 16 + unsigned(digit);
            }
            if (point < 0x20 || point == 0x7F || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
                return invalid("Bad code point in utf-8-addr-xtext");
            append_utf8(out, point);
            i = close;
        } else if (static_cast<unsigned char>(c) >= 128 || is_xchar(c)) {
            out += c;
        } else {
            return invalid("Bad utf-8-addr-xtext");
        }
    }
    if (!util::is_utf8(out))
        return invalid("Bad UTF-8 in utf-8-addr-xtext");
    return out;
}

std::string orcpt_value(std::string_view type, std::string_view address, bool utf8)
{
    if (type != "utf-8")
        return util::concat(type, ';', encode_xtext(address));
    bool plain = utf8 && util::is_utf8(address);
    for (char c : address)
        plain = plain && (is_xchar(c) || static_cast<unsigned char>(c) >= 128) && c != '\\';
    return util::concat(type, ';', plain ? std::string(address) : encode_utf8_xtext(address));
}

std::string notify_value(Notify notify)
{
    std::string value;
    auto add = [&](Notify bit, std::string_view name) {
        if (notify & bit)
            util::append(value, value.empty() ? "" : ",", name);
    };
    add(NotifyNever, "NEVER");
    add(NotifySuccess, "SUCCESS");
    add(NotifyFailure, "FAILURE");
    add(NotifyDelay, "DELAY");
    return value;
}

}  // namespace mail
