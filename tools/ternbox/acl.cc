// Access control lists over an IMAP session.
#include "tools/ternbox/acl.h"

#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "tools/ternbox/mailbox_names.h"

#include <algorithm>
#include <sysexits.h>

namespace ternbox {

namespace {

constexpr std::string_view all_rights = "lrswipkxtea";

// "c" and "d" are there for old clients (RFC 4314 §2.1.1), and say nothing that the others do not.
std::string without_old_letters(std::string_view rights)
{
    std::string out(rights);
    std::erase_if(out, [](char letter) { return letter == 'c' || letter == 'd'; });
    return out;
}

void print_entry(const Order& order, std::string_view mailbox, std::string_view identifier, std::string_view rights)
{
    if (order.json)
        util::print_out(util::concat("{\"mailbox\":", util::json_quote(mailbox), ",\"identifier\":",
                                     util::json_quote(identifier), ",\"rights\":", util::json_quote(rights), "}\n"));
    else
        util::print_out(
            util::concat(shown(mailbox), ": ", shown(identifier), " ", rights.empty() ? "\"\"" : shown(rights), "\n"));
}

// The owner, who has all rights where nothing is said, is not told of then.
util::Result<int> list(ImapSession& session, const Order& order, const std::vector<std::string>& patterns)
{
    for (const auto& mailbox : TRY(mailboxes_of(session, patterns))) {
        auto take = [&](const Response& response) -> util::Result<void> {
            const auto& values = response.values;
            if (values.size() < 2 || !values[0].is("ACL"))
                return {};
            for (std::size_t i = 2; i + 1 < values.size(); i += 2) {
                std::string rights = without_old_letters(values[i + 1].text);
                if (values[i].text != order.account || rights != all_rights)
                    print_entry(order, mailbox.name, values[i].text, rights);
            }
            return {};
        };
        auto told = session.command(util::concat("GETACL ", quoted(mailbox.name)), take);
        if (!told.ok() && told.error().kind != util::Kind::NotFound)   // removed meanwhile
            return told.take_error();
    }
    return 0;
}

}  // namespace

util::Result<int> acl(ImapSession& session, const Order& order)
{
    if (order.words.empty())
        return EX_USAGE;
    const std::string& what = order.words.front();
    std::vector<std::string> words(order.words.begin() + 1, order.words.end());
    if (!std::ranges::all_of(words, is_line))
        return util::invalid("a mailbox's name, an identifier and rights are each a line of UTF-8");
    if (what == "list")
        return list(session, order, words);
    if (what == "set" && words.size() == 3)
        TRY(session.command(util::concat("SETACL ", quoted(words[0]), " ", quoted(words[1]), " ", quoted(words[2]))));
    else if (what == "delete" && words.size() == 2)
        TRY(session.command(util::concat("DELETEACL ", quoted(words[0]), " ", quoted(words[1]))));
    else
        return EX_USAGE;
    return 0;
}

}  // namespace ternbox
