// The connection to errands(8).
#include "local/errands.h"

#include "libutil/log.h"

namespace local {

namespace {

ipc::DeliveryStatus deferred(std::string_view why)
{
    ipc::DeliveryStatus status;
    status.dsn = "4.3.0";
    status.text = util::concat("errands: ", why);
    return status;
}

}  // namespace

Errands::Errands(util::EventLoop& loop, std::string socket, util::Duration timeout)
    : loop_(loop), socket_(std::move(socket)), timeout_(timeout), sweep_timer_(loop, [this] { sweep(); })
{
}

bool Errands::reach()
{
    if (channel_ && channel_->is_open())
        return true;
    if (channel_)
        return false;   // lost just now; lost() is about to be called
    auto connected = ipc::Channel::connect(loop_, socket_,
                                           {.received = [this](ipc::Packet& packet) { received(packet); },
                                            .closed = [this](const util::Error& error) { lost(error); }});
    if (!connected.ok()) {
        // A master.cf from before there were errands has no such line.
        bool absent = connected.error().kind == util::Kind::NotFound;
        if (!absent || !std::exchange(missing_, true))
            util::log::warning("errands: ", connected.error().text,
                               absent ? ": without that service in master.cf users of this system have no mail here" : "");
        missing_ = absent;
        return false;
    }
    missing_ = false;
    channel_ = connected.take();
    return true;
}

void Errands::read(const ipc::Place& place, const std::string& recipient, ListAnswer answer)
{
    bool is_user = place.kind == ipc::Place::Kind::Forward && place.steps.empty();
    ipc::ListPart known;
    known.result = ipc::ListPart::Result::NoUser;
    if (is_user) {
        auto unknown = unknown_.find(place.name);
        if (unknown != unknown_.end() && unknown->second > util::now())
            return answer(std::move(known));
    }
    if (!reach()) {
        if (is_user && missing_)
            return answer(std::move(known));
        known.result = ipc::ListPart::Result::Failed;
        known.status = deferred("cannot be reached");
        return answer(std::move(known));
    }
    ipc::ReadList wanted;
    wanted.request = next_request_++;
    wanted.place = place;
    wanted.recipient = recipient;
    Request& request = requests_[wanted.request];
    request.list = std::move(answer);
    request.user = is_user ? place.name : std::string();
    request.deadline = util::now() + timeout_;
    channel_->send(wanted);
    watch_time();
}

void Errands::run(ipc::RunEntry& order, Done done)
{
    if (!reach()) {
        ipc::ErrandDone failed;
        failed.status = deferred("cannot be reached");
        return done(std::move(failed));
    }
    order.request = next_request_++;
    Request& request = requests_[order.request];
    request.done = std::move(done);
    request.deadline = util::now() + timeout_;
    channel_->send(order);
    watch_time();
}

void Errands::received(ipc::Packet& packet)
{
    if (packet.name() == ipc::ListPart::message_name) {
        auto part = ipc::decode<ipc::ListPart>(packet);
        if (part.ok())
            return take_part(part.take());
    } else if (packet.name() == ipc::ErrandDone::message_name) {
        auto done = ipc::decode<ipc::ErrandDone>(packet);
        if (done.ok()) {
            auto node = requests_.extract(done->request);
            if (node && node.mapped().done)
                node.mapped().done(done.take());
            return;
        }
    }
    channel_->fail(util::invalid("errands said something that cannot be understood"));
}

void Errands::take_part(ipc::ListPart part)
{
    auto found = requests_.find(part.request);
    if (found == requests_.end() || !found->second.list)
        return;
    auto& all = found->second.parts.destinations;
    if (all.size() + part.destinations.size() > max_list_destinations)
        return channel_->fail(util::invalid("a list of errands has no end"));
    all.insert(all.end(), std::make_move_iterator(part.destinations.begin()), std::make_move_iterator(part.destinations.end()));
    if (!part.last)
        return;
    auto node = requests_.extract(found);
    Request& request = node.mapped();
    part.destinations = std::move(request.parts.destinations);
    if (part.result == ipc::ListPart::Result::NoUser && !request.user.empty())
        note_unknown(request.user);
    request.list(std::move(part));
}

void Errands::note_unknown(const std::string& user)
{
    if (unknown_.insert_or_assign(user, util::now() + unknown_user_time).second)
        unknown_order_.push_back(user);
    if (unknown_order_.size() > max_unknown_users) {
        unknown_.erase(unknown_order_.front());
        unknown_order_.pop_front();
    }
}

void Errands::fail(Request request, std::string_view why)
{
    if (request.list) {
        ipc::ListPart part;
        part.status = deferred(why);
        request.list(std::move(part));
    } else {
        ipc::ErrandDone done;
        done.status = deferred(why);
        request.done(std::move(done));
    }
}

void Errands::lost(const util::Error& error)
{
    util::log::warning("errands: ", error.text);
    channel_.reset();
    for (auto& entry : std::exchange(requests_, {}))
        fail(std::move(entry.second), "went away");
}

void Errands::watch_time()
{
    if (!sweep_timer_.running())
        sweep_timer_.start(std::max(timeout_ / 4, util::Duration(1000)));
}

void Errands::sweep()
{
    std::vector<std::uint64_t> late;
    for (const auto& entry : requests_)
        if (entry.second.deadline <= util::now())
            late.push_back(entry.first);
    for (std::uint64_t number : late) {
        auto node = requests_.extract(number);
        if (!node)
            continue;
        // It may still wait there, and would be done beside the next attempt.
        if (channel_)
            channel_->send(ipc::ForgetErrand{number});
        fail(std::move(node.mapped()), "does not answer");
    }
    if (!requests_.empty())
        watch_time();
}

}  // namespace local
