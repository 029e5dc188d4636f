// One client of a door.
#include "libipc/door_client.h"

#include "libutil/log.h"
#include "libutil/random.h"
#include "libutil/text.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace ipc {

namespace {

constexpr util::Duration last_words_time{5'000'000};

}  // namespace

DoorClient::DoorClient(Door& door, std::uint64_t id, util::UniqueFd socket, std::string address,
                       bool loopback, std::function<void()> gone)
    : door_(door), id_(id), address_(std::move(address)), loopback_(loopback), gone_(std::move(gone)),
      session_(util::hex(util::random_string(8))),
      channel_(door.loop_, std::move(socket),
               {.received = [this](std::string_view bytes) { received(bytes); },
                .secured = [this](const net::TlsFacts& facts) { secured(facts); },
                .drained = [this] { drained(); },
                .ended = [this](const util::Result<void>& how) { ended(how); }}),
      dialog_(door.make_dialog_()), timer_(door.loop_, [this] { timed_out(); })
{
    int on = 1;
    (void)::setsockopt(channel_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

DoorClient::~DoorClient()
{
    leave_dialogue();
    if (gone_)
        gone_();
}

std::string DoorClient::where() const
{
    return util::concat("client=[", address_, "], session=", session_,
                        channel_.secured() ? util::concat(", tls=", tls_.protocol) : "");
}

void DoorClient::begin()
{
    timer_.start(door_.settings_.login_timeout);
    if (door_.settings_.wrappermode)
        channel_.start_tls(*door_.tls_);
    else
        offer(true);
}

void DoorClient::stop()
{
    if (state_ != State::Spliced && state_ != State::Over && state_ != State::Opening)
        goodbye("Server shutting down");
}

// --- the connection ------------------------------------------------------------------------------

void DoorClient::secured(const net::TlsFacts& facts)
{
    tls_ = facts;
    wants_tls_ = false;
    offer(door_.settings_.wrappermode);
}

// Tells the dialogue what there is to be had: the greeting, or the state after STARTTLS.
void DoorClient::offer(bool first)
{
    state_ = State::Starting;
    channel_.pause(true);
    bool tls = channel_.secured();
    asked_ = door_.logins_.mechanisms(tls, [this, first, tls](const std::vector<std::string>& names) {
        asked_ = 0;
        if (state_ != State::Starting)
            return;
        LoginOffer offered;
        offered.tls_active = tls;
        offered.starttls = !tls && door_.tls_;
        offered.plaintext = tls || (door_.settings_.allow_plaintext_login && loopback_);
        offered.mechanisms = names;
        state_ = State::Talking;
        if (first)
            dialog_->greet(offered);
        else
            dialog_->tls_started(offered);
        send_output();
        channel_.pause(false);
    });
}

void DoorClient::received(std::string_view bytes)
{
    if (state_ == State::Spliced)
        return splice_->client_sent(bytes);
    if (state_ == State::Talking)
        follow(dialog_->feed(bytes));
}

void DoorClient::drained()
{
    if (state_ == State::Spliced)
        return splice_->client_drained();
    if (wants_tls_)
        channel_.start_tls(*door_.tls_);
    else if (state_ == State::Opening && !asked_)
        open_session();
}

void DoorClient::ended(const util::Result<void>& how)
{
    if (state_ == State::Spliced)
        return splice_->client_ended(how);
    if (!how.ok() && !channel_.secured() && (wants_tls_ || door_.settings_.wrappermode))
        util::log::info(where(), ": ", how.error().text);
    // While usher is asked the session may have begun already: it sees the end by itself.  Last words
    // still go out to a client that has only closed its side.
    if (state_ == State::Opening || (state_ == State::Over && channel_.is_open()))
        return;
    over();
}

// --- the dialogue --------------------------------------------------------------------------------

void DoorClient::send_output()
{
    channel_.send(dialog_->output());
    dialog_->output().clear();
}

void DoorClient::follow(LoginStep step)
{
    using Kind = LoginStep::Kind;
    send_output();
    switch (step.kind) {
    case Kind::Wait:
        return;
    case Kind::StartTls:
        // RFC 3501 §6.2.1, RFC 2595 §2.1: what was sent ahead in the clear may be an attacker's.
        if (dialog_->has_leftover()) {
            util::log::warning(where(), ": plaintext after STARTTLS");
            return goodbye("Nothing may be sent before the TLS handshake");
        }
        state_ = State::Starting;
        wants_tls_ = true;
        channel_.pause(true);
        if (channel_.queued() == 0)
            channel_.start_tls(*door_.tls_);
        return;
    case Kind::Authenticate:
        return authenticate(step);
    case Kind::Respond:
        state_ = State::Authenticating;
        channel_.pause(true);
        return door_.logins_.respond(exchange_, std::move(*step.data));
    case Kind::Cancel:
        door_.logins_.cancel(exchange_);
        exchange_ = 0;
        return follow(dialog_->feed({}));
    case Kind::Proceed:
        state_ = State::Opening;
        channel_.pause(true);
        if (channel_.queued() == 0)
            open_session();
        return;
    case Kind::Close:
        return finish();
    }
}

void DoorClient::authenticate(const LoginStep& step)
{
    state_ = State::Authenticating;
    channel_.pause(true);
    mechanism_ = step.mechanism;
    Authenticate wanted;
    wanted.mechanism = step.mechanism;
    wanted.initial = step.data;
    wanted.client_address = address_;
    wanted.tls = channel_.secured();
    if (!tls_.exporter.empty()) {
        wanted.channel_binding_type = "tls-exporter";
        wanted.channel_binding = tls_.exporter;
    }
    exchange_ = door_.logins_.authenticate(
        std::move(wanted), [this](const AuthenticationResult& answer) { result(answer); });
}

void DoorClient::result(const AuthenticationResult& answer)
{
    using Kind = AuthenticationResult::Kind;
    if (state_ != State::Authenticating)
        return;
    switch (answer.kind) {
    case Kind::Challenge:
        state_ = State::Talking;
        dialog_->challenge(answer.data);
        send_output();
        channel_.pause(false);
        return follow(dialog_->feed({}));
    case Kind::Success:
        return authenticated(answer);
    case Kind::Failed:
    case Kind::Unavailable:
    case Kind::Invalid:
        break;
    }
    exchange_ = 0;
    util::log::warning(where(), ": ", mechanism_, answer.not_authorized ? " authorization failed: " : " authentication failed: ",
                       util::printable(answer.text, 200));
    auto why = answer.not_authorized              ? LoginRefusal::NotAuthorized
               : answer.kind == Kind::Failed      ? LoginRefusal::Failed
               : answer.kind == Kind::Unavailable ? LoginRefusal::Unavailable
                                                  : LoginRefusal::Invalid;
    auto wait = util::Duration(std::clamp<std::int64_t>(answer.delay, 0, 60'000'000));
    if (wait == util::Duration::zero())
        return refuse(why);
    state_ = State::Delaying;
    delay_ = util::Timer(door_.loop_, [this, why] { refuse(why); });
    delay_.start(wait);
}

void DoorClient::refuse(LoginRefusal why)
{
    state_ = State::Talking;
    dialog_->refuse(why);
    send_output();
    if (++failures_ >= door_.settings_.attempts)
        return goodbye("Too many failed log-ins");
    channel_.pause(false);
    follow(dialog_->feed({}));
}

void DoorClient::authenticated(const AuthenticationResult& answer)
{
    exchange_ = 0;
    ticket_ = answer.ticket;
    account_ = answer.account;
    state_ = State::Talking;
    auto step = dialog_->authenticated(answer.data);
    if (step.kind == LoginStep::Kind::Wait)
        channel_.pause(false);
    follow(std::move(step));
}

// --- the session ---------------------------------------------------------------------------------

void DoorClient::open_session()
{
    OpenSession wanted;
    wanted.ticket = ticket_;
    wanted.facts.session = session_;
    wanted.facts.client_address = address_;
    wanted.facts.tls = channel_.secured();
    wanted.facts.login_capabilities = dialog_->login_capabilities();
    wanted.pending = dialog_->leftover();
    wanted.greeting = dialog_->greeting();
    if (channel_.secured()) {
        auto pair = util::sys::socket_pair(SOCK_STREAM);
        if (!pair.ok())
            return opened({LoginService::Opened::Kind::Refused, false, pair.error().text});
        own_end_ = std::move(pair->first);
        wanted.client = std::move(pair->second);
    } else {
        auto copy = util::sys::duplicate(channel_.fd());
        if (!copy.ok())
            return opened({LoginService::Opened::Kind::Refused, false, copy.error().text});
        wanted.client = copy.take();
    }
    ticket_.clear();
    asked_ = door_.logins_.open(std::move(wanted),
                                [this](const LoginService::Opened& answer) { opened(answer); });
}

void DoorClient::opened(const LoginService::Opened& answer)
{
    using Kind = LoginService::Opened::Kind;
    asked_ = 0;
    if (state_ != State::Opening)
        return;
    if (answer.kind == Kind::Lost)
        return over();
    if (answer.kind == Kind::Refused) {
        util::log::warning(where(), ", user=<", util::printable(account_, 200), ">: no session: ",
                           util::printable(answer.text, 200));
        own_end_.reset();
        if (!channel_.is_open())
            return over();
        return refuse(answer.permanent ? LoginRefusal::Disabled : LoginRefusal::Unavailable);
    }
    util::log::info("login: user=<", util::printable(account_, 200), ">, method=", mechanism_, ", ",
                    where());
    leave_dialogue();
    if (!channel_.secured()) {
        state_ = State::Over;
        channel_.close();  // the mailbox process has it now
        return door_.remove(*this);
    }
    state_ = State::Spliced;
    dialog_.reset();
    splice_ = std::make_unique<Splice>(door_.loop_, channel_, std::move(own_end_), [this] { over(); });
    if (!channel_.is_open())
        return over();
    channel_.pause(false);
}

void DoorClient::goodbye(std::string_view reason)
{
    state_ = State::Over;
    leave_dialogue();
    if (!channel_.secured() && (wants_tls_ || door_.settings_.wrappermode))
        return over();  // in the middle of a handshake there is nobody to talk to
    dialog_->say_goodbye(reason);
    send_output();
    finish();
}

// Closes when the last words are sent.  A client that does not read them gets little time.
void DoorClient::finish()
{
    state_ = State::Over;
    leave_dialogue();
    timer_ = util::Timer(door_.loop_, [this] { over(); });
    timer_.start(last_words_time);
    channel_.finish();
}

void DoorClient::timed_out()
{
    if (state_ == State::Spliced || state_ == State::Over)
        return;
    goodbye("The log-in took too long");
}

// Whatever the end: what is outstanding for this client is not wanted any more.
void DoorClient::leave_dialogue()
{
    timer_.stop();
    delay_.stop();
    if (asked_)
        door_.logins_.forget(asked_);
    if (exchange_)
        door_.logins_.cancel(exchange_);
    asked_ = exchange_ = 0;
    if (!counted_)
        return;
    counted_ = false;
    auto found = door_.by_network_.find(door_.network_of(address_));
    if (found != door_.by_network_.end() && --found->second == 0)
        door_.by_network_.erase(found);
}

void DoorClient::over()
{
    state_ = State::Over;
    leave_dialogue();
    channel_.close();
    door_.remove(*this);
}

}  // namespace ipc
