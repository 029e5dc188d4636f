// What a door asks of auth(8) and usher(8).
#include "libipc/login_service.h"

#include "libutil/log.h"

#include <algorithm>

namespace ipc {

LoginService::LoginService(util::EventLoop& loop, Service service, Sockets sockets)
    : loop_(loop), service_(service), sockets_(std::move(sockets))
{
}

Channel* LoginService::auth()
{
    // What it has answered counts; and what comes of that may ask anew.
    if (auth_ && !auth_->is_open())
        auth_->hear_out();
    if (auth_ && !auth_->is_open())
        auth_lost(util::temporary("connection lost"));
    if (auth_)
        return auth_.get();
    auto channel = Channel::connect(loop_, sockets_.auth,
                                    {.received = [this](Packet& packet) { auth_said(packet); },
                                     .closed = [this](const util::Error& error) { auth_lost(error); }});
    if (!channel.ok()) {
        util::log::warning("auth: ", channel.error().text);
        return nullptr;
    }
    auth_ = channel.take();
    return auth_.get();
}

Channel* LoginService::usher()
{
    // It may be giving a connection back; what comes of that may ask for usher, too.
    if (usher_ && !usher_->is_open())
        usher_->hear_out();
    if (usher_ && !usher_->is_open())
        usher_lost(util::temporary("connection lost"));
    if (usher_)
        return usher_.get();
    auto channel = Channel::connect(loop_, sockets_.usher,
                                    {.received = [this](Packet& packet) { usher_said(packet); },
                                     .closed = [this](const util::Error& error) { usher_lost(error); }});
    if (!channel.ok()) {
        util::log::warning("usher: ", channel.error().text);
        return nullptr;
    }
    usher_ = channel.take();
    return usher_.get();
}

std::uint64_t LoginService::mechanisms(bool tls, MechanismsReply reply)
{
    const auto& known = known_[tls];
    if (known.at != util::Instant::min() && util::now() - known.at < mechanisms_age) {
        reply(known.names);
        return 0;
    }
    // Who is greeted may log in next: usher is started meanwhile, if it is not there.
    usher();
    auto* channel = auth();   // behind that, which may answer others
    if (!channel) {
        reply({});
        return 0;
    }
    auto request = next_++;
    asked_.push_back({request, tls, std::move(reply)});
    channel->send(MechanismsWanted{.service = service_, .tls = tls, .channel_binding = tls});
    return request;
}

std::uint64_t LoginService::authenticate(Authenticate wanted, AuthenticationReply reply)
{
    auto* channel = auth();
    if (!channel) {
        AuthenticationResult result;
        result.text = "auth is away";
        reply(result);
        return 0;
    }
    wanted.exchange = next_++;
    wanted.service = service_;
    wanted.wants_ticket = true;
    exchanges_.emplace(wanted.exchange, std::move(reply));
    channel->send(wanted);
    return wanted.exchange;
}

void LoginService::respond(std::uint64_t exchange, std::string response)
{
    if (exchanges_.contains(exchange) && auth_)
        auth_->send(AuthenticationResponse{.exchange = exchange, .response = std::move(response)});
}

void LoginService::cancel(std::uint64_t exchange)
{
    if (exchanges_.erase(exchange) > 0 && auth_ && auth_->is_open())
        auth_->send(AuthenticationResponse{.exchange = exchange, .response = {}, .cancelled = true});
}

std::uint64_t LoginService::open(OpenSession wanted, OpenReply reply)
{
    auto* channel = usher();
    if (!channel) {
        reply({.kind = Opened::Kind::Refused, .permanent = false, .text = "usher is away"});
        return 0;
    }
    wanted.request = next_++;
    wanted.facts.service = service_;
    opens_.emplace(wanted.request, std::move(reply));
    channel->send(wanted);
    if (channel->is_open())
        return wanted.request;
    // The client has not left this process.
    auto refused = opens_.extract(wanted.request);
    refused.mapped()({.kind = Opened::Kind::Refused, .permanent = false, .text = "usher has just gone"});
    return 0;
}

void LoginService::forget(std::uint64_t request)
{
    opens_.erase(request);
    for (auto& asked : asked_)
        if (asked.request == request)
            asked.reply = nullptr;
}

void LoginService::hear_out()
{
    if (usher_)
        usher_->hear_out();
}

void LoginService::auth_said(Packet& packet)
{
    if (packet.name() == Mechanisms::message_name) {
        auto message = decode<Mechanisms>(packet);
        if (!message.ok() || asked_.empty())
            return auth_->fail(util::invalid("auth: unexpected answer"));
        auto asked = std::move(asked_.front());
        asked_.erase(asked_.begin());
        known_[asked.tls] = {std::move(message->names), util::now()};
        if (asked.reply)
            asked.reply(known_[asked.tls].names);
        return;
    }
    auto result = decode<AuthenticationResult>(packet);
    if (!result.ok())
        return auth_->fail(result.take_error());
    auto found = exchanges_.find(result->exchange);
    if (found == exchanges_.end())
        return;  // cancelled meanwhile
    auto reply = found->second;
    if (result->kind != AuthenticationResult::Kind::Challenge)
        exchanges_.erase(found);
    reply(*result);
}

void LoginService::usher_said(Packet& packet)
{
    if (packet.name() == SessionReturned::message_name) {
        auto message = packet.cut ? decode_cut<SessionReturned>(packet) : decode<SessionReturned>(packet);
        if (!message.ok())
            return usher_->fail(message.take_error());
        // Without its descriptor it is told, too: of a client over TLS the door has the connection still.
        if (returned_)
            returned_(message.take());
        return;
    }
    std::uint64_t request = 0;
    Opened opened;
    if (packet.name() == SessionOpened::message_name) {
        auto message = decode<SessionOpened>(packet);
        if (!message.ok())
            return usher_->fail(message.take_error());
        request = message->request;
    } else {
        auto message = decode<MailboxFailed>(packet);
        if (!message.ok())
            return usher_->fail(message.take_error());
        request = message->request;
        opened = {Opened::Kind::Refused, message->permanent, message->text, message->too_soon};
    }
    auto found = opens_.find(request);
    if (found == opens_.end())
        return;
    auto reply = std::move(found->second);
    opens_.erase(found);
    reply(opened);
}

void LoginService::auth_lost(const util::Error& error)
{
    std::string text = error.text;
    auth_.reset();
    util::log::warning("auth: ", text);
    auto asked = std::move(asked_);
    auto exchanges = std::move(exchanges_);
    asked_.clear();
    exchanges_.clear();
    for (auto& one : asked)
        if (one.reply)
            one.reply({});
    AuthenticationResult away;
    away.text = "auth is away";
    for (auto& [number, reply] : exchanges)
        reply(away);
}

void LoginService::usher_lost(const util::Error& error)
{
    std::string text = error.text;
    usher_.reset();
    util::log::warning("usher: ", text);
    auto opens = std::move(opens_);
    opens_.clear();
    for (auto& [number, reply] : opens)
        reply({.kind = Opened::Kind::Lost, .permanent = false, .text = text});
}

}  // namespace ipc
