// Questions: what auth asks another daemon, over one standing connection that is made when it is first needed.
//
// A question waits for its own time.  When that is up and the daemon has answered nothing since it was asked, the
// daemon hangs: the connection is dropped, and all who wait hear so.  Otherwise it has lost that one question.
#pragma once

#include "libipc/channel.h"
#include "libutil/time.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace auth {

template <typename Reply>
class Questions {
public:
    using Answer = std::function<void(const Reply&)>;
    // What those hear who get no answer, and why there is none.
    using Without = std::function<Reply(const util::Error& why)>;

    struct Rules {
        util::Duration timeout;
        std::size_t max_waiting;
        bool in_order;   // answers come in the order of the questions: each begins the next one's time anew
    };

    // `lost` is called when the connection is, before those who wait are answered.
    Questions(util::EventLoop& loop, std::string socket, Rules rules, Without without,
              std::function<void(const util::Error&)> lost)
        : loop_(loop), socket_(std::move(socket)), rules_(rules), without_(std::move(without)), lost_(std::move(lost)),
          timer_(loop, [this] { time_is_up(); })
    {
    }

    bool has_room() const { return waiting_.size() < rules_.max_waiting; }

    util::Result<ipc::Channel*> channel()
    {
        // What was answered counts, and who asks anew may be one that was.
        if (channel_ && !channel_->is_open())
            channel_->hear_out();
        if (channel_ && !channel_->is_open())
            lose(util::temporary("connection lost"));
        if (!channel_)
            channel_ = TRY(ipc::Channel::connect(loop_, socket_,
                                                 {.received = [this](ipc::Packet& packet) { heard(packet); },
                                                  .closed = [this](const util::Error& error) { lose(error); }}));
        return channel_.get();
    }

    // Over that channel.
    template <typename Question>
    void ask(ipc::Channel& channel, Question& question, Answer answer)
    {
        question.request = next_++;
        waiting_.emplace(question.request, Waiting{std::move(answer), util::now()});
        channel.send(question);
        watch_time();
    }

private:
    struct Waiting {
        Answer answer;
        util::Instant since;
    };

    void heard(ipc::Packet& packet)
    {
        auto reply = ipc::decode<Reply>(packet);
        if (!reply.ok())
            return channel_->fail(reply.take_error());
        auto found = waiting_.find(reply->request);
        if (found == waiting_.end())
            return;
        heard_ = util::now();
        take(found)(*reply);
    }

    Answer take(typename std::map<std::uint64_t, Waiting>::iterator item)
    {
        Answer answer = std::move(item->second.answer);
        waiting_.erase(item);
        watch_time();
        return answer;
    }

    // The oldest question has the smallest number.
    util::Instant due() const
    {
        util::Instant since = waiting_.begin()->second.since;
        return (rules_.in_order ? std::max(since, heard_) : since) + rules_.timeout;
    }

    void watch_time()
    {
        if (waiting_.empty())
            return timer_.stop();
        util::Instant at = due();
        if (timer_.running() && at == timer_at_)
            return;
        timer_at_ = at;
        timer_.start_at(at);
    }

    void time_is_up()
    {
        util::Error why = util::temporary("no answer");
        if (waiting_.empty())
            return;
        auto oldest = waiting_.begin();
        if (rules_.in_order || heard_ < oldest->second.since)
            return lose(why);
        take(oldest)(without_(why));
    }

    void lose(const util::Error& error)
    {
        util::Error why = error;   // dies with the channel
        channel_.reset();
        timer_.stop();
        lost_(why);
        for (auto& [request, waiting] : std::exchange(waiting_, {}))
            waiting.answer(without_(why));
    }

    util::EventLoop& loop_;
    std::string socket_;
    Rules rules_;
    Without without_;
    std::function<void(const util::Error&)> lost_;
    std::unique_ptr<ipc::Channel> channel_;
    std::map<std::uint64_t, Waiting> waiting_;   // by request
    std::uint64_t next_ = 1;
    util::Instant heard_ = util::Instant::min();
    util::Timer timer_;                          // runs while somebody waits
    util::Instant timer_at_{};
};

}  // namespace auth
