// SEARCH: RFC 9051 §6.4.4, ESEARCH: RFC 4731, SEARCHRES: RFC 5182, MODSEQ: RFC 7162 §3.1.5.
#include "imapd/engine/fetch_task.h"
#include "imapd/engine/search_answer.h"
#include "imapd/engine/search_context.h"
#include "imapd/engine/search_walk.h"

namespace imapd::engine {

using syntax::Scanner;

namespace {

class SearchTask final : public Task {
public:
    SearchTask(Session& session, SearchArguments search)
        : session_(session), answer_(search),
          context_(search.update ? std::make_unique<SearchContext>(session, search, std::vector<SortCriterion>()) : nullptr),
          walk_(session, std::move(search.key), session.message_limit())
    {
    }

    bool step(util::Instant until) override
    {
        if (!walk_.step(until))
            return false;
        answer_.tell(session_, "SEARCH", walk_.hits(), walk_);
        // Of messages that it has not looked at a context could not tell when they leave.
        if (context_ && !walk_.limited().empty())
            session_.tell_no_update(context_->tag(), "Not all of these messages were looked at");
        else if (context_) {
            std::vector<ContextMessage> messages;
            for (const auto& hit : walk_.hits())
                messages.push_back({hit.uid, {}});
            context_->begin(std::move(messages));
            session_.add_context(std::move(*context_));
        }
        end_search(session_, "SEARCH", walk_);
        return true;
    }
    bool waits() const override { return walk_.waits(); }

private:
    Session& session_;
    SearchAnswer answer_;
    std::unique_ptr<SearchContext> context_;
    SearchWalk walk_;
};

}  // namespace

void end_search(Session& session, std::string_view verb, const SearchWalk& walk)
{
    if (walk.gave_up())
        return session.no("[LIMIT] This search takes more time or memory than it may");
    FetchOrder order;
    order.verb = verb;
    order.limited = walk.limited();
    order.end = walk.unreadable() ? End::Unreadable : End::Normal;
    end_fetch(session, order);
}

Session::Answer Session::begin_search(const util::Result<void>& parsed, SearchArguments& search,
                                      const std::function<std::unique_ptr<Task>()>& task)
{
    if (!parsed.ok() && parsed.error().kind != util::Kind::Permanent)
        return parsed.error();
    if (!parsed.ok()) {
        if (search.save)
            saved_.clear();  // RFC 5182 §2.1: after NO there is nothing
        no(parsed.error().text);
        return {};
    }
    // RFC 5267 §4.3.
    if (search.update &&
        std::any_of(contexts_.begin(), contexts_.end(), [this](const auto& context) { return context.tag() == tag_; }))
        return util::invalid("Tag reuse: results of a command with this tag are followed already");
    if (search.update_items.has_modseq)
        use_condstore();
    if (enabled_.uid_only && search.key.uses(SearchKey::Kind::Sequence))
        return util::invalid("[UIDREQUIRED] Messages are named by their UIDs here");
    if (search.key.uses(SearchKey::Kind::Modseq))
        use_condstore();
    start(task());
    return {};
}

Session::Answer Session::search(Scanner& arguments)
{
    TRY(arguments.space());
    SearchArguments search;
    search.charset_is_fixed = enabled_.utf8;
    search.uid_bounds = message_limit() > 0;
    auto parsed = parse_search(arguments, search);
    if (enabled_.rev2 && !search.extended)  // RFC 9051 §6.4.4: ESEARCH always
        search.extended = search.all = true;
    return begin_search(parsed, search, [&] { return std::make_unique<SearchTask>(*this, std::move(search)); });
}

}  // namespace imapd::engine
