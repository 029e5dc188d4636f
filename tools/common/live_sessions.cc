// Who is logged in, and ending sessions.
#include "tools/common/live_sessions.h"

#include "libipc/connection.h"
#include "libipc/control.h"
#include "libutil/log_text.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace tools {

namespace {

constexpr auto answer_timeout = std::chrono::seconds(30);
constexpr auto end_time = std::chrono::seconds(5);
constexpr long pause_nanoseconds = 50'000'000;

std::string_view name_of(ipc::Service service)
{
    constexpr std::string_view names[] = {"smtp", "imap", "pop3", "sieve"};
    return names[static_cast<std::size_t>(service)];
}

// What a worker says of itself is not believed, but shown.
LiveSession session_of(const server::WorkerNote& worker)
{
    LiveSession session;
    session.id = util::concat(worker.service, '/', worker.pid);
    session.service = worker.program == "smtpd" ? "smtp" : worker.program;
    std::string name;
    std::string_view rest = worker.note;
    for (auto pair = util::log::next_pair(rest); !pair.first.empty(); pair = util::log::next_pair(rest)) {
        std::string_view value = pair.second;
        if (pair.first == "since")
            session.since = static_cast<std::int64_t>(util::parse_unsigned(value, INT64_MAX).value_or(0));
        else if (pair.first == "client")
            session.client = value;
        else if (pair.first == "name")
            name = value;
        else if (pair.first == "tls")
            session.tls = value == "yes";
        else if (pair.first == "state")
            session.state = value;
        else if (pair.first == "queue_id")
            util::append(session.state, " ", value);
        else if (pair.first == "user" && value.size() > 2)
            session.account = value.substr(1, value.size() - 2);
        else if (pair.first == "app")
            session.app_password = value;
    }
    session.client_address = session.client;
    if (!name.empty() && name != "unknown")
        session.client = util::concat(name, '[', session.client, ']');
    return session;
}

// A socket that is left over from a system that ended is as none.
util::Result<ipc::Connection> connect(const std::string& path)
{
    auto connection = ipc::Connection::connect(path, answer_timeout);
    if (!connection.ok() && (connection.error().code == ENOENT || connection.error().code == ECONNREFUSED))
        return util::not_found("the mail system is not running");
    return connection;
}

}  // namespace

LiveSessions::LiveSessions(const std::string& queue_directory)
    : master_(util::concat(queue_directory, "/private/", server::control_socket_name)),
      usher_(queue_directory + "/private/usher")
{
}

util::Result<void> LiveSessions::ask_master(House& house) const
{
    auto master = TRY(connect(master_));
    TRY(master.send(server::ControlRequest{.command = server::ControlCommand::who}));
    for (;;) {
        auto answer = TRY(master.receive_as<server::WhoServed>());
        for (const server::WorkerNote& worker : answer.workers)
            house.sessions.push_back(session_of(worker));
        if (answer.last)
            return {};
    }
}

util::Result<void> LiveSessions::ask_usher(House& house) const
{
    auto usher = TRY(connect(usher_));
    TRY(usher.send(ipc::WhoWanted{}));
    for (;;) {
        auto answer = TRY(usher.receive_as<ipc::WhoAnswer>());
        for (ipc::LiveSession& live : answer.sessions)
            house.sessions.push_back({live.facts.session, live.account, live.app_password,
                                      std::string(name_of(live.facts.service)), live.facts.client_address,
                                      live.facts.client_address, live.since / 1'000'000, live.facts.tls,
                                      live.parked ? "parked" : "logged in"});
        std::ranges::move(answer.mailboxes, std::back_inserter(house.mailboxes));
        if (answer.last)
            return {};
    }
}

util::Result<House> LiveSessions::ask() const
{
    House house;
    TRY(ask_master(house));
    TRY(ask_usher(house));
    std::ranges::sort(house.sessions, {}, &LiveSession::since);
    std::ranges::sort(house.mailboxes, {}, &ipc::LiveMailbox::account);
    return house;
}

