// auth(8)'s service in a loop of its own, for unit tests.
#pragma once

#include "auth/service.h"
#include "libipc/connection.h"
#include "libnet/crypto.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <crypt.h>
#include <cstdlib>
#include <sys/socket.h>

namespace test {

using Kind = ipc::AuthenticationResult::Kind;

// The service in a loop of its own, files in a scratch directory, and one peer.
class AuthFixture {
public:
    explicit AuthFixture(std::string_view credentials = {}, uid_t uid = 77, std::size_t may_wait = 3)
    {
        util::log::to_nowhere();
        char name[] = "/tmp/tern-auth-test-XXXXXX";
        CHECK(::mkdtemp(name));
        directory = name;
        conf::Account alice{"alice@example.org", 5000, 5000, "/home/alice", {}};
        conf::Account off{"off@example.org", 5001, 5001, "/home/off", {"disabled"}};
        conf::Account info;
        info.address = "info@example.org", info.target = "alice@example.org", info.flags = {"alias", "login"};
        conf::Account sales = info;
        sales.address = "sales@example.org", sales.flags = {"alias", "send"};
        listed = {alice, off, info, sales};
        OK(conf::write_accounts(directory + "/accounts", listed));
        write_credentials(credentials.empty() ? usual() : std::string(credentials));
        accounts.emplace(directory, "example.org", "a secret that lasts");
        loop.emplace(util::EventLoop::create().take());
        workers.emplace(*loop, 1, may_wait);
        settings = {.mechanisms = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"},
                    .allow_plaintext_login = false,
                    .cache_size = 10,
                    .cache_ttl = std::chrono::hours(1),
                    .failure_delay = std::chrono::seconds(2),
                    .ticket_lifetime = std::chrono::seconds(10),
                    .usher_uid = 0,
                    .data_directory = directory};
        OK(util::sys::mkdir(directory + "/auth", 0700));
        service.emplace(*loop, *accounts, *workers, settings);
        peer = connect(uid);
    }
    ~AuthFixture()
    {
        service.reset();
        workers.reset();
        for (const char* file : {"/accounts", "/credentials", "/logins", "/auth/last-uses"})
            (void)util::sys::unlink(directory + file);
        (void)util::sys::rmdir(directory + "/auth");
        (void)util::sys::rmdir(directory);
    }

    static std::string usual()
    {
        auto verifier = mail::to_text(mail::make_scram_verifier("secret", "salt", 4096).take());
        return util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}secret:", verifier,
                            "\noff@example.org:{PLAIN}secret:", verifier, "\n");
    }
    void write_logins(const conf::LoginsByAccount& logins)
    {
        OK(util::sys::replace_file(directory + "/logins", conf::format_logins(logins).take(), 0600));
    }
    void write_credentials(std::string_view text)
    {
        OK(util::sys::replace_file(directory + "/credentials", text));
    }
    ipc::Connection connect(uid_t uid)
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
        service->accept(std::move(pair.first), uid, [this] { ++gone; });
        return ipc::Connection(std::move(pair.second));
    }

    // Sends, and runs the loop until the answer is there.
    template <typename Answer, typename Message>
    Answer call(ipc::Connection& connection, const Message& message)
    {
        OK(connection.send(message));
        for (int i = 0; i < 5000; ++i) {
            loop->run_for(std::chrono::milliseconds(20));
            auto packet = ipc::receive_packet(connection.fd(), MSG_DONTWAIT);
            if (packet.ok() && *packet)
                return ipc::decode<Answer>(**packet).take();
        }
        ck_abort_msg("no answer came");
    }
    ipc::AuthenticationResult plain(std::string_view user, std::string_view password, std::string_view authzid = {},
                                    bool ticket = false, ipc::Service by = ipc::Service::Imap,
                                    std::string address = "192.0.2.1")
    {
        ipc::Authenticate request;
        request.exchange = ++number;
        request.service = by;
        request.client_address = std::move(address);
        request.mechanism = "PLAIN";
        request.tls = true;
        request.wants_ticket = ticket;
        request.initial = util::concat(authzid, '\0', user, '\0', password);
        return call<ipc::AuthenticationResult>(peer, request);
    }

    std::string directory;
    std::vector<conf::Account> listed;
    std::optional<auth::Accounts> accounts;
    std::optional<util::EventLoop> loop;
    std::optional<auth::Workers> workers;
    std::optional<auth::Service> service;
    auth::Settings settings;
    ipc::Connection peer;
    std::uint64_t number = 0;
    int gone = 0;
};

