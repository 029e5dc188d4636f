// Service: the conversations of auth(8) (libipc/authentication.h) with all its peers.
//
// SMTP, IMAP and POP3 servers run SASL exchanges here, many at a time on one connection; usher
// redeems tickets.  Every failure looks the same from outside: unknown name, wrong password,
// disabled account, a protocol or network from which the account may not be opened.  What limits a log-in
// is asked anew whenever something is granted: neither the cache nor a ticket outlives it.
#pragma once

#include "auth/accounts.h"
#include "auth/cache.h"
#include "auth/guard.h"
#include "auth/last_uses.h"
#include "auth/pam.h"
#include "auth/tickets.h"
#include "auth/workers.h"
#include "libconf/match_list.h"
#include "libipc/authentication.h"
#include "libipc/statistics.h"
#include "libmail/sasl.h"

#include <list>
#include <map>
#include <memory>

namespace auth {

struct Settings {
    std::vector<std::string> mechanisms;
    bool allow_plaintext_login = false;
    std::size_t cache_size = 0;
    util::Duration cache_ttl{};
    util::Duration failure_delay{};
    util::Duration failure_delay_limit{};
    std::uint64_t network_failure_limit = 0;   // with both 0 anvil(8) is not asked
    std::uint64_t account_failure_limit = 0;
    std::shared_ptr<conf::Networks> failure_exceptions = {};  // shared, since settings are copied; may be null
    int ipv4_prefix = 32;
    int ipv6_prefix = 64;
    std::string anvil_socket = {};
    std::string pam_socket = {};
    util::Duration ticket_lifetime{};
    uid_t usher_uid = 0;
    std::string data_directory = {};
};

class Service {
public:
    // Exchanges that one peer may have open; beyond it the oldest is given up.
    static constexpr std::size_t exchange_limit = 10'000;

    Service(util::EventLoop& loop, Accounts& accounts, Workers& workers, Settings settings);
    ~Service();

    // `gone` is called when the peer has closed.
    void accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone);
    // New parameters; the cache starts afresh.
    void change(Settings settings);

private:
    struct Exchange {
        ipc::Authenticate request;
        mail::SaslExchange sasl;
        std::string network = {};          // empty: its log-ins are not counted
        ipc::LoginHistory history = {};
        std::uint64_t guarded = 0;         // the question to anvil(8) that is open
        util::Instant heard = {};          // when the client's last words came
        std::string account = {};          // whose: aliases are resolved
        std::vector<std::string> provable = {};   // of SCRAM: the app password that each verifier is of
        std::vector<std::string> stamps = {};     // and of what it was when it was given
    };
    struct Peer {
        std::uint64_t number = 0;
        uid_t uid = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::map<std::uint64_t, Exchange> exchanges;
        std::function<void()> gone;
    };

    void received(Peer& peer, ipc::Packet& packet);
    void mechanisms(Peer& peer, const ipc::MechanismsWanted& wanted);
    void begin(Peer& peer, ipc::Authenticate request);
    void respond(Peer& peer, const ipc::AuthenticationResponse& response);
    void redeem(Peer& peer, const ipc::RedeemTicket& request);

    void take(Peer& peer, std::uint64_t number, mail::SaslStep step);
    // What is next, once anvil(8) has nothing against it.
    using Next = void (Service::*)(Peer& peer, std::uint64_t number);
    void admit(Peer& peer, std::uint64_t number, Next next);
    std::string counted_network(const std::string& address);
    std::string blocked(const Exchange& exchange) const;
    void check_password(Peer& peer, std::uint64_t number);
    bool check_app_password(Peer& peer, std::uint64_t number, std::string& refusal);
    void find_verifiers(Peer& peer, std::uint64_t number);
    void prove(Peer& peer, std::uint64_t number, std::string data);
    // Which secret was right (`app` is empty: the main password), and what Accounts::leave() said of it then.
    struct Proof {
        std::string app;
        std::string stamp;
    };
    // Has PAM asked where the account is that of a user of the system: for the account's state alone when the
    // password was another's to check.
    void confirm(Peer& peer, std::uint64_t number, Proof proof, const Accounts::Leave& leave, std::string data);
    void ask_pam(Peer& peer, std::uint64_t number, Proof proof, const Accounts::Leave& leave,
                 std::optional<std::string> password, std::string data);
    void succeed(Peer& peer, std::uint64_t number, const Proof& proof, std::string data);
    void fail(Peer& peer, std::uint64_t number, ipc::AuthenticationResult::Kind kind, std::string_view text);
    void refuse_identity(Peer& peer, std::uint64_t number);
    std::vector<std::string> offered(bool tls, bool channel_binding);
    util::Result<bool> may_act(const Exchange& exchange);
    static Origin origin_of(const ipc::Authenticate& request);
    void refresh();
    void tell_statistics(Peer& peer) const;

    util::EventLoop& loop_;
    Accounts& accounts_;
    Workers& workers_;
    Settings settings_;
    Cache cache_;
    Tickets tickets_;
    Guard guard_;
    Pam pam_;
    LastUses last_uses_;
    std::uint64_t next_guarded_ = 1;
    std::map<std::uint64_t, Peer> peers_;
    std::uint64_t next_peer_ = 1;
    std::map<ipc::AuthenticationResult::Kind, std::uint64_t> results_;   // of exchanges, for tern stats
};

}  // namespace auth
