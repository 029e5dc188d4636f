// tern who and tern kick.
#include "tools/tern/who.h"

#include "libipc/connection.h"
#include "libipc/who.h"
#include "libutil/log_text.h"
#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tools/tern/start.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

constexpr auto answer_timeout = std::chrono::seconds(30);
constexpr std::size_t max_shown = 100;
constexpr auto kick_time = std::chrono::seconds(5);
constexpr long kick_pause_nanoseconds = 50'000'000;

struct Session {
    std::string id;       // "smtp/812", or of a log-in "99a09403a2b89605"
    std::string account;  // empty: nobody is logged in
    std::string service;
    std::string client;
    std::int64_t since = 0;  // seconds since 1970
    bool tls = false;
    std::string state;
};

struct House {
    std::vector<Session> sessions;
    std::vector<ipc::LiveMailbox> mailboxes;
};

int complain(int status, std::string_view text)
{
    print(STDERR_FILENO, util::concat("tern: ", text, "\n"));
    return status;
}

int status_of(const util::Error& error) { return error.code == EACCES || error.code == EPERM ? EX_NOPERM : EX_TEMPFAIL; }

std::string_view name_of(ipc::Service service)
{
    constexpr std::string_view names[] = {"smtp", "imap", "pop3", "sieve"};
    return names[static_cast<std::size_t>(service)];
}

// What a worker says of itself is not believed, but shown.
Session session_of(const server::WorkerNote& worker)
{
    Session session;
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
    }
    if (!name.empty() && name != "unknown")
        session.client = util::concat(name, '[', session.client, ']');
    return session;
}

util::Result<void> ask_master(const Instance& instance, House& house)
{
    auto master = TRY(ipc::Connection::connect(instance.private_socket(server::control_socket_name), answer_timeout));
    TRY(master.send(server::ControlRequest{.command = server::ControlCommand::who}));
    for (;;) {
        auto answer = TRY(master.receive_as<server::WhoServed>());
        for (const server::WorkerNote& worker : answer.workers)
            house.sessions.push_back(session_of(worker));
        if (answer.last)
            return {};
    }
}

util::Result<void> ask_usher(const Instance& instance, House& house)
{
    auto usher = TRY(ipc::Connection::connect(instance.private_socket("usher"), answer_timeout));
    TRY(usher.send(ipc::WhoWanted{}));
    for (;;) {
        auto answer = TRY(usher.receive_as<ipc::WhoAnswer>());
        for (ipc::LiveSession& live : answer.sessions)
            house.sessions.push_back({live.facts.session, live.account, std::string(name_of(live.facts.service)), live.facts.client_address,
                                      live.since / 1'000'000, live.facts.tls, "logged in"});
        std::ranges::move(answer.mailboxes, std::back_inserter(house.mailboxes));
        if (answer.last)
            return {};
    }
}

util::Result<House> ask_all(const Instance& instance)
{
    House house;
    TRY(ask_master(instance, house));
    TRY(ask_usher(instance, house));
    std::ranges::sort(house.sessions, {}, &Session::since);
    std::ranges::sort(house.mailboxes, {}, &ipc::LiveMailbox::account);
    return house;
}

std::string time_text(std::int64_t seconds)
{
    std::time_t clock = seconds;
    std::tm local{};
    ::localtime_r(&clock, &local);
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local));
}

// Columns as wide as they need be.
std::string table_of(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            util::append(out, row[i], std::string(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' '));
        out += '\n';
    }
    return out;
}

std::string to_text(const House& house)
{
    std::vector<std::vector<std::string>> rows = {{"session", "account", "service", "client", "since", "tls", "state"}};
    for (const Session& session : house.sessions)
        rows.push_back({util::printable(session.id, max_shown), session.account.empty() ? "-" : util::printable(session.account, max_shown),
                        util::printable(session.service, max_shown), util::printable(session.client, max_shown), time_text(session.since),
                        session.tls ? "yes" : "no", util::printable(session.state, max_shown)});
    std::string out = table_of(rows);
    if (house.mailboxes.empty())
        return out;
    rows = {{"mailbox of", "process", "since", "sessions"}};
    for (const ipc::LiveMailbox& mailbox : house.mailboxes)
        rows.push_back({util::printable(mailbox.account, max_shown), util::concat(mailbox.pid), time_text(mailbox.since / 1'000'000),
                        util::concat(mailbox.sessions, mailbox.ready ? "" : " (it starts)")});
    return util::concat(out, "\n", table_of(rows));
}

