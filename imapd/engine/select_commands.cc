// Opening and closing a mailbox, and EXPUNGE: RFC 9051 §6.3.2, §6.3.3, §6.4.1 to §6.4.3.
#include "imapd/engine/session.h"

#include "imapd/engine/format.h"
#include "imapd/engine/message_limit.h"
#include "imapd/engine/slices.h"
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
    auto parameters = TRY(parse_select_parameters(arguments));
    if (parameters.resync && !enabled_.qresync)
        return util::invalid("QRESYNC is not enabled");
    if (parameters.resync && enabled_.uid_only && !parameters.resync->match_uids.empty())
        return util::invalid("[UIDREQUIRED] Messages are named by their UIDs here");
    parameters.read_only = read_only;
    // RFC 3501 §6.3.1: a failed SELECT leaves no mailbox selected.  RFC 9051 §6.3.2: CLOSED.
    if (view_)
        untagged("OK [CLOSED] The previous mailbox is closed");
    leave_mailbox();
    const auto* mailbox = open_mailbox(name, "NONEXISTENT", right::Read);
    if (!mailbox)
        return {};
    if (parameters.condstore || parameters.resync)
        enabled_.condstore = true;
    if (!parameters.resync)
        open_view(mailbox->id, parameters);
    else  // what was expunged a moment ago must be sure to stay so before it is told
        await_visible(mailbox->highest_modseq,
                      [this, id = mailbox->id, parameters] { open_view(id, parameters); });
    return {};
}

void Session::open_view(store::MailboxId id, const SelectParameters& parameters)
{
    auto mailbox = store_.share(id);
    if (!mailbox.ok())
        return refuse(mailbox.error());
    if (!(rights_on(**mailbox) & right::Read))   // it went while this waited
        return no("[NOPERM] You may no longer read this mailbox");
    auto outline = store_.outline(id);
    if (!outline.ok())
        return refuse(outline.error());
    view_ = std::make_unique<View>(store_, *mailbox, std::move(outline->uids), parameters.read_only);
    tell_selected(**mailbox, *outline);
    // RFC 4314 §5.2; \Seen is not among the flags that readers share.
    constexpr Rights changing = right::Insert | right::Expunge | right::Write | right::DeleteMessages;
    bool changes = !parameters.read_only && (rights_on(**mailbox) & changing);
    std::string_view code = changes ? "[READ-WRITE] " : "[READ-ONLY] ";
    if (parameters.resync)
        resync(*parameters.resync, code);
    else
        ok(util::concat(code, verb_, " completed"));
}

// Its sequence number; 0: all have been seen.
std::uint32_t Session::first_unseen(const store::MailboxFacts& mailbox, const store::Outline& outline) const
{
    if (!is_guest())
        return outline.first_unseen == 0 ? 0 : view_->sequence_of(outline.first_unseen);
    for (std::size_t i = 0; i < view_->count(); ++i)
        if (!mailbox.seen_by(facts_.guest, view_->uid_at(i)))
            return std::uint32_t(i + 1);
    return 0;
}

void Session::tell_selected(const store::MailboxFacts& mailbox, const store::Outline& outline)
{
    tell_flags_of(mailbox);
    untagged(util::concat(view_->count(), " EXISTS"));
    if (!enabled_.rev2)
        untagged(util::concat(view_->recent_count(), " RECENT"));
    if (!enabled_.rev2 && !enabled_.uid_only)
        if (auto first = first_unseen(mailbox, outline); first > 0)
            untagged(util::concat("OK [UNSEEN ", first, "] First unseen"));
    untagged(util::concat("OK [UIDVALIDITY ", mailbox.uid_validity, "] UIDs are valid"));
    untagged(util::concat("OK [UIDNEXT ", outline.uid_next, "] Predicted next UID"));
    untagged(util::concat("OK [HIGHESTMODSEQ ", highest_modseq(mailbox), "] Highest"));
    std::string id;
    append_mailbox_id(id, mailbox.id);
    untagged(util::concat("OK [MAILBOXID (", id, ")] Its identity"));
    url_key_told_ = url_key_lsn();
    if (facts_.tls && !is_guest() && offers_urls())   // RFC 4467 §10: not where others can listen
        untagged("OK [URLMECH INTERNAL] How URLs are authorized");
    if (enabled_.rev2) {
        output_ += "* LIST () \"/\" ";
        append_name(output_, mailbox.name);
        output_ += "\r\n";
    }
}

