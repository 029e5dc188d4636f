// Mailbox names on the wire.
#include "imapd/syntax/mailbox_name.h"

#include "imapd/syntax/scanner.h"
#include "imapd/syntax/sequence_set.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

namespace imapd::syntax {

namespace {

// C0, DEL, and C1, which no Net-Unicode text may hold (RFC 5198 §2); the separators of lines and
// paragraphs, which no name may (RFC 6855 §3).
bool has_control(std::string_view utf8)
{
    if (utf8.find("\xe2\x80\xa8") != std::string_view::npos || utf8.find("\xe2\x80\xa9") != std::string_view::npos)
        return true;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        auto c = static_cast<unsigned char>(utf8[i]);
        if (c < 0x20 || c == 0x7f ||
            (c == 0xc2 && i + 1 < utf8.size() && static_cast<unsigned char>(utf8[i + 1]) < 0xa0))
            return true;
    }
    return false;
}

}  // namespace

util::Result<std::string> decode_mailbox_pattern(std::string_view wire, Form form)
{
    if (form == Form::Utf8 && !util::is_utf8(wire))
        return util::invalid("Mailbox name is not in UTF-8");
    auto name = form == Form::Utf8 ? util::Result<std::string>(std::string(wire))
                                   : mail::decode_modified_utf7(wire);
    if (!name.ok())
        return util::invalid("Mailbox name is not in modified UTF-7");
    if (has_control(*name))
        return util::invalid("Control character in mailbox name");
    return name;
}

std::string canonical_inbox(std::string_view name)
{
    std::string out(name);
    if (util::starts_with_nocase(out, "INBOX") && (out.size() == 5 || out[5] == '/'))
        out.replace(0, 5, "INBOX");
    return out;
}

util::Result<std::string> decode_mailbox_name(std::string_view wire, Form form)
{
    auto name = TRY(decode_mailbox_pattern(wire, form));
    return canonical_inbox(name);
}

void append_mailbox_name(std::string& out, std::string_view utf8, Form form)
{
    auto wire = form == Form::Utf8 ? std::string(utf8) : mail::encode_modified_utf7(utf8);
    bool plain = !wire.empty() && !util::equal_nocase(wire, "NIL");
    for (char c : wire)
        plain = plain && is_astring_char(c);
    if (plain)
        out += wire;
    else
        append_string(out, wire, form);
}

void append_string(std::string& out, std::string_view value, Form form)
{
    bool quotable = form == Form::Ascii || util::is_utf8(value);
    for (char c : value)
        quotable = quotable && c != '\r' && c != '\n' &&
                   (form == Form::Utf8 || static_cast<unsigned char>(c) < 0x80);
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
