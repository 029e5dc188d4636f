// The door of a mail protocol: TLS, the log-in dialogue, and then bytes to and from the mailbox.
//
// A multiplexer.  The protocol's own part is a LoginDialog; here are the clients' connections, the
// time and attempt limits, auth(8) and usher(8).  After log-in a plain connection goes to the
// mailbox process whole; one with TLS stays, and its bytes are spliced.  A door never names a user.
#pragma once

#include "libipc/dialogues.h"
#include "libipc/door_config.h"
#include "libipc/door_settings.h"
#include "libipc/listener.h"
#include "libipc/login_dialog.h"
#include "libipc/login_service.h"
#include "libipc/server.h"
#include "libipc/splice.h"
#include "libnet/endpoint.h"
#include "libnet/tls_channel.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace ipc {

class DoorClient;

class Door {
public:
    using MakeDialog = std::function<std::unique_ptr<LoginDialog>()>;

    Door(util::EventLoop& loop, Service service, DoorSettings settings,
         LoginService::Sockets sockets, MakeDialog make_dialog);
    ~Door();

    // Keys and certificates in PEM; connections from here on use them.  Without any, no TLS.
    util::Result<void> set_certificates(std::string_view pem);
    // A client; `gone` is called when the door has nothing to do with it any more.
    void accept(util::UniqueFd socket, const sockaddr_storage& address, std::function<void()> gone);
    // Asked before a connection without TLS is taken back from a session that has ended: is there room for it?  Its end
    // is told by the second.
    void set_returning(std::function<bool()> admit, std::function<void()> gone);
    // The last words to a client who is not let in, in the protocol's form.
    std::string farewell(std::string_view reason) const;
    // Ends the dialogues; spliced sessions go on, and `done` is called when the last has ended.
    void stop(std::function<void()> done);

private:
    friend class DoorClient;

    // A connection whose PROXY header has not come yet.
    struct Proxied;
    void hear_proxy(Proxied& proxied);
    void admit(util::UniqueFd socket, const net::Endpoint& address, std::function<void()> gone);
    void turn_away(int socket, std::string_view reason);
    void take_back(SessionReturned returned);
    Dialogues::Place place_for(const std::string& address);
    void remove(DoorClient& client);
    void sweep();

    util::EventLoop& loop_;
    Service service_;
    DoorSettings settings_;
    LoginService logins_;
    MakeDialog make_dialog_;
    std::optional<net::TlsContext> tls_;
    Dialogues dialogues_;
    std::unordered_map<std::uint64_t, std::unique_ptr<DoorClient>> clients_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Proxied>> proxied_;
    std::unordered_map<std::string, DoorClient*> spliced_;      // by session
    std::function<bool()> admit_returned_;
    std::function<void()> returned_gone_;
    std::vector<std::unique_ptr<DoorClient>> removed_;          // until the loop's next round
    util::Timer sweep_timer_;
    std::uint64_t next_ = 1;
    std::function<void()> stopped_;
};

// What the main() of a door does after it has read its parameters: goes into the sandbox, serves
// until master says stop.
util::Result<void> run_door(server::Process& process, Service service, const DoorConfig& config,
                            Door::MakeDialog make_dialog);

}  // namespace ipc
