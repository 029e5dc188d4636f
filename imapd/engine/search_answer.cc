// What SEARCH and SORT say of their result.
#include "imapd/engine/search_answer.h"

#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

std::uint32_t number(const Session& session, const Hit& hit)
{
    return session.uid_form() ? hit.uid : hit.number;
}

void append_set(Session& session, const std::vector<Hit>& hits, IndexRange range)
{
    syntax::SetWriter set(session.output());
    for (auto i = range.begin; i < range.end; ++i)
        set.add(number(session, hits[i]));
    set.finish();
}

// RFC 6203 §4: the best of all has 100.
void append_relevancies(std::string& out, const std::vector<Hit>& hits, IndexRange range)
{
    int best = 1;
    for (const auto& hit : hits)
        best = std::max<int>(best, hit.relevancy);
    out += " RELEVANCY (";
    for (auto i = range.begin; i < range.end; ++i)
        util::append(out, i == range.begin ? "" : " ", std::max(1, hits[i].relevancy * 100 / best));
    out += ')';
}

}  // namespace

SearchAnswer::SearchAnswer(const SearchArguments& search)
    : extended_(search.extended), min_(search.min), max_(search.max), count_(search.count), all_(search.all),
      save_(search.save),
      relevancy_(search.relevancy), tells_modseq_(search.key.uses(SearchKey::Kind::Modseq)), partial_(search.partial)
{
}

void SearchAnswer::tell(Session& session, std::string_view verb, const std::vector<Hit>& hits,
                        const SearchWalk& walk) const
{
    if (save_)
        save(session, hits);
    if (!extended_)
        plain(session, verb, hits, walk);
    else if (returns_something())  // RFC 5182 §2.1: SAVE alone returns nothing
        extended(session, hits, walk);
    // RFC 5182 §2.1: after NO nothing is saved.
    if (save_ && walk.unreadable())
        session.save({});
}

void SearchAnswer::plain(Session& session, std::string_view verb, const std::vector<Hit>& hits,
                         const SearchWalk& walk) const
{
    auto& out = session.output();
    util::append(out, "* ", verb);
    for (const auto& hit : hits) {
        out += ' ';
        syntax::append_number(out, number(session, hit));
    }
    if (tells_modseq_ && !hits.empty())
        util::append(out, " (MODSEQ ", modseq(session, hits, walk), ")");
    out += "\r\n";
}

void SearchAnswer::extended(Session& session, const std::vector<Hit>& hits, const SearchWalk& walk) const
{
    auto& out = session.output();
    out += "* ESEARCH (TAG ";
    syntax::append_string(out, session.tag());
    out += session.uid_form() ? ") UID" : ")";
    if (min_ && !hits.empty())
        util::append(out, " MIN ", number(session, hits.front()));
    if (max_ && !hits.empty())
        util::append(out, " MAX ", number(session, hits.back()));
    if (count_)
        util::append(out, " COUNT ", hits.size());
    if (all_ && !hits.empty()) {
        out += " ALL ";
        append_set(session, hits, {0, hits.size()});
    }
    if (partial_) {
        auto page = partial_->of(hits.size());
        util::append(out, " PARTIAL (", partial_->text, " ");
        if (page.begin == page.end)
            out += "NIL";
        append_set(session, hits, page);
        out += ')';
    }
    if (relevancy_)
        append_relevancies(out, hits, partial_ ? partial_->of(hits.size()) : IndexRange{0, hits.size()});
    if (tells_modseq_ && !hits.empty())
        util::append(out, " MODSEQ ", modseq(session, hits, walk));
    out += "\r\n";
}

// RFC 4731 §3.2: of the messages that are told, when these are MIN and MAX alone.  Never more than may
// be shown: a higher one is told when it is safe.
store::Lsn SearchAnswer::modseq(const Session& session, const std::vector<Hit>& hits, const SearchWalk& walk) const
{
    auto modseq = walk.highest_modseq();
    if (extended_ && !all_ && !count_ && !partial_ && (min_ || max_))
        modseq = std::max(min_ ? hits.front().modseq : 0, max_ ? hits.back().modseq : 0);
    return std::min(modseq, session.store().visible());
}

// RFC 5182 §2.1, RFC 9394 §3.2: all of them, unless only MIN, MAX or a page of them is asked for.
void SearchAnswer::save(Session& session, const std::vector<Hit>& hits) const
{
    std::vector<std::uint32_t> uids;
    auto add = [&](IndexRange range) {
        for (auto i = range.begin; i < range.end; ++i)
            uids.push_back(hits[i].uid);
    };
    if (all_ || count_ || !returns_something()) {
        add({0, hits.size()});
    } else if (!hits.empty()) {
        if (partial_)
            add(partial_->of(hits.size()));
        if (min_)
            add({0, 1});
        if (max_)
            add({hits.size() - 1, hits.size()});
    }
    std::sort(uids.begin(), uids.end());
    uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
    session.save(std::move(uids));
}

}  // namespace imapd::engine
