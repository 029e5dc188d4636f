// The parser of paths and mailboxes: one cursor over the text, no copies but into the result.
#include "libmail/address.h"

#include "libutil/text.h"

#include <arpa/inet.h>

namespace mail {

namespace {

using util::invalid;
using util::Result;

// RFC 5322 §3.2.3 atext; bytes above 127 where SMTPUTF8 allows (the whole is checked by is_utf8).
bool is_atext(char c, bool utf8)
{
    if (util::is_alnum(c))
        return true;
    if (static_cast<unsigned char>(c) >= 128)
        return utf8;
    return c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text)
{
    if (text.empty() || text.front() == '.' || text.back() == '.')
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '.' ? text[i - 1] == '.' : !is_atext(text[i], true))
            return false;
    return true;
}

class PathReader {
public:
    PathReader(std::string_view text, PathSyntax syntax) : text_(text), syntax_(syntax) {}

    bool take(char c)
    {
        if (at_end() || text_[position_] != c)
            return false;
        ++position_;
        return true;
    }
    bool at_end() const { return position_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[position_]; }
    std::string_view rest() const { return text_.substr(position_); }
    void skip_blanks()
    {
        while (util::is_blank(peek()))
            ++position_;
    }

    // A-d-l ":" of RFC 5321 §4.1.2, read and forgotten.
    Result<void> skip_source_route()
    {
        if (peek() != '@')
            return {};
        do {
            if (!take('@'))
                return invalid("Bad source route");
            std::string ignored = TRY(domain());
        } while (take(','));
        if (!take(':'))
            return invalid("Bad source route");
        return {};
    }

    Result<std::string> local_part()
    {
        std::string local = peek() == '"' ? TRY(quoted_string()) : TRY(dot_string());
        if (local.size() > max_local_part_length)
            return invalid("Local part too long");
        return local;
    }

    Result<std::string> domain()
    {
        std::size_t start = position_;
        if (take('[')) {
            while (!at_end() && peek() != ']' && peek() != '>' && peek() != ' ')
                ++position_;
            if (!take(']'))
                return invalid("Bad address literal");
        } else {
            while (!at_end() && std::string_view("<>,:@ \t\"").find(peek()) == std::string_view::npos)
                ++position_;
        }
        std::string_view found = text_.substr(start, position_ - start);
        if (syntax_.strict && found.ends_with('.'))
            return invalid("Bad domain");
        return parse_domain(found, syntax_.utf8);
    }

private:
    Result<std::string> dot_string()
    {
        std::size_t start = position_;
        while (!at_end() && (peek() == '.' || is_atext(peek(), syntax_.utf8)))
            ++position_;
        std::string_view found = text_.substr(start, position_ - start);
        if (!syntax_.utf8 && static_cast<unsigned char>(peek()) >= 128)
            return invalid("Non-ASCII address without SMTPUTF8");
        if (found.empty() || (syntax_.strict && !is_dot_string(found)))
            return invalid("Bad local part");
        return std::string(found);
    }

    // RFC 5321 §4.1.2 Quoted-string: printable ASCII and space, UTF-8 by RFC 6531 §3.3.
    Result<std::string> quoted_string()
    {
        std::string value;
        ++position_;
        while (!at_end()) {
            char c = text_[position_++];
            if (c == '"') {
                if (value.empty())
                    return invalid("Empty local part");
                return value;
            }
            bool escaped = c == '\\' && !at_end();
            if (escaped)
                c = text_[position_++];
            bool high = static_cast<unsigned char>(c) >= 128;
            if (high && !syntax_.utf8)
                return invalid("Non-ASCII address without SMTPUTF8");
            if (!util::is_printable(c) && (!high || escaped))
                return invalid("Control character in local part");
            value += c;
        }
        return invalid("Missing closing quote");
    }

