// The arguments of APPEND and REPLACE.
#include "imapd/engine/append_arguments.h"

#include "libmail/date.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

class AppendParser {
public:
    AppendParser(Scanner& arguments, std::size_t message_limit, LiteralUse* announced)
        : arguments_(arguments), message_limit_(message_limit), announced_(announced)
    {
    }

    util::Result<AppendArguments> run(bool replace);

private:
    // Does the command end here, in the announcement of a literal?
    bool stops(LiteralUse use);
    util::Result<void> message(AppendMessage& message);
    util::Result<void> catenate(AppendMessage& message);
    util::Result<AppendPart> literal();
    util::Result<AppendPart> utf8_literal(LiteralUse use);

    Scanner& arguments_;
    std::size_t message_limit_;
    LiteralUse* announced_;
    bool stopped_ = false;
};

bool AppendParser::stops(LiteralUse use)
{
    auto rest = arguments_.rest();
    if (rest.starts_with('~'))
        rest.remove_prefix(1);
    if (!announced_ || !rest.starts_with('{') || rest.find('\n') != std::string_view::npos)
        return false;
    *announced_ = use;
    return stopped_ = true;
}

util::Result<AppendPart> AppendParser::literal()
{
    auto literal = TRY(arguments_.literal());
    AppendPart part;
    part.bytes = literal.bytes;
    part.binary = literal.binary;
    return part;
}

// After "UTF8 (".
util::Result<AppendPart> AppendParser::utf8_literal(LiteralUse use)
{
    if (stops(use))
        return AppendPart();
    auto part = TRY(literal());
    if (!part.binary)
        return util::invalid("literal8 expected");
    TRY(arguments_.expect(')'));
    return part;
}

// After "CATENATE (".
util::Result<void> AppendParser::catenate(AppendMessage& message)
{
    message.catenated = true;
    do {
        if (message.parts.size() >= max_append_parts)
            return util::invalid("Too many parts");
        AppendPart part;
        if (arguments_.skip_word("TEXT ")) {
            if (stops(LiteralUse::Text))
                return {};
            part = TRY(literal());
        } else if (arguments_.skip_word("UTF8 (")) {
            part = TRY(utf8_literal(LiteralUse::Text));
            if (stopped_)
                return {};
        } else if (arguments_.skip_word("URL ")) {
            if (stops(LiteralUse::Url))
                return {};
            part.is_url = true;
            part.url = TRY(arguments_.astring());
        } else {
            return util::invalid("TEXT, UTF8 or URL expected");
        }
        message.parts.push_back(std::move(part));
    } while (arguments_.skip(' '));
    return arguments_.expect(')');
}

util::Result<void> AppendParser::message(AppendMessage& message)
{
    if (arguments_.peek() == '(') {
        message.flags = TRY(parse_flag_list(arguments_, false));
        TRY(arguments_.space());
    }
    if (arguments_.peek() == '"') {
        auto text = TRY(arguments_.string());
        auto date = mail::parse_internal_date(text);
        if (!date)
            return util::invalid("Invalid date");
        message.date = store::Date{date->seconds, date->zone_minutes};
        TRY(arguments_.space());
    }
    if (arguments_.skip_word("CATENATE ("))
        return catenate(message);
    if (arguments_.skip_word("UTF8 (")) {
        auto part = TRY(utf8_literal(LiteralUse::Message));
        if (!stopped_)
            message.parts.push_back(std::move(part));
        return {};
    }
    if (stops(LiteralUse::Message))
        return {};
    auto part = TRY(literal());
    message.parts.push_back(std::move(part));
    return {};
}

util::Result<AppendArguments> AppendParser::run(bool replace)
{
    AppendArguments append;
    TRY(arguments_.space());
    if (replace) {
        append.replaced = TRY(arguments_.sequence_set());
        const auto& ranges = append.replaced->ranges();
        if (ranges.size() != 1 || ranges.front().first != ranges.front().last)
            return util::invalid("One message expected");
        TRY(arguments_.space());
    }
    if (stops(LiteralUse::Mailbox))
        return append;
    append.mailbox = TRY(arguments_.mailbox());
    TRY(arguments_.space());
    do {
        if (append.messages.size() >= (replace ? 1 : std::min(message_limit_, max_append_messages))) {
            if (!replace && message_limit_ <= max_append_messages)
                return util::permanent("Too many messages");
            return util::invalid("Too many messages");
        }
        TRY(message(append.messages.emplace_back()));
    } while (!stopped_ && arguments_.skip(' '));
    if (!stopped_)
        TRY(arguments_.end());
    return append;
}

}  // namespace

util::Result<AppendArguments> parse_append(Scanner& arguments, bool replace, std::size_t message_limit, LiteralUse* announced)
{
    return AppendParser(arguments, message_limit, announced).run(replace);
}

}  // namespace imapd::engine
