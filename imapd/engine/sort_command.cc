// SORT: RFC 5256 §3, ESORT: RFC 5267 §3, SORT=DISPLAY: RFC 5957.
#include "imapd/engine/fetch_task.h"
#include "imapd/engine/search_answer.h"
#include "imapd/engine/search_context.h"
#include "imapd/engine/search_walk.h"
#include "imapd/engine/slices.h"
#include "imapd/engine/sort_keys.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

struct Sorted {
    Hit hit;
    std::vector<SortValue> values;
};

// What is moved when they are sorted: most are told apart by the first bytes of their first value.
struct SortPlace {
    SortPrefix prefix{};
    std::uint32_t index = 0;   // in the order of the mailbox
};

class SortTask final : public Task {
public:
    SortTask(Session& session, std::vector<SortCriterion> criteria, SearchArguments search)
        : session_(session), criteria_(std::move(criteria)), answer_(search),
          context_(search.update ? std::make_unique<SearchContext>(session, search, criteria_) : nullptr),
          walk_(session, std::move(search.key))
    {
        walk_.on_hit([this](MessageContent& message, const Hit& hit) { return take(message, hit); });
        found_.reserve(session.view()->count());   // memory is taken when they come
    }

    bool step(util::Instant until) override;
    bool waits() const override { return walk_.waits(); }

private:
    enum class Phase : unsigned char { Walk, Sort, Gather };

    util::Result<void> take(MessageContent& message, const Hit& hit);
    void begin_sorting();
    bool before(const SortPlace& a, const SortPlace& b) const;
    bool gather(Pace& pace);
    void answer();

    Session& session_;
    std::vector<SortCriterion> criteria_;
    SearchAnswer answer_;
    std::unique_ptr<SearchContext> context_;
    SearchWalk walk_;
    Phase phase_ = Phase::Walk;
    std::vector<Sorted> found_;
    std::size_t bytes_ = 0;
    SlicedSort<SortPlace> sort_;
    std::vector<SortPlace> order_;
    std::vector<Hit> hits_;                  // of them, so far
    std::vector<ContextMessage> messages_;   // the same for the context
};

util::Result<void> SortTask::take(MessageContent& message, const Hit& hit)
{
    Sorted sorted{hit, {}};
    sorted.values.reserve(criteria_.size());
    bytes_ += sizeof sorted;
    for (const auto& criterion : criteria_) {
        sorted.values.push_back(TRY(sort_value(message, hit.relevancy, criterion.kind)));
        bytes_ += sizeof(SortValue) + sorted.values.back().text.size();
    }
    if (bytes_ <= max_sort_bytes)
        found_.push_back(std::move(sorted));
    return {};
}

void SortTask::begin_sorting()
{
    std::vector<SortPlace> places;
    places.reserve(found_.size());
    for (const auto& found : found_)
        places.push_back({sort_prefix(criteria_.front(), found.values.front()), std::uint32_t(places.size())});
    sort_.begin(std::move(places));
}

bool SortTask::before(const SortPlace& a, const SortPlace& b) const
{
    if (a.prefix != b.prefix)
        return a.prefix < b.prefix;
    int order = compare_sort_values(criteria_, found_[a.index].values, found_[b.index].values);
    return order != 0 ? order < 0 : a.index < b.index;
}

// Their values are given back, or go to the context.
bool SortTask::gather(Pace& pace)
{
    while (hits_.size() < order_.size()) {
        auto& found = found_[order_[hits_.size()].index];
        hits_.push_back(found.hit);
        if (context_)
            messages_.push_back({found.hit.uid, std::move(found.values)});
        found.values = {};
        if (pace.over())
            return false;
    }
    return true;
}

void SortTask::answer()
{
    answer_.tell(session_, "SORT", hits_, walk_);
    if (context_) {
        context_->begin(std::move(messages_));
        session_.add_context(std::move(*context_));
    }
    end_search(session_, "SORT", walk_);
}

bool SortTask::step(util::Instant until)
{
    if (phase_ == Phase::Walk) {
        bool done = walk_.step(until);
        if (bytes_ > max_sort_bytes) {
            session_.no("[LIMIT] These are too many messages to be sorted");
            return true;
        }
        if (!done)
            return false;
        begin_sorting();
        phase_ = Phase::Sort;
    }
    Pace pace(until);
    if (phase_ == Phase::Sort) {
        if (!sort_.step(pace, [this](const SortPlace& a, const SortPlace& b) { return before(a, b); }))
            return false;
        order_ = sort_.take();
        hits_.reserve(order_.size());
        messages_.reserve(context_ ? order_.size() : 0);
        phase_ = Phase::Gather;
    }
    if (!gather(pace))
        return false;
    answer();
    return true;
}

}  // namespace

Session::Answer Session::sort(Scanner& arguments)
{
    TRY(arguments.space());
    SearchArguments search;
    search.uid_bounds = message_limit() > 0;
    TRY(parse_search_return(arguments, search));
    auto criteria = TRY(parse_sort_criteria(arguments));
    TRY(arguments.space());
    auto parsed = parse_search_program(arguments, search);
    if (parsed.ok() && !search.fuzzy &&
        std::ranges::find(criteria, SortCriterion::Kind::Relevancy, &SortCriterion::kind) != criteria.end())
        return util::invalid("RELEVANCY needs a FUZZY key");   // RFC 6203 §6
    return begin_search(parsed, search, [&] {
        return std::make_unique<SortTask>(*this, std::move(criteria), std::move(search));
    });
}

}  // namespace imapd::engine
