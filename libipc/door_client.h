// One client of a door, from its connection to its hand-over (or to its end, with TLS).
#pragma once

#include "libipc/door.h"

namespace ipc {

class DoorClient {
public:
    DoorClient(Door& door, std::uint64_t id, util::UniqueFd socket, std::string address, bool loopback,
               Dialogues::Place place, std::function<void()> gone);
    ~DoorClient();

    void begin();
    // The connection has had a session before, whose id this was, and goes on without TLS and without a user; the client
    // has sent these bytes already.
    void begin_again(std::string_view session, std::string pending);
    // The session behind the splice is over, and the connection goes on.
    void take_back(SessionReturned returned);
    // Ends the dialogue, if it goes on.
    void stop();
    std::uint64_t id() const { return id_; }

private:
    enum class State : unsigned char {
        Starting,        // TLS handshake of the wrapper mode, or waiting for the mechanisms
        Talking,
        Authenticating,  // auth has the word
        Delaying,        // a failure waits to be told
        Opening,         // usher has the word
        Spliced,
        Over
    };

    // All that one log-in leaves behind: a connection that goes on without its user begins with another one.
    struct Login {
        explicit Login(const Door& door);

        std::string session;      // id for the log
        std::unique_ptr<LoginDialog> dialog;
        std::size_t failures = 0;
        std::string mechanism = {};
        std::string ticket = {};
        std::string account = {};
        std::string app_password = {};
    };

    void received(std::string_view bytes);
    void secured(const net::TlsFacts& facts);
    void drained();
    void ended(const util::Result<void>& how);

    void offer(bool first);
    void go_on(std::string_view session);
    void follow(LoginStep step);
    void authenticate(const LoginStep& step);
    void result(const AuthenticationResult& result);
    void refuse(LoginRefusal why);
    void authenticated(const AuthenticationResult& result);
    void open_session();
    void opened(const LoginService::Opened& opened);
    void send_output();
    void goodbye(std::string_view reason);
    void finish();
    void timed_out();
    void leave_dialogue();
    void over();
    std::string where() const;

    Door& door_;
    std::uint64_t id_;
    std::string address_;
    bool loopback_;
    std::function<void()> gone_;
    State state_ = State::Starting;
    Dialogues::Place place_;          // while the dialogue goes on
    Login login_;
    net::TlsChannel channel_;
    net::TlsFacts tls_;
    util::Timer timer_;               // the log-in's time limit
    util::Timer delay_;
    std::uint64_t asked_ = 0;         // at the service: mechanisms or open()
    std::uint64_t exchange_ = 0;
    std::string backlog_;             // that the client has sent ahead, and nobody has looked at
    bool wants_tls_ = false;          // STARTTLS is answered, and the answer must leave first
    util::UniqueFd own_end_;          // of the pair, while usher is asked
    std::unique_ptr<Splice> splice_;
};

}  // namespace ipc
