// Flags as arguments of STORE and APPEND.
#include "imapd/engine/flag_list.h"

#include "imapd/engine/format.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

// More flags in one list than there can be are a mistake, or worse.
constexpr std::size_t max_flags_in_list = 256;

util::Result<void> parse_flag(syntax::Scanner& arguments, FlagList& list)
{
    if (arguments.skip('\\')) {
        auto name = TRY(arguments.atom());
        auto flag = system_flag(util::concat('\\', name));
        if (flag == 0)
            return util::invalid(util::concat("Flag \\", util::printable(name, 40), " cannot be set"));
        list.flags |= flag;
        return {};
    }
    auto name = TRY(arguments.atom());
    if (name.size() > store::max_keyword_length)
        return util::invalid("The keyword is too long");
    bool known = std::any_of(list.keywords.begin(), list.keywords.end(),
                             [&](const std::string& k) { return util::equal_nocase(k, name); });
    if (!known)
        list.keywords.emplace_back(name);
    if (list.keywords.size() > max_flags_in_list)
        return util::invalid("Too many flags");
    return {};
}

}  // namespace

util::Result<FlagList> parse_flag_list(syntax::Scanner& arguments, bool bare_allowed)
{
    FlagList list;
    if (!arguments.skip('(')) {
        if (!bare_allowed)
            return util::invalid("Flags in parentheses expected");
        do {
            TRY(parse_flag(arguments, list));
        } while (arguments.skip(' '));
        return list;
    }
    if (arguments.skip(')'))
        return list;
    do {
        TRY(parse_flag(arguments, list));
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    return list;
}

}  // namespace imapd::engine
