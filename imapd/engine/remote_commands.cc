// Commands for other users' mailboxes, in a session of the user who asks (relay.h).
#include "imapd/engine/relay.h"

#include "imapd/engine/session.h"
#include "imapd/engine/url_fetch.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

bool is_one_of(std::string_view verb, std::initializer_list<std::string_view> verbs)
{
    return std::any_of(verbs.begin(), verbs.end(), [&](std::string_view one) { return util::equal_nocase(verb, one); });
}

}  // namespace

void Session::set_up_relay()
{
    if (!facts_.remotes || is_guest() || (facts_.namespaces.others.empty() && facts_.namespaces.shared.empty()))
        return;
    relay_ = std::make_unique<Relay>(*facts_.remotes, facts_.namespaces,
                                     Relay::Host{.forward = [this](std::string_view bytes) {
                                                     if (finished_)
                                                         return;
                                                     output_ += bytes;
                                                     bytes_out_ += bytes.size();
                                                 },
                                                 .wants = [this] { return !output_full(); },
                                                 .has_view = [this] { return bool(view_); },
                                                 .selected_lost = [this](std::string_view text) {
                                                     if (relay_->in_response())
                                                         drop();
                                                     else if (!finished_)
                                                         bye(text);
                                                 },
                                                 .setup = {}});
}

// What the client has switched on holds in others' mailboxes, too.
void Session::tell_enabled()
{
    if (!relay_)
        return;
    std::string names;
    for (auto [on, name] : {std::pair(enabled_.rev2, "IMAP4rev2"), std::pair(enabled_.qresync, "QRESYNC"),
                            std::pair(enabled_.condstore, "CONDSTORE"), std::pair(enabled_.uid_only, "UIDONLY"),
                            std::pair(enabled_.utf8, "UTF8=ACCEPT")})
        if (on)
            util::append(names, " ", name);
    if (names.empty())
        return;
    relay_->set_setup(util::concat("ENABLE", names, "\r\n"));
    relay_->tell_all("ENABLE" + names);
}

std::optional<std::string> Session::other_owner(const std::string& name) const
{
    // A mailbox of one's own by that name was there first.
    if (!relay_ || store_.mailboxes().contains(known_name(name)))
        return std::nullopt;
    return relay_->owner_of(name);
}

bool Session::is_of_others(std::string_view name) const
{
    return relay_ && relay_->owner_of(name).has_value();
}

// The next command waits until remote_answered().
void Session::wait_for_remote(util::Duration patience)
{
    remote_patience_ = patience;
    remote_since_ = util::now();
    awaited_ = UINT64_MAX;
    awaits_visible_ = false;
    then_ = [] {};
}

// Whose output waits for the client does not wait for others.
std::optional<util::Instant> Session::remote_deadline() const
{
    if (!then_ || awaited_ != UINT64_MAX || output_full())
        return std::nullopt;
    return std::max(remote_since_, relay_->last_heard()) + remote_patience_;
}

void Session::remote_answered(std::string_view status)
{
    if (finished_)
        return;
    auto before = output_.size();
    then_ = nullptr;
    if (util::starts_with_nocase(status, "BAD "))
        bad(status.substr(4));
    else
        bad_in_a_row_ = 0, util::append(output_, tag_, " ", status, "\r\n");
    advance();
    count_output(before);
}

void Session::forward(const std::string& owner, std::string_view text)
{
    // A command that makes the client CONDSTORE-aware does so for all mailboxes (RFC 7162 §3.1).
    auto head = text.substr(0, 1000);
    auto names = [&](std::string_view word) {
        return std::search(head.begin(), head.end(), word.begin(), word.end(),
                           [](char a, char b) { return (a & ~0x20) == b; }) != head.end();
    };
    if (!enabled_.condstore && (names("CONDSTORE") || names("MODSEQ") || names("CHANGEDSINCE")) && !names("APPEND")) {
        enabled_.condstore = true;
        tell_enabled();
    }
    wait_for_remote();
    relay_->command(owner, non_synchronizing(text), [this](std::string_view status) { remote_answered(status); });
}

// True: the command is answered, or will be.  `text` is the command without its tag.
bool Session::route(std::string_view verb, std::string_view text, Scanner arguments)
{
    if (!relay_)
        return false;
    if (is_one_of(verb, {"SELECT", "EXAMINE"}))
        return route_select(text, arguments);
    bool uid = util::equal_nocase(verb, "UID");
    std::string_view inner = verb;
    Scanner inner_arguments = arguments;
    if (uid) {
        inner_arguments.skip(' ');
        auto word = inner_arguments.atom();
        if (!word.ok())
            return false;
        inner = *word;
    }
    if ((view_ || relay_->selected()) && is_one_of(inner, {"COPY", "MOVE"}))
        return route_copy(uid, util::equal_nocase(inner, "MOVE"), text, inner_arguments);
    if ((view_ || relay_->selected()) && util::equal_nocase(inner, "REPLACE"))
        return route_replace(text, inner_arguments);
    if (relay_->selected()) {
        const std::string owner = relay_->selected_owner();
        if (uid ||
            is_one_of(verb, {"FETCH", "STORE", "SEARCH", "SORT", "THREAD", "EXPUNGE", "CHECK", "NOOP", "CANCELUPDATE"})) {
            forward(owner, text);
            return true;
        }
        if (is_one_of(verb, {"CLOSE", "UNSELECT"})) {
            wait_for_remote();
            relay_->command(owner, std::string(text), [this](std::string_view status) {
                if (util::starts_with_nocase(status, "OK"))
                    relay_->set_selected({});
                remote_answered(status);
            });
            return true;
        }
        if (util::equal_nocase(verb, "IDLE") && arguments.at_end()) {
            output_ += "+ idling\r\n";
            idling_ = remote_idle_ = true;
            relay_->command(owner, "IDLE", [this](std::string_view status) {
                remote_idle_ = idling_ = false;
                remote_answered(status);
            });
            return true;
        }
    }
    return route_named(verb, text, arguments);
}

