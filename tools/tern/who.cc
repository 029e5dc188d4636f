// tern who and tern kick.
#include "tools/tern/who.h"

#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "tools/common/live_sessions.h"
#include "tools/common/table_text.h"
#include "tools/tern/start.h"

#include <cerrno>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

using tools::House;
using tools::table_of;

constexpr std::size_t max_column = 100;

int status_of(const util::Error& error) { return error.code == EACCES || error.code == EPERM ? EX_NOPERM : EX_TEMPFAIL; }

std::string account_text(const tools::LiveSession& session)
{
    if (session.account.empty())
        return "-";
    std::string app =
        session.app_password.empty() ? "" : util::concat(" (", util::printable(session.app_password, max_column), ")");
    return util::printable(session.account, max_column) + app;
}

std::string to_text(const House& house)
{
    std::vector<std::vector<std::string>> rows = {{"session", "account", "service", "client", "since", "tls", "state"}};
    for (const tools::LiveSession& session : house.sessions)
        rows.push_back({util::printable(session.id, max_column), account_text(session),
                        util::printable(session.service, max_column), util::printable(session.client, max_column),
                        tools::time_text(session.since), session.tls ? "yes" : "no",
                        util::printable(session.state, max_column)});
    std::string out = table_of(rows);
    if (house.mailboxes.empty())
        return out;
    rows = {{"mailbox of", "process", "since", "sessions"}};
    for (const ipc::LiveMailbox& mailbox : house.mailboxes)
        rows.push_back({util::printable(mailbox.account, max_column), util::concat(mailbox.pid),
                        tools::time_text(mailbox.since / 1'000'000),
                        util::concat(mailbox.sessions, mailbox.ready ? "" : " (it starts)")});
    return util::concat(out, "\n", table_of(rows));
}

std::string to_json(const House& house)
{
    std::string out;
    for (const tools::LiveSession& session : house.sessions) {
        util::append(out, "{\"session\": ", util::json_quote(session.id));
        if (!session.account.empty())
            util::append(out, ", \"account\": ", util::json_quote(session.account));
        if (!session.app_password.empty())
            util::append(out, ", \"app_password\": ", util::json_quote(session.app_password));
        util::append(out, ", \"service\": ", util::json_quote(session.service),
                     ", \"client\": ", util::json_quote(session.client), ", \"since\": ", session.since,
                     ", \"tls\": ", session.tls ? "true" : "false", ", \"state\": ", util::json_quote(session.state), "}\n");
    }
    for (const ipc::LiveMailbox& mailbox : house.mailboxes)
        util::append(out, "{\"mailbox\": ", util::json_quote(mailbox.account), ", \"pid\": ", mailbox.pid,
                     ", \"since\": ", mailbox.since / 1'000'000, ", \"sessions\": ", mailbox.sessions,
                     ", \"ready\": ", mailbox.ready ? "true" : "false", "}\n");
    return out;
}

int not_running(const Instance& instance)
{
    auto running = instance.running();
    return running && !*running ? complain(1, "the mail system is not running") : 0;
}

}  // namespace

util::Result<std::size_t> count_sessions(const Instance& instance, std::map<std::string, std::uint64_t>& sessions)
{
    House house = TRY(tools::LiveSessions(instance.queue_directory()).ask());
    for (const tools::LiveSession& session : house.sessions)
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
    auto house = tools::LiveSessions(instance.queue_directory()).ask();
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
    auto ended = tools::LiveSessions(instance.queue_directory()).end(words[1]);
    if (!ended)
        return complain(status_of(ended.error()), ended.error().text);
    if (*ended == 0)
        return complain(EX_UNAVAILABLE, util::concat("no session of ", util::printable(words[1], max_column)));
    return complain(EX_OK, util::concat(*ended, *ended == 1 ? " session is" : " sessions are", " ended"));
}

}  // namespace tern
