// What a command on very many messages does first, in slices (Session::prepare()).
#include "imapd/engine/session.h"
#include "imapd/engine/slices.h"

namespace imapd::engine {

namespace {

// Gets memory for very many messages, in slices; what it is for has a slice of its own.
class PrepareTask final : public Task {
public:
    PrepareTask(std::function<bool()> some, std::function<void()> then, std::function<bool()> may) :
        some_(std::move(some)), then_(std::move(then)), may_(std::move(may))
    {
    }

    bool step(util::Instant until) override
    {
        yields_ = may_ && !may_();
        if (yields_)
            return false;
        Pace pace(until);
        while (!ready_) {
            ready_ = some_();
            if (ready_ || pace.over(pace_interval))
                return false;
        }
        then_();
        return true;
    }
    bool yields() const override { return yields_; }

private:
    std::function<bool()> some_;
    std::function<void()> then_;
    std::function<bool()> may_;
    bool yields_ = false;
    bool ready_ = false;
};

}  // namespace

void Session::prepare(std::function<bool()> some, std::function<void()> then, std::function<bool()> may)
{
    start(std::make_unique<PrepareTask>(std::move(some), std::move(then), std::move(may)));
}

}  // namespace imapd::engine
