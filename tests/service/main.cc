// A service for tests: takes any program's place under master(8).  Its own arguments say what it is:
//
//   worker NAME           one client at a time: lines "pid", "certificates", "crash", "hang", "quit"
//   multiplexer NAME      the same for many clients; NAME is the program whose place it takes
//   exclusive NAME, reread NAME   a multiplexer that takes a reload that way
//   die NAME              ends with status 1 before it serves
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libutil/log.h"
#include "tests/service/sandbox_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>

namespace {

struct NoParameters : conf::Section {};

struct Service {
    server::Process& process;
    std::string certificates;
    std::uint64_t wakeups = 0;
    std::uint64_t reconfigured = 0;

    // The answer to a line; empty ends the conversation.
    std::string answer(std::string_view line)
    {
        if (line == "pid")
            return util::concat(::getpid(), "\n");
        if (line == "uid")
            return util::concat(::getuid(), " ", ::getgid(), "\n");
        if (line == "overrides")
            return util::concat(process.arguments().overrides.size(),
                                process.arguments().overrides.empty() ? "" : " " + process.arguments().overrides.back(), "\n");
        if (line == "certificates")
            return util::concat(certificates.size(), "\n");
        if (line == "wakeups")
            return util::concat(wakeups, "\n");
        if (line == "reconfigured")
            return util::concat(reconfigured, "\n");
        if (line == "hostname")
            return util::concat(*process.common().myhostname, "\n");
        if (line == "crash") {
            ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would report it
            ::raise(SIGSEGV);
        }
        return {};
    }

    // Answers what one read brought; false at the end.
    bool serve(int fd)
    {
        char buffer[512];
        ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got < 0)
            return errno == EAGAIN || (errno == EINTR && !server::Process::stop_requested());
        if (got == 0)
            return false;
        std::string out;
        for (std::string_view line : util::split(util::trim(std::string_view(buffer, static_cast<std::size_t>(got))), '\n')) {
            std::string text = answer(line);
            if (text.empty())
                return false;
            out += text;
        }
        return ::send(fd, out.data(), out.size(), MSG_NOSIGNAL) >= 0;
    }
};

util::Result<int> work(server::Process& process)
{
    Service service{.process = process, .certificates = TRY(process.certificates())};
    TRY(process.drop_privileges(util::Sandbox()));
    while (auto client = TRY(process.next_client())) {
        if (client->is_wakeup())
            ++service.wakeups;
        while (client->fd.valid() && service.serve(client->fd.get())) {
        }
    }
    return 0;
}

util::Result<int> multiplex(server::Process& process, server::Reload reload)
{
    auto loop = TRY(util::EventLoop::create());
    Service service{.process = process, .certificates = TRY(process.certificates())};
    TRY(process.permit({"smtpd"}));
    if (reload != server::Reload::reread)
        TRY(process.drop_privileges(util::Sandbox()));
    struct Connection {
        util::UniqueFd fd;
        util::Watch watch;
    };
    std::map<int, Connection> connections;
    bool stopping = false;
    std::optional<server::Listener> listener;
    listener.emplace(process, loop, 2, [&](server::Client client) {
        int fd = client.fd.get();
        Connection& connection = connections[fd];
        connection.fd = std::move(client.fd);
        connection.watch = util::Watch(loop, fd, util::Watch::Read, [&, fd](unsigned) {
            if (service.serve(fd))
                return;
            connections.erase(fd);
            listener->client_gone();
            if (stopping && connections.empty())
                loop.stop();
        });
    });
    server::Notifications notifications{
        .stop =
            [&] {
                stopping = true;
                listener->close();
                if (connections.empty())
                    loop.stop();
            },
        .terminate = [&] { loop.stop(); },
        .reconfigure =
            [&] {
                ++service.reconfigured;
                if (auto read = process.read_config({}); !read)
                    util::log::error(read.error().text);
            },
        .wake = [&] { ++service.wakeups; },
        .certificates = [&](std::string pem) { service.certificates = std::move(pem); },
    };
    TRY(process.attach(loop, reload, std::move(notifications)));
    loop.run();
    return 0;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    if (arguments.rest.size() != 2)
        return util::invalid("what am I?");
    std::string kind = arguments.rest[0];
    std::string program = arguments.rest[1];
    NoParameters none;
    auto process = TRY(server::Process::start(program, std::move(arguments), none));
    if (kind == "worker")
        return work(process);
    if (kind == "multiplexer")
        return multiplex(process, server::Reload::replace);
    if (kind == "exclusive")
        return multiplex(process, server::Reload::exclusive);
    if (kind == "reread")
        return multiplex(process, server::Reload::reread);
    return util::permanent("told to die");
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc > 1 && std::string_view(argv[1]) == "sandbox")
        return sandbox_probe(argc, argv);
    return server::run("test-service", argc, argv, daemon_main);
}
