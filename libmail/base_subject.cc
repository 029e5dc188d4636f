// The subject of a message without what replies and forwards put around it.
#include "libmail/base_subject.h"

#include "libmail/encoded_word.h"
#include "libutil/text.h"

namespace mail {

namespace {

using util::starts_with_nocase;

// Step 1: decoded, with single spaces.
std::string plain(std::string_view value)
{
    std::string out;
    for (char c : decode_header_text(value)) {
        if (c == '\t' || c == '\r' || c == '\n')
            c = ' ';
        if (c != ' ' || out.empty() || out.back() != ' ')
            out += c;
    }
    return out;
}

void skip_spaces(std::string_view& text)
{
    while (text.starts_with(' '))
        text.remove_prefix(1);
}

// subj-blob = "[" *BLOBCHAR "]" *WSP
bool skip_blob(std::string_view& text)
{
    if (!text.starts_with('['))
        return false;
    auto end = text.find_first_of("[]", 1);
    if (end == std::string_view::npos || text[end] != ']')
        return false;
    text.remove_prefix(end + 1);
    skip_spaces(text);
    return true;
}

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
bool skip_refwd(std::string_view& text)
{
    auto rest = text;
    if (starts_with_nocase(rest, "fwd"))
        rest.remove_prefix(3);
    else if (starts_with_nocase(rest, "re") || starts_with_nocase(rest, "fw"))
        rest.remove_prefix(2);
    else
        return false;
    skip_spaces(rest);
    skip_blob(rest);
    if (!rest.starts_with(':'))
        return false;
    rest.remove_prefix(1);
    text = rest;
    return true;
}

// Step 2: subj-trailer = "(fwd)" / WSP
void drop_trailers(std::string_view& text, bool& is_reply)
{
    for (;;) {
        if (text.ends_with(' ')) {
            text.remove_suffix(1);
        } else if (util::ends_with_nocase(text, "(fwd)")) {
            text.remove_suffix(5);
            is_reply = true;
        } else {
            return;
        }
    }
}

// Step 3: subj-leader = (*subj-blob subj-refwd) / WSP
bool drop_leader(std::string_view& text, bool& is_reply)
{
    if (text.starts_with(' ')) {
        skip_spaces(text);
        return true;
    }
    auto rest = text;
    while (skip_blob(rest)) {
    }
    if (!skip_refwd(rest))
        return false;
    text = rest;
    return is_reply = true;
}

// Step 4: all of them at once, since no leader stands behind them; the last one stays if it is all there is.
bool drop_blobs(std::string_view& text)
{
    bool dropped = false;
    for (auto rest = text; skip_blob(rest) && !rest.empty(); dropped = true)
        text = rest;
    return dropped;
}

}  // namespace

BaseSubject base_subject(std::string_view value)
{
    BaseSubject base;
    auto all = plain(value);
    std::string_view text = all;
    for (;;) {
        drop_trailers(text, base.is_reply);
        while (drop_leader(text, base.is_reply) || drop_blobs(text)) {
        }
        if (!starts_with_nocase(text, "[fwd:") || !text.ends_with(']'))
            break;
        text = text.substr(5, text.size() - 6);
        base.is_reply = true;
    }
    base.text = text;
    return base;
}

}  // namespace mail
