// Responses of an IMAP server.
#include "tools/ternbox/response.h"

#include "libutil/text.h"

#include <algorithm>

namespace ternbox {

namespace {

class ResponseParser {
public:
    explicit ResponseParser(std::string_view text) : rest_(text) {}

    util::Result<std::vector<Value>> values()
    {
        std::vector<Value> out;
        while (!rest_.empty()) {
            out.push_back(TRY(value(0)));
            if (!rest_.empty() && !skip(' '))
                return util::invalid("a space is missing in the response");
        }
        return out;
    }

private:
    bool skip(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    util::Result<Value> value(std::size_t depth)
    {
        if (++count_ > max_values || depth > max_value_depth)
            return util::invalid("the response is too large");
        if (skip('('))
            return list(depth);
        if (skip('"'))
            return quoted();
        if (rest_.starts_with('{') || rest_.starts_with("~{"))
            return literal();
        return atom();
    }

    util::Result<Value> list(std::size_t depth)
    {
        Value list{.kind = Value::Kind::List, .text = {}, .items = {}};
        while (!skip(')')) {
            if (rest_.empty())
                return util::invalid("a list has no end");
            list.items.push_back(TRY(value(depth + 1)));
            // Addresses of an envelope and parts of a structure stand without spaces between.
            (void)skip(' ');
        }
        return list;
    }

    util::Result<Value> quoted()
    {
        Value value{.kind = Value::Kind::String, .text = {}, .items = {}};
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"')
                return value;
            if (c == '\\') {
                if (rest_.empty())
                    break;
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            value.text += c;
        }
        return util::invalid("a string has no end");
    }

    util::Result<Value> literal()
    {
        auto end = rest_.find("\r\n");
        auto size = end == std::string_view::npos ? std::nullopt : announced_literal(rest_.substr(0, end));
        if (!size || rest_.size() - end - 2 < *size)
            return util::invalid("a literal is broken");
        Value value{.kind = Value::Kind::String, .text = std::string(rest_.substr(end + 2, std::size_t(*size))), .items = {}};
        rest_.remove_prefix(end + 2 + std::size_t(*size));
        return value;
    }

    util::Result<Value> atom()
    {
        std::size_t at = 0;
        std::size_t brackets = 0;
        for (; at < rest_.size(); ++at) {
            char c = rest_[at];
            if (c == '[')
                ++brackets;
            else if (c == ']' && brackets > 0)
                --brackets;
            else if (brackets == 0 && (c == ' ' || c == '(' || c == ')' || c == '"'))
                break;
            if (c == '\r' || c == '\n' || c == '\0')
                return util::invalid("a stray byte in the response");
        }
        if (at == 0)
            return util::invalid("a value is missing in the response");
        Value value{.kind = Value::Kind::Atom, .text = std::string(rest_.substr(0, at)), .items = {}};
        rest_.remove_prefix(at);
        if (util::equal_nocase(value.text, "NIL"))
            value = {.kind = Value::Kind::Nil, .text = {}, .items = {}};
        return value;
    }

    std::string_view rest_;
    std::size_t count_ = 0;
};

constexpr std::string_view statuses[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

}  // namespace

bool Value::is(std::string_view atom) const
{
    return kind == Kind::Atom && util::equal_nocase(text, atom);
}

const Value* value_after(const std::vector<Value>& values, std::string_view atom)
{
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
        if (values[i].is(atom))
            return &values[i + 1];
    return nullptr;
}

const Value* Response::after(std::string_view atom) const
{
    return value_after(values, atom);
}

std::optional<std::uint64_t> announced_literal(std::string_view line)
{
    if (!line.ends_with('}'))
        return std::nullopt;
    auto begin = line.rfind('{');
    if (begin == std::string_view::npos)
        return std::nullopt;
    auto size = util::parse_unsigned(line.substr(begin + 1, line.size() - begin - 2));
    return size.ok() ? std::optional(*size) : std::nullopt;
}

util::Result<Response> parse_response(std::string_view line)
{
    Response response;
    auto [tag, rest] = util::split_first(line, ' ');
    response.tag = tag;
    if (tag.empty())
        return util::invalid("an empty response");
    if (tag == "+") {
        response.text = rest;
        return response;
    }
    auto [word, text] = util::split_first(rest, ' ');
    auto status = util::upper(word);
    if (std::ranges::find(statuses, status) == std::end(statuses)) {
        response.values = TRY(ResponseParser(rest).values());
        return response;
    }
    response.status = status;
    if (auto end = text.find(']'); text.starts_with('[') && end != std::string_view::npos) {
        response.code = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
    }
    response.text = util::trim(text);
    return response;
}

}  // namespace ternbox
