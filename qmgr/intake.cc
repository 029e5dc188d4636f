// Intake: what comes into the active queue next.
#include "qmgr/intake.h"

#include "libutil/check.h"

#include <utility>

namespace qmgr {

namespace {

constexpr std::size_t share_of_new_mail = 5;   // a fifth

std::size_t part_for(queue::Place place, std::size_t limit)
{
    return place == queue::Place::Deferred ? limit - limit / share_of_new_mail : limit;
}

}  // namespace

void Intake::entered(std::size_t recipients, std::size_t open)
{
    CHECK(open <= recipients);
    ++messages_;
    recipients_ += recipients;
    open_ += open;
}

void Intake::done(std::size_t open)
{
    CHECK(open_ >= open);
    open_ -= open;
}

void Intake::left(std::size_t recipients, std::size_t open)
{
    CHECK(messages_ > 0 && recipients_ >= recipients);
    done(open);
    --messages_;
    recipients_ -= recipients;
}

bool Intake::has_room(queue::Place place) const
{
    return messages_ < part_for(place, limits_.messages) && open_ < part_for(place, limits_.recipients) &&
           recipients_ / max_done_share < part_for(place, limits_.recipients);
}

bool Intake::begin(queue::Place place, bool all)
{
    Look& its = look(place);
    if (running(place)) {
        its.all = its.all || all;
        its.again = true;
        return false;
    }
    its.all = all;
    its.again = false;
    return true;
}

void Intake::listed(queue::Place place, std::vector<std::string> names)
{
    Look& its = look(place);
    its.names = std::move(names);
    its.next = 0;
}

const std::string* Intake::next(queue::Place place)
{
    Look& its = look(place);
    return running(place) && has_room(place) ? &its.names[its.next++] : nullptr;
}

bool Intake::ended(queue::Place place)
{
    Look& its = look(place);
    its.names = {};
    its.next = 0;
    return std::exchange(its.again, false);
}

bool Intake::can_go_on() const
{
    for (queue::Place place : {queue::Place::Incoming, queue::Place::Deferred})
        if (running(place) && has_room(place))
            return true;
    return false;
}

}  // namespace qmgr