// Commands that name a mailbox.
bool Session::route_named(std::string_view verb, std::string_view text, Scanner arguments)
{
    std::string name;
    if (util::equal_nocase(verb, "GETMETADATA")) {
        auto wish = parse_getmetadata(arguments);
        if (!wish.ok())
            return false;
        name = wish->mailbox;
    } else if (is_one_of(verb, {"APPEND", "STATUS", "CREATE", "DELETE", "RENAME", "GETACL", "SETACL", "DELETEACL", "LISTRIGHTS",
                                "MYRIGHTS", "SETMETADATA", "GETQUOTAROOT", "GETQUOTA", "SETQUOTA"})) {
        if (!arguments.skip(' '))
            return false;
        auto given = arguments.mailbox();
        if (!given.ok())
            return false;
        name = given.take();
        if (is_one_of(verb, {"GETQUOTA", "SETQUOTA"})) {   // of a single mailbox's root
            if (!name.starts_with(mailbox_quota_prefix))
                return false;
            name.erase(0, mailbox_quota_prefix.size());
        }
    } else {
        return false;
    }
    auto owner = other_owner(name);
    if (util::equal_nocase(verb, "RENAME")) {
        arguments.skip(' ');
        auto to = arguments.mailbox();
        if (!to.ok())
            return false;
        if (owner != other_owner(*to)) {
            no("[CANNOT] A mailbox cannot be renamed into those of another user");
            return true;
        }
    }
    if (!owner)
        return false;
    forward(*owner, text);
    return true;
}

bool Session::route_select(std::string_view text, Scanner arguments)
{
    arguments.skip(' ');
    auto name = arguments.mailbox();
    if (!name.ok())
        return false;
    auto owner = other_owner(*name);
    std::string before = relay_->selected_owner();
    if (!before.empty() && owner != before) {
        // Its own link may stay as the last one used; nothing is selected there any more.
        untagged("OK [CLOSED] The previous mailbox is closed");
        relay_->command(before, "UNSELECT", [](std::string_view) {}, [](std::string_view) {});
        relay_->set_selected({});
    }
    if (!owner)
        return false;
    if (view_)
        untagged("OK [CLOSED] The previous mailbox is closed");
    leave_mailbox();
    wait_for_remote();
    remote_name_ = *name;
    relay_->set_selected({});
    relay_->command(*owner, non_synchronizing(text), [this, owner = *owner](std::string_view status) {
        if (util::starts_with_nocase(status, "OK"))
            relay_->set_selected(owner);
        remote_answered(status);
    });
    return true;
}

bool Session::route_replace(std::string_view text, Scanner arguments)
{
    arguments.skip(' ');
    if (!arguments.sequence_set().ok() || !arguments.skip(' '))
        return false;
    auto name = arguments.mailbox();
    if (!name.ok())
        return false;
    auto owner = other_owner(*name);
    std::optional<std::string> here;
    if (relay_->selected())
        here = relay_->selected_owner();
    if (owner != here) {
        no("[CANNOT] A message of one user cannot be replaced by one of another");
        return true;
    }
    if (!owner)
        return false;
    forward(*owner, text);
    return true;
}

// --- URLFETCH --------------------------------------------------------------------------------------

// The other process may tell of the one URL that it is asked for, once, and beside that only news of its own mailbox, if
// that is the selected one.
void Session::ask_for_url(const std::string& owner, const UrlRequest& request,
                          std::function<void(bool told, bool later)> answered)
{
    auto told = std::make_shared<bool>(false);
    wait_for_remote();
    relay_->command(
        owner, url_fetch_text(request),
        [this, told, answered = std::move(answered)](std::string_view status) {
            if (finished_)
                return;
            auto before = output_.size();
            then_ = nullptr;
            answered(*told, util::starts_with_nocase(status, "NO [UNAVAILABLE]") ||
                                util::starts_with_nocase(status, "NO [CORRUPTION]"));
            advance();
            count_output(before);
        },
        [this, told, owner, url = request.url](std::string_view response) {
            Scanner scanner(response);
            if (scanner.skip_word("* URLFETCH ")) {
                auto named = scanner.astring();
                if (*told || !named.ok() || *named != url)
                    return;
                *told = true;
            } else if (owner != relay_->selected_owner()) {
                return;
            }
            output_ += response;
            bytes_out_ += response.size();
        });
}

}  // namespace imapd::engine
