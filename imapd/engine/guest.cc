// What is different for a reader who is not the owner of the store, and what anybody's rights change.
#include "imapd/engine/format.h"
#include "imapd/engine/guest.h"
#include "imapd/engine/session.h"
#include "imapd/syntax/mailbox_name.h"
#include "libconf/group_name.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

namespace imapd::engine {

bool permitted_for_guest(std::string_view verb)
{
    constexpr auto verbs = std::to_array<std::string_view>({
        "FETCH",  "UID",    "STORE",  "SEARCH",   "SORT",   "THREAD",     "NOOP",       "IDLE",     "SELECT",
        "EXAMINE", "STATUS", "LIST",  "APPEND",   "REPLACE", "COPY",      "MOVE",       "EXPUNGE",  "CLOSE",
        "UNSELECT", "CHECK", "CREATE", "DELETE",  "RENAME", "GETACL",     "SETACL",     "DELETEACL", "LISTRIGHTS",
        "MYRIGHTS", "GETMETADATA", "SETMETADATA", "ENABLE", "LOGOUT",     "CAPABILITY", "ID",       "CANCELUPDATE",
        "GETQUOTA", "GETQUOTAROOT", "SETQUOTA",   "URLFETCH"});
    return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

std::string Session::inner_name(std::string name) const
{
    if (!is_guest())
        return name;
    if (!name.starts_with(facts_.guest_prefix))
        return {};
    return syntax::canonical_inbox(std::string_view(name).substr(facts_.guest_prefix.size()));
}

store::Flags Session::flags_of(const store::Entry& entry) const
{
    if (!is_guest())
        return entry.flags;
    const auto* mailbox = view_ ? view_->facts() : nullptr;
    bool seen = mailbox && mailbox->seen_by(facts_.guest, entry.uid);
    return (entry.flags & ~store::Seen) | (seen ? store::Seen : 0);
}

namespace {

// Who may nothing in this mailbox any more.  Of groups it is not known who is in them, nor of "anyone".
std::vector<std::string> readers_without_rights(const store::MailboxFacts& mailbox)
{
    std::set<std::string_view> entitled;
    auto list = AccessList::of(mailbox);
    for (const auto& entry : list.entries()) {
        if (entry.rights == right::None || entry.identifier.starts_with('-'))
            continue;
        if (entry.identifier == conf::anyone || entry.identifier.starts_with(conf::group_prefix))
            return {};
        entitled.insert(entry.identifier);
    }
    std::vector<std::string> others;
    for (const auto& [reader, ranges] : mailbox.readers)
        if (!entitled.contains(reader))
            others.push_back(reader);
    return others;
}

}  // namespace

util::Result<store::FlagsChanged> Session::change_flags(store::MailboxId id, const std::vector<std::uint32_t>& uids,
                                                        store::FlagChange change)
{
    change.reader = facts_.guest;
    auto changed = store_.change_flags(id, uids, change);
    if (changed.ok() || changed.error().code != E2BIG)
        return changed;
    // Not as soon as they lose their rights: these are often taken only to be given anew.
    auto mailbox = store_.facts(id);
    auto gone = mailbox.ok() ? readers_without_rights(**mailbox) : std::vector<std::string>();
    if (gone.empty())
        return changed;
    for (const auto& reader : gone)
        TRY(store_.forget_reader(id, reader));
    return store_.change_flags(id, uids, change);
}

util::Result<store::FlagsChanged> Session::mark_seen(store::MailboxId id, const std::vector<std::uint32_t>& uids)
{
    return change_flags(id, uids, {.flags = store::Seen, .keywords = {}, .unchanged_since = {}, .reader = {}});
}

// RFC 4314 §5.1.1: FLAGS and PERMANENTFLAGS are what these rights permit; who may no longer read is sent away.
void Session::check_access(bool telling)
{
    const auto* mailbox = view_ ? view_->facts() : nullptr;
    if (!mailbox)
        return;
    auto rights = rights_on(*mailbox);
    if (rights == rights_told_ && (rights & right::Read))
        return;
    if (task_ && task_->in_literal()) {
        if (!(rights & right::Read))
            drop();
        return;
    }
    if (!(rights & right::Read))
        return bye("You may no longer read the selected mailbox");
    if (telling)
        tell_flags_of(*mailbox);
}

// FLAGS and PERMANENTFLAGS (RFC 3501 §7.2.6, §7.1).
void Session::tell_flags_of(const store::MailboxFacts& mailbox)
{
    rights_told_ = rights_on(mailbox);
    std::string flags;
    append_flags(flags, ~store::Flags(0), ~store::Keywords(0), mailbox, false);
    untagged(util::concat("FLAGS ", flags));
    auto changeable = changeable_flags(rights_told_);
    bool keywords = rights_told_ & right::Write;
    if (view_->read_only() || (!changeable && !keywords)) {
        untagged("OK [PERMANENTFLAGS ()] Nothing can be changed");
    } else {
        flags.clear();
        append_flags(flags, changeable, keywords ? ~store::Keywords(0) : 0, mailbox, false);
        flags.pop_back();
        // \* says that new keywords can be made.
        if (keywords && mailbox.keywords.size() < store::max_keywords)
            flags += " \\*";
        untagged(util::concat("OK [PERMANENTFLAGS ", flags, ")] Flags that can be changed"));
    }
    view_->tell_keywords();
}

}  // namespace imapd::engine
