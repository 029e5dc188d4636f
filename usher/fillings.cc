// Usher: turns to fill search indexes.
#include "libutil/log.h"
#include "usher/usher.h"

namespace usher {

bool Usher::told_of_filling(const std::string& account, ipc::Packet& packet)
{
    ipc::Channel& control = *controls_[account];
    pid_t pid = roster_.pid_of(account);
    if (packet.name() == ipc::FillingWanted::message_name) {
        auto wanted = ipc::decode<ipc::FillingWanted>(packet);
        if (!wanted.ok())
            control.fail(wanted.take_error());
        else if (!filling_turns_.ask(account, pid))
            control.fail(util::invalid("it asks for a second turn to fill its search index"));
        else
            give_filling_turns();
        return true;
    }
    if (packet.name() == ipc::FillingOver::message_name) {
        auto over = ipc::decode<ipc::FillingOver>(packet);
        if (!over.ok()) {
            control.fail(over.take_error());
        } else {
            filling_turns_.over(account, pid);
            give_filling_turns();
        }
        return true;
    }
    return false;
}

void Usher::give_filling_turns()
{
    util::Instant now = util::now();
    while (auto account = filling_turns_.next(now + settings_.filling_time)) {
        util::log::verbose("the search index of ", *account, " may be filled; ", filling_turns_.waiting(), " wait");
        // Among many it is one that has waited long, and work that was begun is not thrown away by eviction.
        roster_.engaged(*account, now);
        controls_[*account]->send(ipc::FillingGranted{});
    }
    filling_timer_.stop();
    if (auto late = filling_turns_.next_late(); late != util::Instant::max())
        filling_timer_.start_at(late);
}

// It is not killed: it may serve its user well otherwise, and in the line it comes behind the others.
void Usher::take_late_fillings()
{
    for (const auto& late : filling_turns_.take_late(util::now()))
        util::log::warning("mailbox of ", late.account, " (pid ", late.pid, ") has not filled its search index after ",
                           std::chrono::ceil<std::chrono::seconds>(settings_.filling_time).count(),
                           " s; others do not wait for it any more");
    give_filling_turns();
}

}  // namespace usher