// With the time of the check.
inline void is_about_two_seconds(std::int64_t delay)
{
    ck_assert_msg(delay <= 2'000'000 && delay > 500'000, "%lld", static_cast<long long>(delay));
}

// RFC 5802 §3, the client's side.
inline std::string scram_final(std::string_view password, std::string_view first_bare, const std::string& server_first,
                        std::string_view binding)
{
    auto field = [&](char name) {
        for (std::string_view part : util::split(server_first, ','))
            if (part.size() > 2 && part[0] == name && part[1] == '=')
                return std::string(part.substr(2));
        return std::string();
    };
    auto salted = net::pbkdf2_sha256(password, util::decode_base64(field('s')).take(),
                                     std::uint32_t(util::parse_unsigned(field('i')).value_or(1))).take();
    std::string key = net::hmac_sha256(salted, "Client Key");
    std::string without = util::concat("c=", util::encode_base64(binding), ",r=", field('r'));
    std::string signature = net::hmac_sha256(net::sha256(key), util::concat(first_bare, ',', server_first, ',', without));
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = char(key[i] ^ signature[i]);
    return util::concat(without, ",p=", util::encode_base64(key));
}

inline ipc::AuthenticationResult scram(AuthFixture& f, std::string_view user, std::string_view password, bool plus)
{
    ipc::Authenticate request;
    request.exchange = ++f.number;
    request.service = ipc::Service::Imap;
    request.tls = plus;
    request.mechanism = plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
    request.wants_ticket = true;
    std::string header = plus ? "p=tls-exporter,," : "n,,";
    std::string bare = util::concat("n=", user, ",r=clientnonce");
    if (plus) {
        request.channel_binding_type = "tls-exporter";
        request.channel_binding = "0123456789abcdef0123456789abcdef";
    }
    request.initial = header + bare;
    auto challenge = f.call<ipc::AuthenticationResult>(f.peer, request);
    EQ(challenge.kind, Kind::Challenge);
    ipc::AuthenticationResponse response;
    response.exchange = f.number;
    response.response = scram_final(password, bare, challenge.data, header + request.channel_binding);
    auto result = f.call<ipc::AuthenticationResult>(f.peer, response);
    if (result.kind != Kind::Challenge)
        return result;
    // The server's proof; the client has no more to say.
    THAT(result.data.starts_with("v="));
    response.response.clear();
    return f.call<ipc::AuthenticationResult>(f.peer, response);
}

// crypt(3)'s "$5$" for "secret", slow enough that what is sent at once meets.
inline std::string slow_credentials()
{
    crypt_data data{};
    std::string hash = crypt_r("secret", "$5$rounds=20000$salt$", &data);
    return util::concat(conf::credentials_version_line, "alice@example.org:", hash, ":\noff@example.org:", hash, ":\n");
}

inline std::string salt_shown(AuthFixture& f, std::string_view user)
{
    ipc::Authenticate request;
    request.exchange = ++f.number;
    request.service = ipc::Service::Imap;
    request.client_address = "192.0.2.1";
    request.tls = true;
    request.mechanism = "SCRAM-SHA-256";
    request.initial = util::concat("n,,n=", user, ",r=clientnonce");
    auto challenge = f.call<ipc::AuthenticationResult>(f.peer, request);
    return challenge.data.substr(challenge.data.find(",s="));
}

inline conf::LoginsByAccount limited(std::string_view protocols, std::string_view networks)
{
    conf::LoginsByAccount all;
    all["alice@example.org"].limits = {
        conf::parse_login_protocols(protocols).take(), conf::parse_login_networks(networks).take(), {}};
    return all;
}

}  // namespace test
