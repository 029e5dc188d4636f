// Reads the arguments of one command.
#include "imapd/syntax/scanner.h"

#include "libutil/text.h"

#include <charconv>

namespace imapd::syntax {

namespace {

bool is_ctl(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_8bit(char c)
{
    return static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

// RFC 3501 §9: any CHAR except ( ) { SP CTL % * " \ ].
bool is_atom_char(char c)
{
    switch (c) {
    case '(':
    case ')':
    case '{':
    case ' ':
    case '%':
    case '*':
    case '"':
    case '\\':
    case ']':
        return false;
    default:
        return !is_ctl(c) && !is_8bit(c);
    }
}

bool is_astring_char(char c)
{
    return is_atom_char(c) || c == ']';
}

bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

template <typename Predicate>
std::string_view Scanner::take_while(Predicate accept)
{
    std::size_t length = 0;
    while (length < rest_.size() && accept(rest_[length]))
        ++length;
    auto taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
}

bool Scanner::skip(char c)
{
    if (rest_.empty() || rest_.front() != c)
        return false;
    rest_.remove_prefix(1);
    return true;
}

bool Scanner::skip_word(std::string_view word)
{
    if (!util::starts_with_nocase(rest_, word))
        return false;
    rest_.remove_prefix(word.size());
    return true;
}

bool Scanner::skip_atom(std::string_view name)
{
    if (!util::starts_with_nocase(rest_, name) ||
        (rest_.size() > name.size() && is_atom_char(rest_[name.size()])))
        return false;
    rest_.remove_prefix(name.size());
    return true;
}

util::Result<void> Scanner::expect(char c)
{
    if (skip(c))
        return {};
    if (c == ' ')
        return util::invalid(rest_.empty() ? "Missing argument" : "Space expected");
    return util::invalid(util::concat("'", c, "' expected"));
}

util::Result<void> Scanner::end()
{
    if (rest_.empty())
        return {};
    return util::invalid("Unexpected argument");
}

util::Result<std::string_view> Scanner::tag()
{
    auto tag = take_while(is_tag_char);
    if (tag.empty() || tag.size() > 256)
        return util::invalid("Invalid tag");
    return tag;
}

util::Result<std::string_view> Scanner::atom()
{
    auto atom = take_while(is_atom_char);
    if (atom.empty())
        return util::invalid("Atom expected");
    return atom;
}

util::Result<std::string_view> Scanner::quoted()
{
    rest_.remove_prefix(1);
    std::string* unescaped = nullptr;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
        char c = rest_[i];
        if (c == '"') {
            auto plain = rest_.substr(0, i);
            rest_.remove_prefix(i + 1);
            if (unescaped)
                plain = *unescaped;
            if (form_ == Form::Utf8 && !util::is_utf8(plain))  // RFC 6855 §3
                return util::invalid("Quoted string is not in UTF-8");
            return plain;
        }
        if (c == '\r' || c == '\n' || c == '\0')
            break;
        if (c == '\\') {
            // RFC 3501 §9: only \" and \\ are escapes.
            if (i + 1 >= rest_.size() || (rest_[i + 1] != '"' && rest_[i + 1] != '\\'))
                return util::invalid("Invalid escape in quoted string");
            if (!unescaped)
                unescaped = &unescaped_.emplace_back(rest_.substr(0, i));
            c = rest_[++i];
        }
        if (unescaped)
            *unescaped += c;
    }
    return util::invalid("Quoted string without end");
}

util::Result<Scanner::Literal> Scanner::literal()
{
    Literal literal;
    literal.binary = skip('~');
    if (!skip('{'))
        return util::invalid("Literal expected");
    std::uint64_t size = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
    if (error != std::errc())
        return util::invalid("Invalid literal");
    rest_.remove_prefix(std::size_t(end - rest_.data()));
    skip('+');
    if (!skip('}') || !rest_.starts_with("\r\n") || rest_.size() - 2 < size)
        return util::invalid("Invalid literal");
    literal.bytes = rest_.substr(2, std::size_t(size));
    rest_.remove_prefix(2 + std::size_t(size));
    return literal;
}

util::Result<std::string_view> Scanner::string()
{
    if (peek() == '"')
        return quoted();
    if (peek() != '{')
        return util::invalid("String expected");
    auto value = TRY(literal());
    // RFC 3501 §9: CHAR8 is any octet but NUL.
    if (value.bytes.find('\0') != std::string_view::npos)
        return util::invalid("NUL in literal");
    return value.bytes;
}

util::Result<std::string_view> Scanner::astring()
{
    if (peek() == '"' || peek() == '{')
        return string();
    auto value = take_while(is_astring_char);
    if (value.empty())
        return util::invalid("String expected");
    return value;
}

util::Result<std::string_view> Scanner::nstring(bool& nil)
{
    nil = false;
    if (peek() == '"' || peek() == '{')
        return string();
    if (util::equal_nocase(TRY(atom()), "NIL")) {
        nil = true;
        return std::string_view();
    }
    return util::invalid("String or NIL expected");
}

util::Result<std::string> Scanner::mailbox()
{
    auto name = TRY(astring());
    return decode_mailbox_name(name, form_);
}

util::Result<std::string> Scanner::list_mailbox()
{
    if (peek() == '"' || peek() == '{') {
        auto pattern = TRY(string());
        return decode_mailbox_pattern(pattern, form_);
    }
    auto pattern = take_while([](char c) { return is_astring_char(c) || c == '%' || c == '*'; });
    if (pattern.empty())
        return util::invalid("Mailbox pattern expected");
    return decode_mailbox_pattern(pattern, form_);
}

util::Result<std::uint64_t> Scanner::number(std::uint64_t max)
{
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value > max)
        return util::invalid("Invalid number");
    rest_.remove_prefix(std::size_t(end - rest_.data()));
    return value;
}

util::Result<std::uint64_t> Scanner::nz_number(std::uint64_t max)
{
    auto value = TRY(number(max));
    if (value == 0)
        return util::invalid("Invalid number");
    return value;
}

util::Result<SequenceSet> Scanner::sequence_set()
{
    return SequenceSet::take(rest_);
}

}  // namespace imapd::syntax