std::vector<std::uint32_t> Session::deleted_uids(const std::vector<IndexRange>& among) const
{
    std::vector<std::uint32_t> uids;
    if (!view_->facts() || view_->facts()->deleted == 0)
        return uids;
    std::size_t hint = 0;
    for (const auto& range : among)
        for (std::size_t i = range.begin; i < range.end; ++i)
            if (const auto* entry = view_->entry_at(i, hint); entry && (entry->flags & store::Deleted))
                uids.push_back(entry->uid);
    return uids;
}

// RFC 7162 §3.2.7: all up to there has been told.
std::string Session::told_modseq_code() const
{
    return enabled_.qresync && view_->facts() ? util::concat("[HIGHESTMODSEQ ", told_modseq(), "] ") : std::string();
}

void Session::before_expunging(std::size_t messages, std::function<void()> then)
{
    if (messages <= max_at_once)
        return then();
    prepare([this, messages] { return store_.prepare_expunge(messages, pace_interval); }, std::move(then));
}

void Session::expunge_among(const std::vector<IndexRange>& ranges, bool limits)
{
    if (!view_->mailbox() || !(selected_rights() & right::Expunge))
        return no("[NOPERM] You have no right to do that");   // any more
    auto uids = deleted_uids(ranges);
    std::string limited;
    if (auto limit = message_limit(); limits && limit > 0 && keep_highest(uids, limit))
        limited = message_limit_code(limit, uids.front());
    expunge_uids(std::move(uids), limited);
}

void Session::expunge_uids(std::vector<std::uint32_t> uids, const std::string& limited)
{
    auto text = util::concat(verb_, " completed");
    if (uids.empty())
        return ok(text);
    auto lsn = store_.expunge(view_->id(), uids);
    if (!lsn.ok())
        return refuse(lsn.error());
    expunged_ += uids.size();
    await(*lsn, [this, text, limited] {
        tell_news(true, true);
        ok_limited(limited, told_modseq_code(), text);
    });
}

Session::Answer Session::expunge(Scanner& arguments)
{
    TRY(arguments.end());
    if (writable() && selected_permits(right::Expunge))
        before_expunging(view_->mailbox()->deleted, [this] { expunge_among({{0, view_->count()}}, false); });
    return {};
}

// RFC 4315 §2.1.
Session::Answer Session::uid_expunge(Scanner& arguments)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.end());
    auto ranges = TRY(select(set));
    if (writable() && selected_permits(right::Expunge))
        before_expunging(view_->mailbox()->deleted, [this, ranges] { expunge_among(ranges, true); });
    return {};
}

// RFC 3501 §6.4.2: without untagged EXPUNGE; a mailbox open for reading only keeps its mail.
Session::Answer Session::close(Scanner& arguments)
{
    TRY(arguments.end());
    const auto* facts = view_->facts();
    std::size_t deleted = facts && !view_->read_only() ? facts->deleted : 0;
    if (deleted > 0)
        if (auto loaded = view_->load(); !loaded.ok()) {
            refuse(loaded.error());
            return {};
        }
    before_expunging(deleted, [this] { close_selected(); });
    return {};
}

void Session::close_selected()
{
    std::vector<std::uint32_t> uids;
    if (!view_->read_only() && (selected_rights() & right::Expunge))   // RFC 4314 §4
        uids = deleted_uids({{0, view_->count()}});
    auto mailbox = view_->id();
    leave_mailbox();
    if (uids.empty())
        return ok("CLOSE completed");
    auto lsn = [&] {
        Own own(*this, mailbox);
        return store_.expunge(mailbox, uids);
    }();
    if (!lsn.ok())
        return refuse(lsn.error());
    expunged_ += uids.size();
    await(*lsn, [this] { ok("CLOSE completed"); });
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
