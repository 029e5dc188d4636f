// STORE: RFC 3501 §6.4.6.
#include "imapd/engine/session.h"

#include "imapd/engine/fetch_task.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

// One change of the store for all messages; the answer does not wait for the disk (flag changes
// are synced within flag_sync_delay).
Session::Answer Session::store_flags(Scanner& arguments)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    store::FlagChange change;
    change.operation = store::FlagOperation::Replace;
    if (arguments.skip('+'))
        change.operation = store::FlagOperation::Add;
    else if (arguments.skip('-'))
        change.operation = store::FlagOperation::Remove;
    if (!arguments.skip_word("FLAGS"))
        return util::invalid("FLAGS expected");
    bool silent = arguments.skip_word(".SILENT");
    TRY(arguments.space());
    auto list = TRY(parse_flag_list(arguments, true));
    TRY(arguments.end());
    auto ranges = TRY(select(set));
    if (!writable())
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
    change.flags = list.flags;
    change.keywords = std::move(list.keywords);
    if (!uids.empty()) {
        auto before = store_.last();
        auto changed = store_.change_flags(view_->id(), uids, change);
        if (!changed.ok()) {
            refuse(changed.error());
            return {};
        }
        view_->told(before, store_.last());
    }
    // RFC 2180 §4.2: the others are changed, and the client hears that some are gone.
    auto end = missing && !uid_form_ ? End::Missing : End::Normal;
    if (silent)
        end_fetch(*this, "STORE", end);
    else
        start(make_flags_task(*this, std::move(ranges), "STORE", end));
    return {};
}

}  // namespace imapd::engine