    std::string_view text_;
    std::size_t position_ = 0;
    PathSyntax syntax_;
};

bool is_label(std::string_view label, bool utf8)
{
    bool ascii = util::is_ascii(label);
    if (label.empty() || label.front() == '-' || label.back() == '-')
        return false;
    if (label.size() > (ascii ? max_label_length : 2 * max_label_length) || (!ascii && !utf8))
        return false;
    for (char c : label)
        if (!util::is_alnum(c) && c != '-' && c != '_' && static_cast<unsigned char>(c) < 128)
            return false;
    return true;
}

// RFC 5321 §4.1.3.  No tag but IPv6 has ever been registered.
Result<std::string> parse_literal(std::string_view text)
{
    if (!text.ends_with(']'))
        return invalid("Bad address literal");
    std::string inner(text.substr(1, text.size() - 2));
    char canonical[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (util::starts_with_nocase(inner, "IPv6:")) {
        if (inner.find('\0') != std::string::npos || inet_pton(AF_INET6, inner.c_str() + 5, bytes) != 1)
            return invalid("Bad IPv6 address literal");
        inet_ntop(AF_INET6, bytes, canonical, sizeof canonical);
        return util::concat("[IPv6:", canonical, ']');
    }
    if (inner.find('\0') != std::string::npos || inet_pton(AF_INET, inner.c_str(), bytes) != 1)
        return invalid("Bad address literal");
    return util::concat('[', inner, ']');
}

// What a path holds between the brackets; `bare` allows a local part alone.
Result<Address> read_mailbox(PathReader& reader, bool bare)
{
    Address address;
    address.local_part = TRY(reader.local_part());
    if (reader.take('@'))
        address.domain = TRY(reader.domain());
    else if (!bare && !util::equal_nocase(address.local_part, "postmaster"))
        return invalid("Address without domain");
    if (address.needs_utf8() && !(util::is_utf8(address.local_part) && util::is_utf8(address.domain)))
        return invalid("Address is not valid UTF-8");
    return address;
}

Result<ParsedPath> read_path(std::string_view text, PathSyntax syntax, bool null_allowed)
{
    PathReader reader(text, syntax);
    if (!syntax.strict)
        reader.skip_blanks();
    bool bracket = reader.take('<');
    if (!bracket && syntax.strict)
        return invalid("Path must be in angle brackets");
    ParsedPath path;
    if (bracket && !syntax.strict)
        reader.skip_blanks();
    if (bracket && reader.take('>')) {
        if (!null_allowed)
            return invalid("Empty recipient address");
    } else {
        TRY(reader.skip_source_route());
        path.address = TRY(read_mailbox(reader, !syntax.strict));
        if (bracket && !syntax.strict)
            reader.skip_blanks();
        if (bracket && !reader.take('>'))
            return invalid("Bad address syntax");
    }
    path.rest = reader.rest();
    if (!path.rest.empty() && !util::is_blank(path.rest.front()))
        return invalid("Bad address syntax");
    if (text.size() - path.rest.size() > max_path_length)
        return invalid("Path too long");
    return path;
}

Result<Address> whole(Result<ParsedPath> path)
{
    if (!path.ok())
        return path.take_error();
    if (!util::trim(path->rest).empty())
        return invalid("Unexpected text after the address");
    return std::move(path->address);
}

}  // namespace

bool Address::needs_utf8() const
{
    return !util::is_ascii(local_part) || !util::is_ascii(domain);
}

Result<ParsedPath> read_reverse_path(std::string_view text, PathSyntax syntax)
{
    return read_path(text, syntax, true);
}

Result<ParsedPath> read_forward_path(std::string_view text, PathSyntax syntax)
{
    return read_path(text, syntax, false);
}

Result<Address> parse_reverse_path(std::string_view text, PathSyntax syntax)
{
    return whole(read_reverse_path(text, syntax));
}

Result<Address> parse_forward_path(std::string_view text, PathSyntax syntax)
{
    return whole(read_forward_path(text, syntax));
}

Result<Address> parse_address(std::string_view text, bool utf8)
{
    PathReader reader(text, {.utf8 = utf8, .strict = false});
    Address address = TRY(read_mailbox(reader, true));
    if (!reader.at_end())
        return invalid("Bad address syntax");
    return address;
}

Result<std::string> parse_domain(std::string_view text, bool utf8)
{
    if (text.starts_with('['))
        return text.size() > max_domain_length ? invalid("Address literal too long")
                                               : parse_literal(text);
    if (text.ends_with('.'))
        text.remove_suffix(1);
    if (text.empty() || text.size() > max_domain_length)
        return invalid(text.empty() ? "Empty domain" : "Domain too long");
    if (!util::is_ascii(text) && !(utf8 && util::is_utf8(text)))
        return invalid(utf8 ? "Domain is not valid UTF-8" : "Non-ASCII domain without SMTPUTF8");
    std::string_view left = text;
    while (true) {
        std::size_t dot = left.find('.');
        if (!is_label(left.substr(0, dot), utf8))
            return invalid("Bad domain");
        if (dot == std::string_view::npos)
            return util::lower(text);
        left.remove_prefix(dot + 1);
    }
}

std::string quote_local_part(std::string_view local_part)
{
    if (is_dot_string(local_part))
        return std::string(local_part);
    std::string quoted = "\"";
    for (char c : local_part) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    quoted += '"';
    return quoted;
}

std::string to_text(const Address& address)
{
    if (address.is_null())
        return {};
    std::string text = quote_local_part(address.local_part);
    if (!address.domain.empty())
        util::append(text, '@', address.domain);
    return text;
}

std::string to_path(const Address& address)
{
    return util::concat('<', to_text(address), '>');
}

std::pair<std::string_view, std::string_view> split_extension(std::string_view local_part,
                                                              std::string_view delimiters)
{
    std::pair<std::string_view, std::string_view> unsplit{local_part, {}};
    for (std::string_view special : {"postmaster", "mailer-daemon", "double-bounce"})
        if (util::equal_nocase(local_part, special))
            return unsplit;
    if (delimiters.find('-') != std::string_view::npos &&
        (util::starts_with_nocase(local_part, "owner-") ||
         util::ends_with_nocase(local_part, "-request")))
        return unsplit;
    std::size_t split = local_part.find_first_of(delimiters);
    if (split == std::string_view::npos || split == 0)
        return unsplit;
    return {local_part.substr(0, split), local_part.substr(split + 1)};
}

bool equal_nocase(const Address& a, const Address& b)
{
    return a.domain == b.domain && util::equal_nocase(a.local_part, b.local_part);
}

}  // namespace mail
