// Opening and closing a mailbox, and EXPUNGE: RFC 3501 §6.3.1, §6.3.2, §6.4.1 to §6.4.3.
#include "imapd/engine/session.h"

#include "imapd/engine/format.h"
#include "libstore/visibility.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

Session::Answer Session::select_mailbox(Scanner& arguments)
{
    return open_selected(arguments, false);
}

Session::Answer Session::examine(Scanner& arguments)
{
    return open_selected(arguments, true);
}

Session::Answer Session::open_selected(Scanner& arguments, bool read_only)
{
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    // RFC 3501 §6.3.1: a failed SELECT leaves no mailbox selected.
    leave_mailbox();
    const auto* mailbox = open_mailbox(name, "NONEXISTENT");
    if (!mailbox)
        return {};
    view_ = std::make_unique<View>(store_, *mailbox, read_only);

    std::string flags;
    append_flags(flags, ~store::Flags(0), ~store::Keywords(0), *mailbox, false);
    untagged(util::concat("FLAGS ", flags));
    if (read_only) {
        untagged("OK [PERMANENTFLAGS ()] Nothing can be changed");
    } else {
        flags.pop_back();
        if (mailbox->keywords.size() < store::max_keywords)
            flags += " \\*";
        untagged(util::concat("OK [PERMANENTFLAGS ", flags, ")] Flags that can be changed"));
    }
    view_->tell_keywords();
    untagged(util::concat(view_->count(), " EXISTS"));
    untagged(util::concat(view_->recent_count(), " RECENT"));
    if (mailbox->unseen > 0) {
        std::size_t first = 0;
        while (first < view_->count() && (mailbox->entries[first].flags & store::Seen))
            ++first;
        if (first < view_->count())
            untagged(util::concat("OK [UNSEEN ", first + 1, "] First unseen"));
    }
    untagged(util::concat("OK [UIDVALIDITY ", mailbox->uid_validity, "] UIDs are valid"));
    untagged(util::concat("OK [UIDNEXT ", store::visible_uid_next(*mailbox, view_->count()),
                          "] Predicted next UID"));
    ok(read_only ? "[READ-ONLY] EXAMINE completed" : "[READ-WRITE] SELECT completed");
    return {};
}

std::vector<std::uint32_t> Session::deleted_uids(const std::vector<IndexRange>& among) const
{
    std::vector<std::uint32_t> uids;
    if (!view_->mailbox() || view_->mailbox()->deleted == 0)
        return uids;
    std::size_t hint = 0;
    for (const auto& range : among)
        for (std::size_t i = range.begin; i < range.end; ++i)
            if (const auto* entry = view_->entry_at(i, hint); entry && (entry->flags & store::Deleted))
                uids.push_back(entry->uid);
    return uids;
}

void Session::expunge_uids(std::vector<std::uint32_t> uids)
{
    auto text = util::concat(verb_, " completed");
    if (uids.empty())
        return ok(text);
    auto lsn = store_.expunge(view_->id(), uids);
    if (!lsn.ok())
        return refuse(lsn.error());
    expunged_ += uids.size();
    await(*lsn, [this, text] {
        tell_news(true);
        ok(text);
    });
}

Session::Answer Session::expunge(Scanner& arguments)
{
    TRY(arguments.end());
    if (writable())
        expunge_uids(deleted_uids({{0, view_->count()}}));
    return {};
}

// RFC 4315 §2.1.
Session::Answer Session::uid_expunge(Scanner& arguments)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.end());
    if (writable())
        expunge_uids(deleted_uids(view_->select_uids(set)));
    return {};
}

// RFC 3501 §6.4.2: without untagged EXPUNGE; a mailbox open for reading only keeps its mail.
Session::Answer Session::close(Scanner& arguments)
{
    TRY(arguments.end());
    std::vector<std::uint32_t> uids;
    if (!view_->read_only())
        uids = deleted_uids({{0, view_->count()}});
    auto mailbox = view_->id();
    leave_mailbox();
    if (uids.empty()) {
        ok("CLOSE completed");
        return {};
    }
    auto lsn = store_.expunge(mailbox, uids);
    if (!lsn.ok()) {
        refuse(lsn.error());
        return {};
    }
    expunged_ += uids.size();
    await(*lsn, [this] { ok("CLOSE completed"); });
    return {};
}

// RFC 3691.
Session::Answer Session::unselect(Scanner& arguments)
{
    TRY(arguments.end());
    leave_mailbox();
    ok("UNSELECT completed");
    return {};
}

// RFC 3501 §6.4.1: a checkpoint; here all flag changes so far reach the disk before the answer.
Session::Answer Session::check(Scanner& arguments)
{
    TRY(arguments.end());
    store_.flush(true);
    await(store_.last(), [this] { ok("CHECK completed"); });
    return {};
}

}  // namespace imapd::engine
