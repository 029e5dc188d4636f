#include "libmail/header.h"

#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace mail {

namespace {

// Offset behind the line that starts at `at`.
std::size_t line_end(std::string_view text, std::size_t at)
{
    const void* found = std::memchr(text.data() + at, '\n', text.size() - at);
    return found ? std::size_t(static_cast<const char*>(found) - text.data()) + 1 : text.size();
}

bool is_empty_line(std::string_view text, std::size_t at)
{
    return text[at] == '\n' || (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n');
}

// RFC 5322 §2.2: a name is printable ASCII without colon.  RFC 6532 leaves names alone.
bool is_field_name(std::string_view name)
{
    for (char c : name)
        if (c <= ' ' || c > '~')
            return false;
    return !name.empty();
}

}  // namespace

bool FieldView::is(std::string_view field_name) const
{
    return name.size() == field_name.size() && util::equal_nocase(name, field_name);
}

bool HeaderReader::next(FieldView& field)
{
    if (position_ >= message_.size())
        return false;
    if (is_empty_line(message_, position_)) {
        if (complete_)
            return false;
        complete_ = true;
        position_ += message_[position_] == '\n' ? 1 : 2;
        message_ = message_.substr(0, position_);
        return false;
    }
    std::size_t start = position_;
    std::size_t end = line_end(message_, start);
    std::string_view line = message_.substr(start, end - start);
    while (end < message_.size() && util::is_blank(message_[end]))
        end = line_end(message_, end);
    position_ = end;

    field.offset = start;
    field.text = message_.substr(start, end - start);
    std::size_t colon = line.find(':');
    field.name = util::trim_right(line.substr(0, colon == std::string_view::npos ? 0 : colon));
    if (!is_field_name(field.name)) {
        field.name = {};
        field.value = util::trim(field.text);
    } else {
        field.value = util::trim(field.text.substr(colon + 1));
    }
    return true;
}

std::size_t header_size(std::string_view message)
{
    std::size_t at = 0;
    while (at < message.size()) {
        if (is_empty_line(message, at))
            return at + (message[at] == '\n' ? 1 : 2);
        at = line_end(message, at);
    }
    return at;
}

std::string_view trace_separator(std::string_view beginning)
{
    std::string_view unquoted = beginning.substr(std::min(beginning.find_first_not_of('>'), beginning.size()));
    if (util::starts_with_nocase(unquoted, "From "))
        return "X-Mailbox-Line: ";
    FieldView field;
    if (!HeaderReader(beginning).next(field))
        return {};
    return field.name.empty() || util::is_blank(beginning.front()) ? "\r\n" : "";
}

std::optional<std::string_view> find_field(std::string_view header, std::string_view name)
{
    HeaderReader reader(header);
    FieldView field;
    while (reader.next(field))
        if (field.is(name))
            return field.value;
    return std::nullopt;
}

std::string unfold(std::string_view value)
{
    std::string out;
    out.reserve(value.size());
    while (true) {
        std::size_t newline = value.find('\n');
        std::string_view piece = value.substr(0, newline);
        if (newline != std::string_view::npos && piece.ends_with('\r'))
            piece.remove_suffix(1);
        out += piece;
        if (newline == std::string_view::npos)
            return out;
        value.remove_prefix(newline + 1);
    }
}

std::vector<std::string> message_ids(std::string_view value, std::size_t limit)
{
    std::vector<std::string> ids;
    std::size_t at = 0;
    while (at < value.size()) {
        skip_cfws(value, at);
        if (at >= value.size())
            break;
        if (value[at] == '"') {  // an obsolete phrase, RFC 5322 §4.5.4
            std::string ignored;
            read_quoted_string(value, at, ignored);
            continue;
        }
        if (value[at] != '<') {
            ++at;
            continue;
        }
        std::string id;
        for (; at < value.size() && value[at] != '>'; ++at)
            if (!util::is_space(value[at]))
                id += value[at];
        if (at >= value.size())
            break;
        ++at;
        if (id.size() > 1)
            ids.push_back(id + '>');
        // The oldest go, in blocks, so that a flood costs linear time.
        if (ids.size() >= 2 * limit + 1)
            ids.erase(ids.begin(), ids.end() - std::ptrdiff_t(limit));
    }
    if (ids.size() > limit)
        ids.erase(ids.begin(), ids.end() - std::ptrdiff_t(limit));
    return ids;
}

void skip_cfws(std::string_view text, std::size_t& at, std::string* comment)
{
    while (at < text.size()) {
        if (util::is_space(text[at])) {
            ++at;
            continue;
        }
        if (text[at] != '(')
            return;
        std::size_t depth = 1;
        if (comment)
            comment->clear();
        for (++at; at < text.size() && depth > 0; ++at) {
            char c = text[at];
            if (c == '\\' && at + 1 < text.size())
                c = text[++at];
            else if (c == '(' && depth < max_comment_depth)
                ++depth;
            else if (c == ')' && --depth == 0)
                continue;
            if (comment && c != '\r' && c != '\n')
                *comment += c;
        }
    }
}

void read_quoted_string(std::string_view text, std::size_t& at, std::string& out)
{
    for (++at; at < text.size(); ++at) {
        char c = text[at];
        if (c == '"') {
            ++at;
            return;
        }
        if (c == '\\' && at + 1 < text.size())
            c = text[++at];
        if (c != '\r' && c != '\n')
            out += c;
    }
}

}  // namespace mail
