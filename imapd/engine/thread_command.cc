// THREAD: RFC 5256 §3.
#include "imapd/engine/fetch_task.h"
#include "imapd/engine/search_walk.h"
#include "imapd/engine/sort_keys.h"
#include "imapd/engine/thread_tree.h"
#include "libmail/casefold.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// Quotes do not make another id (RFC 5256 §3).
std::string normalized(std::string id)
{
    std::erase_if(id, [](char c) { return c == '"' || c == '\\'; });
    return id;
}

util::Result<std::vector<std::string>> ids(MessageContent& message, std::string_view field, std::size_t limit)
{
    auto value = TRY(field_value(message, field));
    auto found = mail::message_ids(value, limit);
    std::transform(found.begin(), found.end(), found.begin(), normalized);
    return found;
}

class ThreadTask final : public Task {
public:
    ThreadTask(Session& session, ThreadAlgorithm algorithm, SearchArguments search)
        : session_(session), algorithm_(algorithm), tree_(algorithm, session.view()->count()),
          walk_(session, std::move(search.key))
    {
        walk_.on_hit([this](MessageContent& message, const Hit& hit) { return take(message, hit); });
    }

    bool step(util::Instant until) override;
    bool waits() const override { return walk_.waits(); }

private:
    util::Result<void> take(MessageContent& message, const Hit& hit);

    Session& session_;
    ThreadAlgorithm algorithm_;
    ThreadTree tree_;
    SearchWalk walk_;
    bool walked_ = false;
    std::size_t bytes_ = 0;
    bool too_many_ = false;
};

util::Result<void> ThreadTask::take(MessageContent& message, const Hit& hit)
{
    ThreadItem item;
    item.number = session_.uid_form() ? hit.uid : hit.number;
    item.sent = TRY(sent_seconds(message));
    item.arrived = message.entry().internal_date.seconds;
    auto value = TRY(field_value(message, "Subject"));
    auto base = mail::base_subject(value);
    item.subject = mail::collation_key(base.text);
    item.is_reply = base.is_reply;
    bytes_ += sizeof item + item.subject.size();
    if (algorithm_ != ThreadAlgorithm::OrderedSubject) {
        auto own = TRY(ids(message, "Message-ID", 1));
        if (!own.empty())
            item.message_id = own.front();
        item.references = TRY(ids(message, "References", max_references));
        if (item.references.empty()) {
            auto all = TRY(ids(message, "In-Reply-To", max_references));
            if (!all.empty())
                item.references.push_back(all.front());
        }
    }
    bytes_ += item.message_id.size();
    for (const auto& reference : item.references)
        bytes_ += sizeof reference + reference.size();
    too_many_ = too_many_ || bytes_ > max_sort_bytes || !tree_.add(item);
    return {};
}

bool ThreadTask::step(util::Instant until)
{
    walked_ = walked_ || walk_.step(until);
    if (too_many_) {
        session_.no("[LIMIT] These are too many messages to be threaded");
        return true;
    }
    Pace pace(until);
    if (!walked_ || !tree_.finish(pace))
        return false;
    util::append(session_.output(), "* THREAD", tree_.text(), "\r\n");
    end_search(session_, "THREAD", walk_);
    return true;
}

}  // namespace

Session::Answer Session::thread(Scanner& arguments)
{
    TRY(arguments.space());
    ThreadAlgorithm algorithm{};
    if (arguments.skip_atom("ORDEREDSUBJECT"))
        algorithm = ThreadAlgorithm::OrderedSubject;
    else if (arguments.skip_atom("REFERENCES"))
        algorithm = ThreadAlgorithm::References;
    else if (arguments.skip_atom("REFS"))
        algorithm = ThreadAlgorithm::Refs;
    else
        return util::invalid("Unknown threading algorithm");
    TRY(arguments.space());
    SearchArguments search;
    search.uid_bounds = message_limit() > 0;
    auto parsed = parse_search_program(arguments, search);
    return begin_search(parsed, search, [&] {
        return std::make_unique<ThreadTask>(*this, algorithm, std::move(search));
    });
}

}  // namespace imapd::engine
