// Search in a mailbox process.
#include "mailbox/search_room.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <sys/mman.h>

#include <algorithm>

namespace mailbox {

namespace {

// When no copy may be made, or the store is at something else, it is tried again so much later.
constexpr util::Duration retry_pause{500'000};
constexpr util::Duration first_failure_pause{2'000'000};
constexpr int feeding_nice = 10;
// With less, the disk is for mail.
constexpr std::uint64_t least_space = 64U << 20;
// As main.cc has it; a copy that does not log through it loses nothing.
constexpr int log_descriptor = 4;
constexpr std::size_t max_opaque = 1000;   // contents; then a copy that dies of one more is in vain

}  // namespace

// Counts itself among the copies that read for as long as its session keeps it.
class SearchRoom::SearchErrand final : public Errand {
public:
    SearchErrand(std::size_t& count, std::unique_ptr<CopyProcess> copy) : count_(count), copy_(std::move(copy)) { ++count_; }
    SearchErrand(const SearchErrand&) = delete;
    SearchErrand& operator=(const SearchErrand&) = delete;
    ~SearchErrand() override
    {
        if (copy_->is_over() && copy_->failed())
            util::log::warning("a search was not finished: ", copy_->failure());
        copy_.reset();
        --count_;
    }
    std::string take() override { return copy_->take(); }
    bool has_news() const override { return copy_->has_news(); }
    bool is_over() const override { return copy_->is_over(); }

private:
    std::size_t& count_;
    std::unique_ptr<CopyProcess> copy_;
};

SearchRoom::SearchRoom(util::EventLoop& loop, const ipc::MailboxSettings& settings, store::Store& store, util::Sandbox fences)
    : loop_(loop), settings_(settings), store_(store), fences_(std::move(fences)), timer_(loop, [this] { feed(); })
{
    void* page = ::mmap(nullptr, sizeof *reading_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    reading_ = std::construct_at(static_cast<std::atomic<store::Lsn>*>(page), store::Lsn(0));
}

SearchRoom::~SearchRoom()
{
    feeding_.reset();
    ::munmap(reading_, sizeof *reading_);
}

// --- for sessions -----------------------------------------------------------------------------------

std::shared_ptr<search::Index> SearchRoom::index()
{
    if (!settings_.search_index)
        return nullptr;
    if (index_ && index_->damaged()) {
        util::log::warning("the search index is damaged, and will be made anew where it is");
        for (const auto& name : index_->useless())
            (void)util::sys::unlinkat(files_->directory(), name);
        index_.reset();
        feed_in(retry_pause);
    }
    if (index_)
        return index_;
    if (!files_) {
        auto files = search::Files::open(settings_.directory);
        if (!files.ok()) {
            util::log::warning("no search index: ", files.error().text);
            return nullptr;
        }
        files_.emplace(files.take());
    }
    auto read = files_->read();
    if (!read.ok()) {
        util::log::warning("no search index: ", read.error().text);
        return nullptr;
    }
    if (!(*read)->useless().empty())
        feed_in(retry_pause);
    index_ = read.take();
    return index_;
}

std::unique_ptr<imapd::engine::SearchAids::Errand> SearchRoom::begin(std::function<void(const Say&)> work)
{
    if (searches_ >= max_search_copies || !may_copy())
        return nullptr;
    CopyLimits limits{.memory = settings_.search_memory_limit, .time = util::Duration(settings_.search_time_limit)};
    const int kept[] = {log_descriptor};
    auto copy = CopyProcess::start(loop_, limits, fences_, kept, work, [] {});   // the host's turn gives the session time
    if (!copy.ok()) {
        util::log::warning("a search is done in slices: ", copy.error().text);
        return nullptr;
    }
    return std::make_unique<SearchErrand>(searches_, copy.take());
}

// --- filling the index ------------------------------------------------------------------------------

void SearchRoom::feed_in(util::Duration pause)
{
    if (!settings_.search_index)
        return;
    due_ = true;
    if (!timer_.running() && !waiting_)
        timer_.start(pause);
}

util::Duration SearchRoom::delay() const
{
    return util::Duration(settings_.search_index_delay);
}

void SearchRoom::mailbox_changed(store::MailboxId id)
{
    if (id == 0 || !settings_.search_index)
        return;
    auto mailbox = store_.mailbox(id);
    if (!mailbox.ok() || (*mailbox)->entries.empty() || (*mailbox)->entries.back().content <= newest_)
        return;
    newest_ = (*mailbox)->entries.back().content;
    if (!feeding_)
        feed_in(std::max(delay(), failures_ > 0 ? first_failure_pause : util::Duration(0)));
}

void SearchRoom::look_whether_complete()
{
    if (looked_ || !settings_.search_index)
        return;
    looked_ = true;
    if (due_ || feeding_)
        return;   // mail has come, and all that is missing is looked for then
    if (!index() || files_->was_complete(store_.last()))
        return;
    feed_in(delay());
}

void SearchRoom::feed()
{
    if (feeding_)
        return;
    if (!may_copy())
        return timer_.start(retry_pause);
    waiting_ = true;
    util::log::verbose("search index: waiting for a turn");
    if (turns_.ask)
        turns_.ask();
}

// What cannot be used at once is not kept from others.
void SearchRoom::turn_given()
{
    if (!std::exchange(waiting_, false))
        return;
    if (!may_copy())
        timer_.start(retry_pause);
    else if (auto begun = begin_feeding(); !begun.ok())
        failed(begun.error().text);
    if (!feeding_)
        give_back();
}

void SearchRoom::give_back()
{
    util::log::verbose("search index: the turn is over");
    if (turns_.over)
        turns_.over();
}

util::Result<void> SearchRoom::begin_feeding()
{
    fed_index_ = index();
    if (!fed_index_)
        return util::temporary("there is no index to be filled");
    if (TRY(util::sys::free_space(files_->directory())).bytes < least_space)
        return util::temporary("the disk is nearly full");
    auto target = TRY(files_->begin());
    fed_last_ = store_.durable();   // what came behind it is for the next time
    reading_->store(0);
    search::FeedOptions options{.memory = std::size_t(settings_.search_memory_limit / 2),
                                .time = util::Duration(settings_.search_time_limit / 2),
                                .opaque = opaque_,
                                .reading = reading_};
    CopyLimits limits{
        .memory = settings_.search_memory_limit, .time = util::Duration(settings_.search_time_limit), .nice = feeding_nice};
    const int kept[] = {log_descriptor, target.get()};
    auto work = [&](const Say& say) {
        auto report = search::feed(store_, *fed_index_, target.get(), options);
        if (report.ok())
            say(report->encode());
        else
            util::log::warning("the search index cannot be filled: ", report.error().text);
    };
    feeding_ = TRY(CopyProcess::start(loop_, limits, fences_, kept, work, [this] {
        if (feeding_->is_over())
            fed();
    }));
    util::log::verbose("search index: being filled");
    due_ = false;
    return {};
}

void SearchRoom::fed()
{
    store::Lsn reading = reading_->load();
    if (feeding_->failed() && reading != 0 && opaque_.size() < max_opaque) {
        util::log::warning("a message stays out of the search index, since a process died of it: ", feeding_->failure());
        opaque_.insert(reading);
    }
    if (auto taken = take_segment(); !taken.ok())
        failed(taken.error().text);
    fed_index_.reset();
    give_back();
}

util::Result<void> SearchRoom::take_segment()
{
    auto copy = std::exchange(feeding_, nullptr);
    auto report = search::FeedReport::decode(copy->take());
    if (copy->failed() || !report)
        return util::temporary(copy->failed() ? copy->failure() : std::string("it said nothing"));
    // A search may have found the index damaged meanwhile, and another has been opened.
    if (fed_index_ != index_)
        return util::temporary("the index has changed meanwhile");
    TRY(files_->adopt(*report, *fed_index_));
    failures_ = 0;
    if (report->range.last != 0) {
        util::log::verbose("search index: ", report->added, " messages added, ", report->merged, " merged");
        index_.reset();
    }
    if (!report->complete)
        feed_in(util::Duration(0));   // by another turn: others have theirs before it
    else if (newest_ > fed_last_ || (due_ && !timer_.running()))   // the timer may have come while it was filled
        feed_in(delay());
    else if (store_.last() == fed_last_)
        files_->note_complete(fed_last_);
    return {};
}

void SearchRoom::failed(std::string_view why)
{
    ++failures_;
    auto pause = std::min(first_failure_pause * (std::int64_t(1) << std::min(failures_, 12U)), longest_feed_pause);
    util::log::warning("the search index was not filled (", why, "); next try in ", util::format_delay(pause), " s");
    index_.reset();
    if (files_)
        files_->drop_unfinished();
    feed_in(pause);
}

void SearchRoom::release_memory()
{
    if (!feeding_)
        index_.reset();
}

}  // namespace mailbox
