// What a door asks of auth(8) and usher(8), over one standing connection to each.
//
// A connection is made when it is first needed and anew when it was lost; what was outstanding
// then is answered as unavailable.
#pragma once

#include "libipc/authentication.h"
#include "libipc/channel.h"
#include "libipc/mailbox.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ipc {

class LoginService {
public:
    struct Sockets {
        std::string auth;
        std::string usher;
    };
    LoginService(util::EventLoop& loop, Service service, Sockets sockets);

    using MechanismsReply = std::function<void(const std::vector<std::string>&)>;
    // Asked anew when the last answer is older than this.
    static constexpr util::Duration mechanisms_age{10'000'000};
    // Answers at once from memory, or when auth has answered; an empty list if it is away.  The
    // number serves forget(); 0 if it was answered already.
    std::uint64_t mechanisms(bool tls, MechanismsReply reply);

    using AuthenticationReply = std::function<void(const AuthenticationResult&)>;
    // Begins an exchange; its number, which auth knows, too.
    std::uint64_t authenticate(Authenticate wanted, AuthenticationReply reply);
    void respond(std::uint64_t exchange, std::string response);
    // The client gave up, or is gone.
    void cancel(std::uint64_t exchange);

    struct Opened {
        enum class Kind : unsigned char {
            Done,
            Refused,  // nobody has the descriptor but the door
            Lost,     // usher is gone: the descriptor may be in other hands already
        };
        Kind kind = Kind::Done;
        bool permanent = false;
        std::string text = {};
        bool too_soon = false;
    };
    using OpenReply = std::function<void(const Opened&)>;
    std::uint64_t open(OpenSession wanted, OpenReply reply);

    // A session that was opened here is over and its connection comes back.
    using Returned = std::function<void(SessionReturned)>;
    void on_returned(Returned returned) { returned_ = std::move(returned); }
    // The door ends: what has come back is told now, and what usher would still give back stays with that.
    void hear_out();

    // The asker is gone: no reply wanted for mechanisms() or open().
    void forget(std::uint64_t request);

private:
    Channel* auth();
    Channel* usher();
    void auth_said(Packet& packet);
    void usher_said(Packet& packet);
    void auth_lost(const util::Error& error);
    void usher_lost(const util::Error& error);

    struct MechanismsAsked {
        std::uint64_t request = 0;
        bool tls = false;
        MechanismsReply reply;
    };
    struct MechanismsKnown {
        std::vector<std::string> names;
        util::Instant at = util::Instant::min();
    };

    util::EventLoop& loop_;
    Service service_;
    Sockets sockets_;
    std::unique_ptr<Channel> auth_;
    std::unique_ptr<Channel> usher_;
    std::uint64_t next_ = 1;
    MechanismsKnown known_[2];                       // by tls
    std::vector<MechanismsAsked> asked_;             // in the order of the answers
    std::map<std::uint64_t, AuthenticationReply> exchanges_;
    std::map<std::uint64_t, OpenReply> opens_;
    Returned returned_;
};

}  // namespace ipc
