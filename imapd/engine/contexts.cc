// Contexts of a session: RFC 5267 §4.
#include "imapd/engine/search_context.h"
#include "imapd/engine/session.h"

#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

// RFC 5267 §4.3.1: the command is answered all the same.
void Session::add_context(SearchContext context)
{
    contexts_.push_back(std::move(context));
    if (contexts_.size() > max_contexts)
        give_up(contexts_.size() - 1);
    bound_contexts();
}

// RFC 5267 §4.3.1.
void Session::tell_no_update(std::string_view tag, std::string_view why)
{
    output_ += "* NO [NOUPDATE ";
    syntax::append_string(output_, tag);
    util::append(output_, "] ", why, "\r\n");
}

void Session::give_up(std::size_t context)
{
    tell_no_update(contexts_[context].tag(), "Too much is followed already");
    contexts_.erase(contexts_.begin() + std::ptrdiff_t(context));
}

void Session::bound_contexts()
{
    std::size_t messages = 0;
    for (std::size_t i = 0; i < contexts_.size();) {
        messages += contexts_[i].size();
        if (messages <= max_context_messages) {
            ++i;
            continue;
        }
        messages -= contexts_[i].size();
        give_up(i);
    }
}

Session::Answer Session::cancel_update(Scanner& arguments)
{
    std::vector<std::string> tags;
    do {
        TRY(arguments.space());
        std::string tag(TRY(arguments.string()));
        if (std::none_of(contexts_.begin(), contexts_.end(), [&](const auto& context) { return context.tag() == tag; }))
            return util::invalid("There is no search of this tag that is followed");
        tags.push_back(std::move(tag));
    } while (!arguments.at_end());
    std::erase_if(contexts_,
                  [&](const auto& context) { return std::find(tags.begin(), tags.end(), context.tag()) != tags.end(); });
    ok("CANCELUPDATE completed");
    return {};
}

// RFC 5267 §4.3.4: before EXPUNGE, while the numbers still stand for them.
void Session::tell_leaving(const News& news)
{
    if (contexts_.empty() || news.expunged.empty())
        return;
    std::vector<SearchContext::Removal> gone;
    for (std::size_t i = 0; i < news.expunged.size(); ++i)
        gone.push_back({news.expunged_uids[i], news.expunged[i] + std::uint32_t(i)});
    for (auto& context : contexts_)
        context.remove(output_, gone);
}

void Session::look_again(const std::vector<std::uint32_t>& uids)
{
    if (!contexts_.empty())
        looks_.insert(looks_.end(), uids.begin(), uids.end());
}

bool Session::start_looks()
{
    if (looks_.empty() || !view_ || !view_->facts())
        return false;
    auto sorted = [](std::vector<std::uint32_t> uids) {
        std::sort(uids.begin(), uids.end());
        uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
        return uids;
    };
    auto uids = sorted(std::exchange(looks_, {}));
    auto arrived = sorted(std::exchange(looks_new_, {}));
    if (contexts_.empty())
        return false;
    start(make_update_task(*this, std::move(uids), std::move(arrived)));
    return true;
}

}  // namespace imapd::engine
