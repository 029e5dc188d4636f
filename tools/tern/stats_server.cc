// tern stats --listen.
#include "tools/tern/stats_server.h"

#include "libqueue/directory.h"
#include "libutil/sandbox.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tools/tern/start.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

using namespace std::chrono_literals;

// For a client's request, and for each piece of the answer that it takes.
constexpr util::Duration client_time = 5s;

std::string response(std::string_view status, std::string_view body, bool with_body)
{
    std::string out = util::concat(
        "HTTP/1.1 ", status, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: ", body.size(),
        "\r\nConnection: close\r\n\r\n");
    if (with_body)
        out += body;
    return out;
}

// A port on loopback, and nothing else.
util::Result<util::UniqueFd> listen_inet(const std::string& where)
{
    std::size_t colon = where.rfind(':');
    std::string host = where.substr(0, colon);
    auto port = util::parse_unsigned(colon == std::string::npos ? "" : std::string_view(where).substr(colon + 1), 65535);
    bool six = host == "[::1]";
    if ((!six && host != "127.0.0.1") || !port)
        return util::invalid("--listen takes an absolute path, 127.0.0.1:PORT or [::1]:PORT");
    util::UniqueFd fd(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return util::system_error("socket", errno);
    int on = 1;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_port = htons(static_cast<std::uint16_t>(*port));
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = v6.sin6_port;
    int bound = six ? ::bind(fd.get(), reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                    : ::bind(fd.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4);
    if (bound < 0)
        return util::system_error(where, errno);
    return fd;
}

util::Result<util::UniqueFd> listen_unix(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return util::invalid(util::concat(path, ": the name is too long for a socket"));
    std::memcpy(address.sun_path, path.data(), path.size());
    util::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return util::system_error("socket", errno);
    // What a predecessor left; a socket that somebody serves, and what is no socket, stay.
    if (auto status = util::sys::lstat(path); status && S_ISSOCK(status->st_mode)) {
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
            return util::temporary(util::concat(path, ": somebody serves there"));
        TRY(util::sys::unlink(path));
    }
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        return util::system_error(path, errno);
    TRY(util::sys::chmod(path, 0666));  // who may come is said by the directory's mode
    return fd;
}

util::Result<void> lock_in(const Instance& instance)
{
    util::Sandbox sandbox;
    for (queue::Place place : queue::all_places)
        sandbox.read(queue::path_of(instance.queue_directory(), place));
    // The queue's directories and the daemons' sockets are not root's.
    sandbox.connect().limit_files(64).capability(CAP_DAC_OVERRIDE);
    TRY(sandbox.prepare(util::Sandbox::Mode::Yes));
    TRY(sandbox.enter());
    return {};
}

// Up to the empty line behind the header; what is there when the time is over, or the limit reached.
std::string read_request(int fd)
{
    util::Deadline deadline = util::Deadline::in(client_time);
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos && request.size() < max_http_request && !deadline.passed()) {
        char buffer[1024];
        ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0)
            break;
        request.append(buffer, static_cast<std::size_t>(got));
    }
    return request;
}

void serve(util::UniqueFd client, const std::function<util::Result<std::string>()>& numbers)
{
    timeval time{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(client_time).count(), .tv_usec = 0};
    (void)::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    (void)::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    std::string answer = answer_http(read_request(client.get()), numbers);
    for (std::string_view rest = answer; !rest.empty();) {
        ssize_t sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    // Until the client has read it all: what it sent and nobody read would reset the connection.
    (void)::shutdown(client.get(), SHUT_WR);
    char ignored[1024];
    for (util::Deadline deadline = util::Deadline::in(client_time);
         !deadline.passed() && ::recv(client.get(), ignored, sizeof ignored, 0) > 0;)
        continue;
}

}  // namespace

std::string answer_http(std::string_view request, const std::function<util::Result<std::string>()>& numbers)
{
    std::string_view line = request.substr(0, request.find("\r\n"));
    auto words = util::split(line, ' ');
    if (request.find("\r\n\r\n") == std::string_view::npos || words.size() != 3 || !words[2].starts_with("HTTP/1."))
        return response("400 Bad Request", "This is no request.\n", true);
    bool head = words[0] == "HEAD";
    if (!head && words[0] != "GET")
        return response("405 Method Not Allowed\r\nAllow: GET, HEAD", "There is only GET.\n", true);
    if (words[1] != "/metrics" && words[1] != "/")
        return response("404 Not Found", "See /metrics.\n", !head);
    auto text = numbers();
    if (!text)
        return response("503 Service Unavailable", text.error().text + "\n", !head);
    return response("200 OK", *text, !head);
}

int serve_stats(const Instance& instance, const std::string& where, const std::function<util::Result<std::string>()>& numbers)
{
    auto listener = where.starts_with('/') ? listen_unix(where) : listen_inet(where);
    if (!listener)
        return complain(listener.error().kind == util::Kind::Invalid ? EX_USAGE : EX_UNAVAILABLE, listener.error().text);
    if (::listen(listener->get(), SOMAXCONN) < 0)
        return complain(EX_OSERR, util::system_error("listen", errno).text);
    if (auto locked = lock_in(instance); !locked)
        return complain(EX_OSERR, locked.error().text);
    for (;;) {
        util::UniqueFd client(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client.valid())
            serve(std::move(client), numbers);
        else if (errno != EINTR && errno != ECONNABORTED)
            return complain(EX_OSERR, util::system_error("accept", errno).text);
    }
}

}  // namespace tern
