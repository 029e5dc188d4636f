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
// What was sent ahead is given to the dialogue in pieces, as the connection would.
constexpr std::size_t backlog_piece = 16U << 10;

}  // namespace

DoorClient::Login::Login(const Door& door) : session(util::hex(util::random_string(8))), dialog(door.make_dialog_()) {}

DoorClient::DoorClient(Door& door, std::uint64_t id, util::UniqueFd socket, std::string address,
                       bool loopback, Dialogues::Place place, std::function<void()> gone)
    : door_(door), id_(id), address_(std::move(address)), loopback_(loopback), gone_(std::move(gone)),
      place_(std::move(place)), login_(door),
      channel_(door.loop_, std::move(socket),
               {.received = [this](std::string_view bytes) { received(bytes); },
                .secured = [this](const net::TlsFacts& facts) { secured(facts); },
                .drained = [this] { drained(); },
                .ended = [this](const util::Result<void>& how) { ended(how); }}),
      timer_(door.loop_, [this] { timed_out(); })
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
    return util::concat("client=[", address_, "], session=", login_.session,
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

void DoorClient::begin_again(std::string_view session, std::string pending)
{
    backlog_ = std::move(pending);
    go_on(session);
}

// RFC 8437: nothing of the user stays here but what TLS has agreed on.
void DoorClient::go_on(std::string_view session)
{
    util::log::info("unauthenticated: ", where(), ", was=", util::printable(session, 64));
    timer_.start(door_.settings_.login_timeout);
    offer(false);
}

void DoorClient::take_back(SessionReturned returned)
{
    if (state_ != State::Spliced)
        return;
    auto unread = returned.client.valid() ? splice_->take_back(returned.client.get())
                                          : util::Result<std::string>(util::temporary("its descriptor was lost"));
    if (!unread.ok()) {
        util::log::warning(where(), ": a session cannot be taken back: ", unread.error().text);
        return over();
    }
    bool client_done = splice_->client_done();
    splice_.reset();
    door_.spliced_.erase(login_.session);
    std::string before = std::exchange(login_, Login(door_)).session;
    // Who has closed his side and is not waited for gets what the session said.
    if (client_done || !channel_.is_open())
        return finish();
    backlog_ = std::move(returned.pending) + *unread;
    state_ = State::Starting;
    channel_.pause(true);
    if (door_.stopped_)
        return goodbye("Server shutting down");
    place_ = door_.place_for(address_);
    if (!place_)
        return goodbye(too_many_dialogues);
    go_on(before);
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
            login_.dialog->greet(offered);
        else
            login_.dialog->set_offer(offered);
        send_output();
        channel_.pause(false);
        if (!backlog_.empty())
            follow({});
    });
}

void DoorClient::received(std::string_view bytes)
{
    if (state_ == State::Spliced)
        return splice_->client_sent(bytes);
    if (!backlog_.empty())
        backlog_ += bytes;
    else if (state_ == State::Talking)
        follow(login_.dialog->feed(bytes));
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
    channel_.send(login_.dialog->output());
    login_.dialog->output().clear();
}

void DoorClient::follow(LoginStep step)
{
    using Kind = LoginStep::Kind;
    send_output();
    switch (step.kind) {
    case Kind::Wait:
        if (!backlog_.empty()) {
            std::string piece = backlog_.substr(0, backlog_piece);
            backlog_.erase(0, piece.size());
            return follow(login_.dialog->feed(piece));
        }
        return;
    case Kind::StartTls:
        // RFC 3501 §6.2.1, RFC 2595 §2.1: what was sent ahead in the clear may be an attacker's.
        if (login_.dialog->has_leftover() || !backlog_.empty()) {
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
        return follow(login_.dialog->feed({}));
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
    login_.mechanism = step.mechanism;
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
        login_.dialog->challenge(answer.data);
        send_output();
        channel_.pause(false);
        return follow(login_.dialog->feed({}));
    case Kind::Success:
        return authenticated(answer);
    case Kind::Failed:
    case Kind::Unavailable:
    case Kind::Invalid:
        break;
    }
    exchange_ = 0;
    util::log::warning(where(), ": ", login_.mechanism,
                       answer.not_authorized ? " authorization failed: " : " authentication failed: ",
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
    login_.dialog->refuse(why);
    send_output();
    if (++login_.failures >= door_.settings_.attempts)
        return goodbye("Too many failed log-ins");
    channel_.pause(false);
    follow(login_.dialog->feed({}));
}

void DoorClient::authenticated(const AuthenticationResult& answer)
{
    exchange_ = 0;
    login_.ticket = answer.ticket;
    login_.account = answer.account;
    login_.app_password = answer.app_password;
    state_ = State::Talking;
    auto step = login_.dialog->authenticated(answer.data);
    if (step.kind == LoginStep::Kind::Wait)
        channel_.pause(false);
    follow(std::move(step));
}

// --- the session ---------------------------------------------------------------------------------

void DoorClient::open_session()
{
    OpenSession wanted;
    wanted.ticket = login_.ticket;
    wanted.facts.session = login_.session;
    wanted.facts.client_address = address_;
    wanted.facts.tls = channel_.secured();
    wanted.facts.login_capabilities = login_.dialog->login_capabilities();
    wanted.facts.utf8 = login_.dialog->utf8();
    wanted.facts.client_name = login_.dialog->client_name();
    wanted.facts.returnable = door_.service_ == Service::Imap;
    wanted.pending = login_.dialog->leftover();
    if (!channel_.secured())
        wanted.pending += backlog_;
    wanted.greeting = login_.dialog->greeting();
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
    login_.ticket.clear();
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
        util::log::warning(where(), ", user=<", util::printable(login_.account, 200), ">: no session: ",
                           util::printable(answer.text, 200));
        own_end_.reset();
        if (!channel_.is_open())
            return over();
        return refuse(answer.too_soon    ? LoginRefusal::TooSoon
                      : answer.permanent ? LoginRefusal::Disabled
                                         : LoginRefusal::Unavailable);
    }
    util::log::info("login: user=<", util::printable(login_.account, 200), ">, method=", login_.mechanism,
                    login_.app_password.empty() ? "" : util::concat(", app=", util::printable(login_.app_password, 64)),
                    ", ", where());
    leave_dialogue();
    if (!channel_.secured()) {
        state_ = State::Over;
        channel_.close();  // the mailbox process has it now
        return door_.remove(*this);
    }
    state_ = State::Spliced;
    login_.dialog.reset();
    splice_ = std::make_unique<Splice>(door_.loop_, channel_, std::move(own_end_), [this] { over(); });
    door_.spliced_[login_.session] = this;
    if (!channel_.is_open())
        return over();
    channel_.pause(false);
    if (!backlog_.empty())
        splice_->client_sent(std::exchange(backlog_, {}));
}

void DoorClient::goodbye(std::string_view reason)
{
    state_ = State::Over;
    leave_dialogue();
    if (!channel_.secured() && (wants_tls_ || door_.settings_.wrappermode))
        return over();  // in the middle of a handshake there is nobody to talk to
    login_.dialog->say_goodbye(reason);
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
    place_.reset();
}

void DoorClient::over()
{
    state_ = State::Over;
    leave_dialogue();
    door_.spliced_.erase(login_.session);
    channel_.close();
    door_.remove(*this);
}

}  // namespace ipc
