// Commands that may come at any time: CAPABILITY, NOOP, LOGOUT, UNAUTHENTICATE, ID, ENABLE, NAMESPACE, IDLE.
#include "imapd/engine/session.h"

#include "imapd/engine/relay.h"
#include "imapd/syntax/bye.h"
#include "imapd/syntax/capability.h"
#include "libipc/mailbox.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// RFC 2971 §3.3: at most 30 pairs, names of 30 bytes, values of 1024.
constexpr int max_id_pairs = 30;
constexpr std::size_t max_id_name = 30;

}  // namespace

bool Session::is_discarded(std::string_view capability) const
{
    using Whom = ipc::CapabilityRule::Whom;
    return std::ranges::any_of(facts_.discard_capabilities, [&](const ipc::CapabilityRule& rule) {
        bool fits = rule.whom == Whom::Everybody ||
                    ipc::fits_pattern(rule.pattern, rule.whom == Whom::User ? facts_.user : facts_.client);
        return fits && std::ranges::any_of(rule.names, [&](const auto& name) { return util::equal_nocase(name, capability); });
    });
}

bool Session::can_unauthenticate() const
{
    return facts_.returnable && !is_discarded("UNAUTHENTICATE");
}

std::string Session::capabilities() const
{
    std::string out;
    for (auto name : util::split_words(syntax::session_capabilities, " "))
        if (!is_discarded(name) && (name != "UNAUTHENTICATE" || can_unauthenticate()) &&
            (offers_urls() || !name.starts_with("URLAUTH")))
            util::append(out, out.empty() ? "" : " ", name);
    if (message_limit() > 0)
        util::append(out, " ", syntax::limit_capability, "=", message_limit());
    return out;
}

// Who does not hear of the limit cannot hold to it.
std::size_t Session::message_limit() const
{
    return facts_.limits.messages > 0 && !is_discarded(syntax::limit_capability) ? facts_.limits.messages : 0;
}

void Session::adjust_greeting(std::string& greeting)
{
    auto at = greeting.find(syntax::session_capabilities);
    if (at != std::string::npos)
        greeting.replace(at, syntax::session_capabilities.size(), capabilities());
}

Session::Answer Session::capability(Scanner& arguments)
{
    TRY(arguments.end());
    untagged(util::concat("CAPABILITY ", capabilities()));
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
    output_ += syntax::bye("Logging out");
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
            if (util::equal_nocase(name, "name"))
                facts_.client = value;
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

// RFC 5161: unknown names are passed over; what was on already is not told again.
Session::Answer Session::enable(Scanner& arguments)
{
    Enabled wanted = enabled_;
    std::string told;
    auto turn_on = [&](bool Enabled::*what, std::string_view name) {
        if (!(wanted.*what))
            util::append(told, " ", name);
        wanted.*what = true;
    };
    do {
        TRY(arguments.space());
        auto name = TRY(arguments.atom());
        if (is_discarded(name))
            continue;
        auto is = [&](std::string_view capability) { return util::equal_nocase(name, capability); };
        if (is("IMAP4rev2"))
            turn_on(&Enabled::rev2, "IMAP4rev2");
        else if (is("CONDSTORE"))
            turn_on(&Enabled::condstore, "CONDSTORE");
        else if (is("QRESYNC"))
            turn_on(&Enabled::qresync, "QRESYNC");
        else if (is("UIDONLY"))
            turn_on(&Enabled::uid_only, "UIDONLY");
        else if (is("UTF8=ACCEPT"))
            turn_on(&Enabled::utf8, "UTF8=ACCEPT");
        else if (is("METADATA"))
            turn_on(&Enabled::metadata, "METADATA");
    } while (!arguments.at_end());
    untagged(util::concat("ENABLED", told));
    if (wanted.qresync)
        wanted.condstore = true;  // RFC 7162 §3.2.3
    bool condstore = wanted.condstore && !enabled_.condstore;
    wanted.condstore = enabled_.condstore;
    if (wanted.metadata && !enabled_.metadata)
        watch_annotations();
    enabled_ = wanted;
    if (condstore)
        use_condstore();
    tell_enabled();
    ok("ENABLE completed");
    return {};
}

// RFC 2342.
Session::Answer Session::name_space(Scanner& arguments)
{
    TRY(arguments.end());
    std::string response = "NAMESPACE ((\"\" \"/\"))";
    auto add = [&](std::string_view prefix) {
        if (!relay_ || prefix.empty()) {
            response += " NIL";
            return;
        }
        response += " ((";
        syntax::append_string(response, prefix, form());
        response += " \"/\"))";
    };
    add(facts_.namespaces.others);
    add(facts_.namespaces.shared_owner.empty() ? std::string_view() : std::string_view(facts_.namespaces.shared));
    untagged(response);
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
    if (remote_idle_) {   // what follows it waits for the other side's answer
        wait_for_remote();
        return relay_->send_done();
    }
    if (util::equal_nocase(line, "DONE"))
        ok("IDLE completed");
    else
        bad("DONE expected");
}

// RFC 4978.  The client waits for the answer, since what follows it is compressed.
Session::Answer Session::compress(Scanner& arguments)
{
    TRY(arguments.space());
    if (!arguments.skip_atom("DEFLATE"))
        return util::invalid("Unknown compression");
    TRY(arguments.end());
    if (compressed_) {
        no("[COMPRESSIONACTIVE] DEFLATE is active already");
        return {};
    }
    if (framer_.waiting() > 0)
        return util::invalid("Nothing may follow COMPRESS before its answer");
    ok("DEFLATE active");
    tell_some_flags(util::Instant::max());   // all that waits comes before what is compressed
    compressed_ = true;
    return {};
}

// RFC 8437.  NO is not permitted, and who may not use it hears the same as of a command that is not there.
Session::Answer Session::unauthenticate(Scanner& arguments)
{
    if (!can_unauthenticate())
        return util::invalid("Unknown command UNAUTHENTICATE");
    TRY(arguments.end());
    // What follows it must not be compressed any more; and somebody has to take it.
    if ((compressed_ && framer_.waiting() > 0) || framer_.waiting() > ipc::max_returned_bytes) {
        bye("Too much follows UNAUTHENTICATE");
        return {};
    }
    leave_mailbox();
    util::append(output_, tag_, " OK UNAUTHENTICATE completed\r\n");
    drop();
    unauthenticated_ = true;
    return {};
}

// Once it is finished; then all that the framer has are bytes that nobody has looked at.
std::optional<std::string> Session::left_over() const
{
    if (!unauthenticated_ || framer_.waiting() > ipc::max_returned_bytes)
        return std::nullopt;
    return std::string(framer_.rest());
}

std::string Session::farewell() const
{
    return syntax::bye("The connection cannot go on, please connect again");
}

Session::Answer Session::already_in(Scanner&)
{
    return util::invalid("Already logged in");
}

}  // namespace imapd::engine
