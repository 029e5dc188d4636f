// COPY and MOVE: RFC 3501 §6.4.7, RFC 4315 (COPYUID), RFC 6851.
#include "imapd/engine/session.h"

#include "imapd/syntax/sequence_set.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

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

// The store copies all messages or none (RFC 3501 §6.4.7), by reference, so one call does it.
Session::Answer Session::transfer(Scanner& arguments, bool moving)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    TRY(arguments.end());
    auto ranges = TRY(select(set));
    if (moving && !writable())
        return {};
    const auto* target = open_mailbox(name, "TRYCREATE");
    if (!target)
        return {};
    std::vector<std::uint32_t> uids;
    bool missing = false;
    std::size_t hint = 0;
    for (const auto& range : ranges) {
        for (std::size_t i = range.begin; i < range.end; ++i) {
            if (view_->entry_at(i, hint))
                uids.push_back(view_->uid_at(i));
            else
                missing = true;
        }
    }
    // RFC 2180 §4.4.1: nothing is copied when a message named by its number is gone.
    if (missing && !uid_form_) {
        no("[EXPUNGEISSUED] Some of these messages no longer exist");
        return {};
    }
    if (uids.empty()) {
        ok(util::concat(verb_, " completed; there was nothing to do"));
        return {};
    }
    auto copied = moving ? store_.move(view_->id(), uids, target->id)
                         : store_.copy(view_->id(), uids, target->id);
    if (!copied.ok()) {
        refuse(copied.error());
        return {};
    }
    auto code = copyuid(*copied);
    if (!moving) {
        await(copied->lsn, [this, code] { ok(util::concat(code, " COPY completed")); });
        return {};
    }
    // RFC 6851 §4.3: COPYUID in an untagged OK, before the EXPUNGEs.
    expunged_ += uids.size();
    await(copied->lsn, [this, code] {
        untagged(util::concat("OK ", code, " Moved"));
        tell_news(true);
        ok("MOVE completed");
    });
    return {};
}

}  // namespace imapd::engine