std::string to_json(const House& house)
{
    std::string out;
    for (const Session& session : house.sessions) {
        util::append(out, "{\"session\": ", util::json_quote(session.id));
        if (!session.account.empty())
            util::append(out, ", \"account\": ", util::json_quote(session.account));
        util::append(out, ", \"service\": ", util::json_quote(session.service), ", \"client\": ", util::json_quote(session.client), ", \"since\": ",
                     session.since, ", \"tls\": ", session.tls ? "true" : "false", ", \"state\": ", util::json_quote(session.state), "}\n");
    }
    for (const ipc::LiveMailbox& mailbox : house.mailboxes)
        util::append(out, "{\"mailbox\": ", util::json_quote(mailbox.account), ", \"pid\": ", mailbox.pid, ", \"since\": ", mailbox.since / 1'000'000,
                     ", \"sessions\": ", mailbox.sessions, ", \"ready\": ", mailbox.ready ? "true" : "false", "}\n");
    return out;
}

// Of SMTP: one process each.
util::Result<bool> kick_process(const Instance& instance, std::string_view id)
{
    auto pid = util::parse_unsigned(id.substr(id.rfind('/') + 1), INT32_MAX);
    if (!pid)
        return false;
    auto master = TRY(ipc::Connection::connect(instance.private_socket(server::control_socket_name), answer_timeout));
    auto answer = TRY(master.call<server::ControlAnswer>(
        server::ControlRequest{.command = server::ControlCommand::kick, .pid = static_cast<std::int32_t>(*pid)}));
    return answer.ok;
}

// A worker that is just reading may miss the signal: it gets another one, as long as the session goes on.
util::Result<void> kick_until_gone(const Instance& instance, const std::vector<Session>& wanted)
{
    util::Deadline deadline = util::Deadline::in(kick_time);
    for (bool more = !wanted.empty(); more && !deadline.passed();) {
        timespec pause{0, kick_pause_nanoseconds};
        ::nanosleep(&pause, nullptr);
        House house;
        TRY(ask_master(instance, house));
        more = false;
        for (const Session& session : house.sessions)
            for (const Session& one : wanted)
                if (session.id == one.id && session.since == one.since && session.client == one.client)
                    more = TRY(kick_process(instance, session.id)) || more;
    }
    return {};
}

util::Result<std::uint64_t> kick_all(const Instance& instance, const std::string& whom)
{
    // Who has just gone is no failure: of those that are there, each is asked for by the name it has.
    House house = TRY(ask_all(instance));
    bool account = whom.find('@') != std::string::npos;
    std::vector<Session> kicked;
    for (const Session& session : house.sessions)
        if (session.id.find('/') != std::string::npos && (account ? util::equal_nocase(session.account, whom) : session.id == whom))
            if (TRY(kick_process(instance, session.id)))
                kicked.push_back(session);
    auto usher = TRY(ipc::Connection::connect(instance.private_socket("usher"), answer_timeout));
    auto ending = TRY(usher.call<ipc::SessionsEnding>(ipc::EndSessions{account ? util::lower(whom) : "", account ? "" : whom}));
    TRY(kick_until_gone(instance, kicked));
    return kicked.size() + ending.count;
}

int not_running(const Instance& instance)
{
    auto running = instance.running();
    return running && !*running ? complain(1, "the mail system is not running") : 0;
}

}  // namespace

util::Result<std::size_t> count_sessions(const Instance& instance, std::map<std::string, std::uint64_t>& sessions)
{
    House house = TRY(ask_all(instance));
    for (const Session& session : house.sessions)
        ++sessions[session.service];
    return house.mailboxes.size();
}

int who(const Instance& instance, int count, char** words)
{
    bool json = count == 2 && std::string_view(words[1]) == "-j";
    if (count > 1 && !json)
        return complain(EX_USAGE, "usage: tern [-c /config/directory] who [-j]");
    if (int status = not_running(instance))
        return status;
    auto house = ask_all(instance);
    if (!house)
        return complain(status_of(house.error()), house.error().text);
    util::print_out(json ? to_json(*house) : to_text(*house));
    return EX_OK;
}

int kick(const Instance& instance, int count, char** words)
{
    if (count != 2 || *words[1] == '\0')
        return complain(EX_USAGE, "usage: tern [-c /config/directory] kick account|session");
    if (int status = not_running(instance))
        return status;
    auto ended = kick_all(instance, words[1]);
    if (!ended)
        return complain(status_of(ended.error()), ended.error().text);
    if (*ended == 0)
        return complain(EX_UNAVAILABLE, util::concat("no session of ", util::printable(words[1], max_shown)));
    return complain(EX_OK, util::concat(*ended, *ended == 1 ? " session is" : " sessions are", " ended"));
}

}  // namespace tern