// Of SMTP: one process each.
util::Result<bool> LiveSessions::end_process(std::string_view id) const
{
    auto pid = util::parse_unsigned(id.substr(id.rfind('/') + 1), INT32_MAX);
    if (!pid)
        return false;
    auto master = TRY(connect(master_));
    auto answer = TRY(master.call<server::ControlAnswer>(
        server::ControlRequest{.command = server::ControlCommand::kick, .pid = static_cast<std::int32_t>(*pid)}));
    return answer.ok;
}

// A worker that is just reading may miss the signal: it gets another one, as long as the session goes on.
util::Result<void> LiveSessions::end_until_gone(const std::vector<LiveSession>& wanted) const
{
    util::Deadline deadline = util::Deadline::in(end_time);
    for (bool more = !wanted.empty(); more && !deadline.passed();) {
        timespec pause{0, pause_nanoseconds};
        ::nanosleep(&pause, nullptr);
        House house;
        TRY(ask_master(house));
        more = false;
        for (const LiveSession& session : house.sessions)
            for (const LiveSession& one : wanted)
                if (session.id == one.id && session.since == one.since && session.client == one.client)
                    more = TRY(end_process(session.id)) || more;
    }
    return {};
}

// Those of SMTP; who has just gone is no failure.
util::Result<std::vector<LiveSession>> LiveSessions::end_processes(const House& house, const Wanted& wanted) const
{
    std::vector<LiveSession> ended;
    for (const LiveSession& session : house.sessions)
        if (session.id.find('/') != std::string::npos && wanted(session) && TRY(end_process(session.id)))
            ended.push_back(session);
    return ended;
}

util::Result<std::uint64_t> LiveSessions::end_at_usher(const std::vector<ipc::EndSessions>& orders) const
{
    std::uint64_t count = 0;
    if (orders.empty())
        return count;
    auto usher = TRY(connect(usher_));
    for (const ipc::EndSessions& order : orders)
        count += TRY(usher.call<ipc::SessionsEnding>(order)).count;
    return count;
}

util::Result<std::uint64_t> LiveSessions::end(const std::string& whom) const
{
    House house = TRY(ask());
    bool account = whom.find('@') != std::string::npos;
    auto ended = TRY(end_processes(house, [&](const LiveSession& session) {
        return account ? util::equal_nocase(session.account, whom) : session.id == whom;
    }));
    std::uint64_t count = TRY(end_at_usher({{account ? util::lower(whom) : "", account ? "" : whom}}));
    TRY(end_until_gone(ended));
    return ended.size() + count;
}

util::Result<std::uint64_t> LiveSessions::end_opened_with(const std::string& account, const std::string& app_password) const
{
    House house = TRY(ask());
    auto ended = TRY(end_processes(house, [&](const LiveSession& session) {
        return util::equal_nocase(session.account, account) && session.app_password == app_password;
    }));
    std::uint64_t count = TRY(end_at_usher({{util::lower(account), "", app_password, app_password.empty()}}));
    TRY(end_until_gone(ended));
    return ended.size() + count;
}

util::Result<std::uint64_t> LiveSessions::groups_changed(const std::string& account) const
{
    auto usher = TRY(connect(usher_));
    return TRY(usher.call<ipc::SessionsEnding>(ipc::GroupsChanged{util::lower(account)})).count;
}

util::Result<std::uint64_t> LiveSessions::end_those(const std::string& account, const Wanted& wanted) const
{
    House house = TRY(ask());
    std::vector<ipc::EndSessions> orders;
    auto meant = [&](const LiveSession& session) { return util::equal_nocase(session.account, account) && wanted(session); };
    for (const LiveSession& session : house.sessions)
        if (session.id.find('/') == std::string::npos && meant(session))
            orders.push_back({"", session.id});
    auto ended = TRY(end_processes(house, meant));
    std::uint64_t count = TRY(end_at_usher(orders));
    TRY(end_until_gone(ended));
    return ended.size() + count;
}

}  // namespace tools
