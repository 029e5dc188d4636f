// COPY and MOVE: RFC 3501 §6.4.7, RFC 4315 (COPYUID), RFC 6851.
#include "imapd/engine/session.h"

#include "imapd/engine/message_limit.h"
#include "imapd/engine/slices.h"
#include "imapd/syntax/sequence_set.h"
#include "libstore/transfer_space.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

// What a COPY or MOVE is to do.
struct Transfer {
    std::vector<IndexRange> ranges;
    std::string name;
    bool moving = false;
};

namespace {

std::string copyuid(const store::Copied& copied)
{
    auto code = util::concat("[COPYUID ", copied.uid_validity, " ");
    syntax::SetWriter source(code);
    for (auto uid : copied.source)
        source.add(uid);
    source.finish();
    code += ' ';
    syntax::SetWriter target(code);
    for (auto uid : copied.target)
        target.add(uid);
    target.finish();
    code += ']';
    return code;
}

}  // namespace

Session::Answer Session::copy(Scanner& arguments)
{
    return transfer(arguments, false);
}

Session::Answer Session::move(Scanner& arguments)
{
    return transfer(arguments, true);
}

// RFC 4314 §4: flags that this reader has no right to set do not come along.  (Nobody has been shown the copies yet.)
void Session::drop_foreign_flags(const store::MailboxFacts& target, const store::Copied& copied, const std::vector<bool>& seen)
{
    auto rights = rights_on(target);
    if (rights != right::All) {
        store::FlagChange gone{.operation = store::FlagOperation::Remove,
                               .flags = ~changeable_flags(rights) & 31U,
                               .keywords = {},
                               .unchanged_since = {}};
        if (is_guest())
            gone.flags &= ~store::Seen;   // the owner's
        if (!(rights & right::Write))
            gone.keywords = target.keywords;
        (void)store_.change_flags(target.id, copied.target, gone);
    }
    std::vector<std::uint32_t> uids;
    for (std::size_t i = 0; i < copied.target.size() && i < seen.size(); ++i)
        if (seen[i])
            uids.push_back(copied.target[i]);
    if (!uids.empty() && (rights & right::KeepSeen))
        (void)mark_seen(target.id, uids);
}

Session::Answer Session::transfer(Scanner& arguments, bool moving)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    Transfer transfer{.ranges = {}, .name = TRY(arguments.mailbox()), .moving = moving};
    TRY(arguments.end());
    transfer.ranges = TRY(select(set));
    const auto* target = transfer_target(transfer);
    if (!target)
        return {};
    std::size_t messages = message_count(transfer.ranges);
    if (auto limit = message_limit(); limit > 0 && messages > limit)
        messages = moving ? limit : 0;   // carry_out() takes no more, or refuses
    before_copying(messages, target->message_count(),
                   [this, transfer](store::TransferSpace* space) { carry_out(transfer, space); });
    return {};
}

void Session::before_copying(std::size_t messages, std::size_t there, std::function<void(store::TransferSpace*)> then)
{
    if (messages <= max_at_once)
        return then(nullptr);
    const auto& place = store_.transfer_place();
    auto space = std::make_shared<store::TransferSpace>(place, messages, there);
    // One whose client does not read may have the place for long: then it goes without.
    auto may = [space, place, pieces = place->pieces, since = util::now(), wait = facts_.limits.wait_for_space]() mutable {
        if (std::exchange(pieces, place->pieces) != place->pieces)
            since = util::now();
        return space->begin() || util::now() - since >= wait;
    };
    prepare([space] { return !space->begun() || space->prepare(pace_interval); },
            [space, then = std::move(then)] { then(space->begun() ? space.get() : nullptr); }, std::move(may));
}

// Null after a tagged NO.
const store::MailboxFacts* Session::transfer_target(const Transfer& transfer)
{
    // RFC 6851 §4.4: what COPY, STORE and EXPUNGE together would need.
    if (transfer.moving && (!writable() || !selected_permits(right::DeleteMessages | right::Expunge)))
        return nullptr;
    return open_mailbox(transfer.name, "TRYCREATE", right::Insert);
}

// The store copies all messages or none (RFC 3501 §6.4.7), by reference, so one call does it.
void Session::carry_out(const Transfer& transfer, store::TransferSpace* space)
{
    if (!view_->facts())
        return no(removed_text);
    bool moving = transfer.moving;
    const auto* target = transfer_target(transfer);
    if (!target)
        return;
    bool missing = false;
    auto uids = present_uids(transfer.ranges, missing);
    // RFC 2180 §4.4.1: nothing is copied when a message named by its number is gone.
    if (missing && !uid_form_)
        return no("[EXPUNGEISSUED] Some of these messages no longer exist");
    if (uids.empty())
        return ok(util::concat(verb_, " completed; there was nothing to do"));
    std::string limited;
    if (auto limit = message_limit(); limit > 0 && keep_highest(uids, limit))
        limited = message_limit_code(limit, uids.front());
    if (!moving && !limited.empty())   // RFC 9738 §3.1: all or none
        return no(util::concat(limited, " These are too many messages for one command"));
    std::vector<bool> seen;   // by this reader, as far as that is not in the entries
    for (auto uid : uids)
        seen.push_back(is_guest() && view_->facts()->seen_by(facts_.guest, uid));
    auto copied = [&] {
        Own own(*this, target->id);
        return moving ? store_.move(view_->id(), uids, target->id, space) : store_.copy(view_->id(), uids, target->id, space);
    }();
    if (!copied.ok())
        return refuse(copied.error());
    drop_foreign_flags(*target, *copied, seen);
    made_here(target->id, copied->target);
    auto code = copyuid(*copied);
    if (!moving)
        return await(copied->lsn, [this, code] { ok(util::concat(code, " COPY completed")); });
    // RFC 6851 §4.3: COPYUID in an untagged OK, before the EXPUNGEs.
    expunged_ += uids.size();
    await(copied->lsn, [this, code, limited] {
        untagged(util::concat("OK ", code, " Moved"));
        tell_news(true, true);
        ok_limited(limited, told_modseq_code(), "MOVE completed");
    });
}

}  // namespace imapd::engine
