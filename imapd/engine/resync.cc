// Quick resynchronization: RFC 7162 §3.2.
#include "imapd/engine/resync.h"

#include "imapd/engine/fetch_task.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;
using Ranges = std::vector<syntax::SequenceSet::Range>;

namespace {

util::Result<std::vector<std::uint32_t>> numbers(Scanner& arguments)
{
    auto set = TRY(arguments.sequence_set());
    if (set.is_saved() || set.has_star())
        return util::invalid("Numbers expected");
    std::vector<std::uint32_t> out;
    for (const auto& range : set.ranges()) {
        if (range.last < range.first || (!out.empty() && range.first <= out.back()))
            return util::invalid("Ascending numbers expected");
        if (range.last - range.first >= max_match_numbers - out.size())
            return util::invalid("Too many numbers");
        for (auto number = range.first; number <= range.last; ++number)
            out.push_back(number);
    }
    return out;
}

// After "QRESYNC (".
util::Result<Resync> parse_resync(Scanner& arguments)
{
    Resync resync;
    resync.uid_validity = std::uint32_t(TRY(arguments.nz_number()));
    TRY(arguments.space());
    resync.modseq = TRY(arguments.nz_number(INT64_MAX));
    if (arguments.skip(' ') && arguments.peek() != '(') {
        resync.known_uids = TRY(arguments.sequence_set());
        if (resync.known_uids->is_saved() || resync.known_uids->has_star())
            return util::invalid("UIDs expected");
        arguments.skip(' ');
    }
    if (arguments.skip('(')) {
        resync.match_numbers = TRY(numbers(arguments));
        TRY(arguments.space());
        resync.match_uids = TRY(numbers(arguments));
        TRY(arguments.expect(')'));
        if (resync.match_numbers.size() != resync.match_uids.size())
            return util::invalid("As many numbers as UIDs expected");
    }
    TRY(arguments.expect(')'));
    return resync;
}

}  // namespace

util::Result<SelectParameters> parse_select_parameters(Scanner& arguments)
{
    SelectParameters parameters;
    if (arguments.skip(' ')) {
        TRY(arguments.expect('('));
        do {
            if (arguments.skip_atom("CONDSTORE")) {
                parameters.condstore = true;
            } else if (arguments.skip_atom("QRESYNC")) {
                TRY(arguments.space());
                TRY(arguments.expect('('));
                parameters.resync = TRY(parse_resync(arguments));
            } else {
                return util::invalid("Unknown SELECT parameter");
            }
        } while (arguments.skip(' '));
        TRY(arguments.expect(')'));
    }
    TRY(arguments.end());
    return parameters;
}

std::uint32_t Resync::unchanged_up_to(const View& view) const
{
    for (std::size_t i = match_numbers.size(); i-- > 0;)
        if (match_numbers[i] <= view.count() && view.uid_at(match_numbers[i] - 1) == match_uids[i])
            return match_uids[i];
    return 0;
}

Ranges Session::named_uids(const syntax::SequenceSet& set) const
{
    if (!set.is_saved())
        return set.resolve(view_->facts()->uid_next - 1);
    Ranges ranges;
    for (auto uid : saved_)
        ranges.push_back({uid, uid});
    return ranges;
}

// What the view still has was expunged, if at all, without the client's having been told: that comes
// later, without EARLIER.
void Session::tell_vanished(store::Lsn since, const Ranges& among, std::uint32_t after)
{
    std::string list;
    syntax::SetWriter set(list);
    if (auto expunged = store_.expunged_since(view_->id(), since)) {
        for (auto uid : *expunged)
            if (view_->sequence_of(uid) == 0 && syntax::holds(among, uid))
                set.add(uid);
    } else {
        // History does not reach back so far: whatever is not there counts as gone.
        std::uint32_t end = view_->facts()->uid_next;
        for (const auto& range : among) {
            std::uint32_t next = std::max(range.first, after + 1);
            std::uint32_t last = std::min(range.last, end - 1);
            if (next > last)
                continue;
            for (const auto& held : view_->select_uids(syntax::SequenceSet::of(next, last)))
                for (auto i = held.begin; i < held.end; ++i) {
                    if (view_->uid_at(i) > next)
                        set.add(next, view_->uid_at(i) - 1);
                    next = view_->uid_at(i) + 1;
                }
            if (next <= last)
                set.add(next, last);
        }
    }
    set.finish();
    if (!list.empty())
        untagged(util::concat("VANISHED (EARLIER) ", list));
}

// RFC 7162 §3.2.5: what was expunged and what was changed while the client was away, then the answer.
void Session::resync(const Resync& resync, std::string_view code)
{
    FetchOrder order;
    order.verb = verb_;
    order.code = code;
    order.items.items.emplace_back().kind = FetchItem::Kind::Uid;
    order.items.items.emplace_back().kind = FetchItem::Kind::Flags;
    order.items.has_flags = true;
    order.items.add_modseq();
    order.changed_since = resync.modseq;
    if (resync.uid_validity == view_->facts()->uid_validity) {
        auto all = syntax::SequenceSet::of(1, std::max<std::uint32_t>(view_->facts()->uid_next - 1, 1));
        const auto& known = resync.known_uids ? *resync.known_uids : all;
        tell_vanished(resync.modseq, named_uids(known), resync.unchanged_up_to(*view_));
        if (view_->facts()->highest_modseq > resync.modseq)   // else no message need be looked at
            order.ranges = view_->select_uids(known);
    }
    start(make_fetch_task(*this, std::move(order)));
}

}  // namespace imapd::engine
