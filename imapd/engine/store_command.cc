// STORE: RFC 9051 §6.4.6, UNCHANGEDSINCE: RFC 7162 §3.1.3.
#include "imapd/engine/session.h"

#include "imapd/engine/fetch_task.h"
#include "imapd/engine/flag_list.h"
#include "imapd/engine/message_limit.h"
#include "imapd/syntax/sequence_set.h"
#include "libutil/text.h"

namespace imapd::engine {

using syntax::Scanner;

namespace {

struct StoreArguments {
    syntax::SequenceSet set;
    store::FlagChange change;
    bool silent = false;
};

util::Result<StoreArguments> parse_store(Scanner& arguments)
{
    StoreArguments store;
    TRY(arguments.space());
    store.set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    if (arguments.skip('(')) {
        if (!arguments.skip_word("UNCHANGEDSINCE "))
            return util::invalid("Unknown STORE modifier");
        store.change.unchanged_since = TRY(arguments.number(INT64_MAX));
        TRY(arguments.expect(')'));
        TRY(arguments.space());
    }
    store.change.operation = store::FlagOperation::Replace;
    if (arguments.skip('+'))
        store.change.operation = store::FlagOperation::Add;
    else if (arguments.skip('-'))
        store.change.operation = store::FlagOperation::Remove;
    if (!arguments.skip_word("FLAGS"))
        return util::invalid("FLAGS expected");
    store.silent = arguments.skip_word(".SILENT");
    TRY(arguments.space());
    auto list = TRY(parse_flag_list(arguments, true));
    TRY(arguments.end());
    store.change.flags = list.flags;
    store.change.keywords = std::move(list.keywords);
    return store;
}

// "[MODIFIED 7,9] ", by the form of the command.
std::string modified_code(const std::vector<std::uint32_t>& uids, const View& view, bool uid_form)
{
    if (uids.empty())
        return {};
    std::string code = "[MODIFIED ";
    syntax::SetWriter set(code);
    for (auto uid : uids)
        set.add(uid_form ? uid : view.sequence_of(uid));
    set.finish();
    return code + "] ";
}

}  // namespace

// One change of the store for all messages; the answer does not wait for the disk (flag changes
// are synced within flag_sync_delay), but where it shows modseqs it waits until these are reserved.
Session::Answer Session::store_flags(Scanner& arguments)
{
    auto store = TRY(parse_store(arguments));
    auto ranges = TRY(select(store.set));
    FetchOrder order;
    order.verb = "STORE";
    if (auto limit = message_limit(); limit > 0 && keep_highest(ranges, limit))
        order.limited = message_limit_code(limit, view_->uid_at(ranges.front().begin));
    if (store.change.unchanged_since)
        use_condstore();
    if (!writable())
        return {};
    // RFC 4314 §4: a right to change one of these flags is enough for a tagged OK.
    bool touches_keywords = !store.change.keywords.empty();
    bool replaces = store.change.operation == store::FlagOperation::Replace;
    auto changeable = changeable_flags(selected_rights());
    bool may = (store.change.flags & changeable) || (touches_keywords && (selected_rights() & right::Write)) ||
               (replaces && changeable) || (!store.change.flags && !touches_keywords);
    if (!may) {
        no("[NOPERM] You have no right to change these flags");
        return {};
    }
    bool missing = false;
    auto uids = present_uids(ranges, missing);
    std::vector<std::uint32_t> modified;
    if (!uids.empty()) {
        auto before = store_.last();
        store.change.changeable = changeable;
        store.change.changes_keywords = selected_rights() & right::Write;
        auto changed = change_flags(view_->id(), uids, std::move(store.change));
        if (!changed.ok()) {
            refuse(changed.error());
            return {};
        }
        view_->told(before, store_.last());
        modified = std::move(changed->modified);
        look_again(uids);
    }
    // RFC 2180 §4.2: the others are changed, and the client hears that some are gone.
    order.end = missing && !uid_form_ ? End::Missing : End::Normal;
    order.code = modified_code(modified, *view_, uid_form_);
    // RFC 7162 §3.1.3: a changed message's modseq is told whether or not its flags are.
    if (store.silent && !enabled_.condstore) {
        end_fetch(*this, order);
        return {};
    }
    order.ranges = without(ranges, modified);
    if (uid_form_ || enabled_.rev2 || enabled_.condstore)
        order.items.items.emplace_back().kind = FetchItem::Kind::Uid;
    if (!store.silent)
        order.items.items.emplace_back().kind = FetchItem::Kind::Flags;
    order.items.has_flags = !store.silent;
    if (enabled_.condstore)
        order.items.add_modseq();
    start(make_fetch_task(*this, std::move(order)));
    return {};
}

std::vector<IndexRange> Session::without(const std::vector<IndexRange>& ranges,
                                         const std::vector<std::uint32_t>& uids) const
{
    if (uids.empty())
        return ranges;
    std::vector<IndexRange> out;
    auto next = uids.begin();
    for (const auto& range : ranges) {
        auto begin = range.begin;
        for (auto i = range.begin; i < range.end; ++i) {
            auto uid = view_->uid_at(i);
            while (next != uids.end() && *next < uid)
                ++next;
            if (next == uids.end() || *next != uid)
                continue;
            if (begin < i)
                out.push_back({begin, i});
            begin = i + 1;
        }
        if (begin < range.end)
            out.push_back({begin, range.end});
    }
    return out;
}

}  // namespace imapd::engine
