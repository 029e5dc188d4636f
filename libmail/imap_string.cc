#include "libmail/imap_render.h"

#include "libmail/header.h"
#include "libutil/text.h"

namespace mail {

namespace {

bool must_be_literal(std::string_view text)
{
    if (text.size() > max_quoted_string)
        return true;
    bool literal = false;
    for (char c : text)
        literal |= c == '\r' || c == '\n' || c == '\0' || static_cast<unsigned char>(c) >= 128;
    return literal;
}

}  // namespace

void append_imap_string(std::string& out, std::string_view text)
{
    if (must_be_literal(text)) {
        util::append(out, '{', text.size(), "}\r\n");
        std::size_t start = out.size();
        out += text;
        for (std::size_t i = start; i < out.size(); ++i)
            if (out[i] == '\0')
                out[i] = '?';
        return;
    }
    out += '"';
    if (text.find_first_of("\"\\") == std::string_view::npos) {
        out += text;
    } else {
        for (char c : text) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += c;
        }
    }
    out += '"';
}

void append_imap_nstring(std::string& out, std::string_view text)
{
    if (text.data())
        append_imap_string(out, text);
    else
        out += "NIL";
}

void append_imap_unfolded(std::string& out, std::string_view value)
{
    if (value.data() && value.find('\n') != std::string_view::npos)
        append_imap_string(out, unfold(value));
    else
        append_imap_nstring(out, value);
}

}  // namespace mail
