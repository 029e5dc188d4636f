// Commands that may come at any time: CAPABILITY, NOOP, LOGOUT, ID, ENABLE, NAMESPACE, IDLE.
#include "imapd/engine/session.h"

#include "imapd/syntax/capability.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

namespace {

// RFC 2971 §3.3: at most 30 pairs, names of 30 bytes, values of 1024.
constexpr int max_id_pairs = 30;
constexpr std::size_t max_id_name = 30;
constexpr std::size_t max_id_value = 1024;

}  // namespace

Session::Answer Session::capability(Scanner& arguments)
{
    TRY(arguments.end());
    untagged(util::concat("CAPABILITY ", syntax::session_capabilities));
    ok("CAPABILITY completed");
    return {};
}

Session::Answer Session::noop(Scanner& arguments)
{
    TRY(arguments.end());
    ok("NOOP completed");
    return {};
}

// RFC 3501 §6.1.3: BYE comes before the tagged OK.
Session::Answer Session::logout(Scanner& arguments)
{
    TRY(arguments.end());
    leave_mailbox();
    untagged("BYE Logging out");
    ok("LOGOUT completed");
    drop();
    return {};
}

Session::Answer Session::id(Scanner& arguments)
{
    TRY(arguments.space());
    bool nil = false;
    if (arguments.skip('(')) {
        for (int pairs = 0; !arguments.skip(')'); ++pairs) {
            if (pairs >= max_id_pairs)
                return util::invalid("Too many ID fields");
            if (pairs > 0)
                TRY(arguments.space());
            auto name = TRY(arguments.string());
            TRY(arguments.space());
            auto value = TRY(arguments.nstring(nil));
            if (name.size() > max_id_name || value.size() > max_id_value)
                return util::invalid("ID field is too long");
        }
    } else {
        TRY(arguments.nstring(nil));
        if (!nil)
            return util::invalid("List or NIL expected");
    }
    TRY(arguments.end());
    // The version stays at home: it would help nobody but those who look for old ones.
    untagged("ID (\"name\" \"Tern\")");
    ok("ID completed");
    return {};
}

// RFC 5161: unknown names are passed over.  So far nothing needs to be enabled.
Session::Answer Session::enable(Scanner& arguments)
{
    do {
        TRY(arguments.space());
        TRY(arguments.atom());
    } while (!arguments.at_end());
    untagged("ENABLED");
    ok("ENABLE completed");
    return {};
}

// RFC 2342: one personal namespace.
Session::Answer Session::name_space(Scanner& arguments)
{
    TRY(arguments.end());
    untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    ok("NAMESPACE completed");
    return {};
}

// RFC 2177.
Session::Answer Session::idle(Scanner& arguments)
{
    TRY(arguments.end());
    output_ += "+ idling\r\n";
    idling_ = true;
    tell_news(true);
    return {};
}

void Session::end_idle(std::string_view line)
{
    idling_ = false;
    if (util::equal_nocase(line, "DONE"))
        ok("IDLE completed");
    else
        bad("DONE expected");
}

Session::Answer Session::already_in(Scanner&)
{
    return util::invalid("Already logged in");
}

}  // namespace imapd::engine
