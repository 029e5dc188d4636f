// Mailbox names on the wire.
#include "imapd/syntax/mailbox_name.h"

#include "imapd/syntax/scanner.h"
#include "imapd/syntax/sequence_set.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

namespace imapd::syntax {

util::Result<std::string> decode_mailbox_pattern(std::string_view wire)
{
    auto name = mail::decode_modified_utf7(wire);
    if (!name.ok())
        return util::invalid("Mailbox name is not in modified UTF-7");
    for (char c : *name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
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

util::Result<std::string> decode_mailbox_name(std::string_view wire)
{
    auto name = TRY(decode_mailbox_pattern(wire));
    return canonical_inbox(name);
}

void append_mailbox_name(std::string& out, std::string_view utf8)
{
    auto wire = mail::encode_modified_utf7(utf8);
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
