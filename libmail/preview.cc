// The preview of a message: RFC 8970.
#include "libmail/imap_render.h"

#include "libmail/charset.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

// Decoded bytes of the part that are looked at: a first helping, which is nearly always enough for
// plain text, and all that may be taken.
constexpr std::size_t first_source = 1024;
constexpr std::size_t preview_source = 8192;

const Part* first_text(const MimeTreeView& tree, std::string_view subtype)
{
    for (const Part& part : tree.parts) {
        bool attached = part.disposition.data() && util::starts_with_nocase(part.disposition, "attachment");
        if (part.is_text() && !attached && util::equal_nocase(part.type.subtype, subtype))
            return &part;
    }
    return nullptr;
}

// The text between tags; what stands in head, style and script is no text.
std::string without_tags(std::string_view html)
{
    std::string out;
    std::string_view hidden;  // the element whose end is awaited
    for (std::size_t at = 0; at < html.size();) {
        if (html[at] != '<') {
            if (hidden.empty())
                out += html[at];
            ++at;
            continue;
        }
        std::string_view tag = html.substr(at + 1, 10);
        if (!hidden.empty()) {
            if (tag.starts_with('/') && util::starts_with_nocase(tag.substr(1), hidden))
                hidden = {};
        } else if (tag.starts_with("!--")) {
            at = html.find("-->", at);
            if (at == std::string_view::npos)
                break;
        } else {
            for (std::string_view element : {"head", "style", "script", "title"})
                if (util::starts_with_nocase(tag, element) && !util::starts_with_nocase(tag, "header"))
                    hidden = element;
        }
        std::size_t end = html.find('>', at);
        at = end == std::string_view::npos ? html.size() : end + 1;
        if (hidden.empty())
            out += ' ';
    }
    return out;
}

// "&amp;" and the few others that matter; moves `at` behind it.
bool append_entity(std::string& out, std::string_view text, std::size_t& at)
{
    std::size_t end = text.substr(at, 10).find(';');
    if (end == std::string_view::npos || end < 2)
        return false;
    std::string_view name = text.substr(at + 1, end - 1);
    struct Entity {
        std::string_view name, text;
    };
    constexpr Entity entities[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}};
    if (name.starts_with('#')) {
        bool hex = name.size() > 1 && util::to_lower(name[1]) == 'x';
        std::uint32_t point = 0;
        auto [stop, error] = std::from_chars(name.data() + (hex ? 2 : 1), name.data() + name.size(), point, hex ? 16 : 10);
        if (error != std::errc() || stop != name.data() + name.size())
            return false;
        if (point == 0xA0)
            out += ' ';
        else
            append_utf8(out, point);
        at += end + 1;
        return true;
    }
    for (const Entity& entity : entities)
        if (name == entity.name) {
            out += entity.text;
            at += end + 1;
            return true;
        }
    return false;
}

// One line of at most preview_length characters: white space folded, control bytes out.
std::string folded(std::string_view text, bool entities)
{
    std::string out;
    std::size_t characters = 0;
    bool gap = false;
    for (std::size_t at = 0; at < text.size() && characters < preview_length;) {
        auto c = static_cast<unsigned char>(text[at]);
        if (c <= ' ' || c == 127 || text.substr(at, 2) == "\xC2\xA0") {
            gap = !out.empty();
            at += c == 0xC2 ? 2 : 1;
            continue;
        }
        if (gap && ++characters == preview_length)
            break;
        out += gap ? " " : "";
        gap = false;
        ++characters;
        if (c == '&' && entities && append_entity(out, text, at))
            continue;
        append_utf8(out, next_code_point(text, at));
    }
    return out;
}

// Without the lines of an earlier message that a reply quotes.
std::string without_quotes(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        if (text.front() != '>')
            out += text.substr(0, end);
        text.remove_prefix(end);
    }
    return out;
}

// The first `limit` bytes of a part's text in UTF-8; `all` says whether that was all.
std::string start_of_text(std::string_view message, const Part& part, std::size_t limit, bool& all)
{
    std::string bytes = decoded_start(message, part, limit);
    all = bytes.size() < limit;
    // A character that the cut went through would make UTF-8 look like something else.
    for (int i = 0; i < 3 && !all && !bytes.empty() && static_cast<unsigned char>(bytes.back()) >= 128; ++i)
        bytes.pop_back();
    const MimeParameter* charset = part.type.find("charset");
    return to_utf8(bytes, charset ? std::string_view(charset->value) : "us-ascii");
}

bool is_full(std::string_view preview)
{
    auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return std::size_t(std::ranges::count_if(preview, begins)) + 1 >= preview_length;
}

}  // namespace

std::string make_preview(std::string_view message, const MimeTreeView& tree)
{
    const Part* part = first_text(tree, "plain");
    bool html = !part;
    if (html)
        part = first_text(tree, "html");
    std::string preview;
    for (std::size_t limit : {first_source, preview_source}) {
        bool all = !part;
        if (all)
            break;
        std::string text = start_of_text(message, *part, limit, all);
        preview = html ? folded(without_tags(text), true) : folded(without_quotes(text), false);
        if (preview.empty() && !html && (all || limit == preview_source))
            preview = folded(text, false);
        if (all || is_full(preview))
            break;
    }
    return preview;
}

}  // namespace mail
