// The process skeleton of all daemons.
//
//   util::Result<int> daemon_main(server::Arguments arguments)        // a worker
//   {
//       smtpd::Config config;
//       auto process = TRY(server::Process::start("smtpd", std::move(arguments), config));
//       ... what the jail will hide ...
//       TRY(process.drop_privileges(util::Sandbox().connect().read(config_directory)));
//       while (auto client = TRY(process.next_client()))
//           Session(..., std::move(client->fd)).run();
//       return 0;
//   }
//   int main(int argc, char** argv) { return server::run("smtpd", argc, argv, daemon_main); }
//
// A worker serves one client at a time with blocking code.  A multiplexer has an EventLoop, hears
// of stop, reload, wake-ups and new certificates through attach(), and accepts through Listener
// (listener.h).  How master(8) starts both is in child.h.
#pragma once

#include "libipc/child.h"
#include "libipc/identity.h"
#include "libutil/event.h"
#include "libutil/sandbox.h"
#include "libutil/sys.h"

#include <sys/socket.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>

namespace ipc {
class Channel;
}

namespace server {

struct Arguments {
    std::string service;           // -n: the name in master.cf
    std::string type;              // -t: inet, unix, pass
    std::string config_directory;  // -c
    unsigned verbose = 0;          // -v
    std::vector<std::string> overrides;  // -o NAME=VALUE
    std::vector<std::string> rest;       // the program's own

    static util::Result<Arguments> parse(int argc, char** argv);
};

// Runs a daemon's main function; what fails is logged as fatal.  The exit status.
int run(std::string_view program, int argc, char** argv, util::Result<int> (*daemon_main)(Arguments));

struct Client {
    util::UniqueFd fd;  // invalid: no client but a wake-up of master.cf's timer
    util::sys::PeerCredentials peer;     // of Unix sockets, and of who passed a client on
    sockaddr_storage address{};          // of inet and passed clients
    socklen_t address_size = 0;

    bool is_wakeup() const { return !fd.valid(); }
};

// What master(8) tells a multiplexer; all are called from the event loop.
struct Notifications {
    // Serve those who are there, accept no more, then leave the loop.
    std::function<void()> stop;
    // The whole mail system stops (SIGTERM), or master is gone: end the sessions now, with BYE or 421,
    // and leave the loop; who is still there after $master_stop_time is killed.  Called after `stop`;
    // who has no sessions that last needs only that one.
    std::function<void()> terminate = {};
    // Only with Reload::reread: read the configuration again (Process::read_config).
    std::function<void()> reconfigure = {};
    std::function<void()> wake = {};
    // The PEM text that certificates() would give.
    std::function<void(std::string)> certificates = {};
};

class Process {
public:
    // Closes what is not its own, opens the log, reads the parameters of `config` and those that all
    // daemons share (conf::Common), with the overrides of master.cf.  All errors of the configuration are logged,
    // each with its line.  A Process does not outlive its Config.
    static util::Result<Process> start(std::string_view program, Arguments arguments, conf::Section& config);
    // The same for a program with several sections.
    static util::Result<Process> start(std::string_view program, Arguments arguments,
                                       std::initializer_list<conf::Section*> sections);
    Process(Process&&) noexcept;
    ~Process();

    const Arguments& arguments() const;
    const conf::Common& common() const;      // the parameters that all daemons share
    const std::string& config_directory() const;
    std::uint64_t data_limit() const;        // bytes of memory for its data: daemon_data_limit
    bool unprivileged() const;               // the whole instance runs on one uid
    bool master_is_gone() const;
    int landlock_abi_limit() const;          // for children that lock themselves in

    // Reads the parameters anew into `sections` (those of start(), or fresh ones) and the shared
    // ones; on errors all are logged, the shared parameters stay, and Invalid is the answer.
    util::Result<void> read_config(std::initializer_list<conf::Section*> sections);

    // The keys and certificate chains in PEM, one after the other; empty when there are none.
    util::Result<std::string> certificates() const;

    // Programs (by name) whose processes may connect to this service's Unix sockets.  root always
    // may.  Others are turned away with a warning.  Nobody named: everybody may (public sockets).
    // Call before drop_privileges(): names of users are looked up.
    util::Result<void> permit(std::initializer_list<std::string_view> programs);

    // Takes on the uid of the program's owner parameter, then enters the sandbox.
    util::Result<void> drop_privileges(util::Sandbox& sandbox);
    util::Result<void> drop_privileges(util::Sandbox&& sandbox) { return drop_privileges(sandbox); }

    // What a client is told whom the process cannot serve because no descriptor is free for it; then it is
    // closed.  Without a text it is only closed.
    void set_farewell(std::string text);

    // --- workers ---

    // The next client; nothing when it is time to end: max_use clients served, max_idle without one,
    // told to stop, or master gone.  TCP clients come with TCP_NODELAY.  The first call tells
    // master that the process serves.
    util::Result<std::optional<Client>> next_client();
    // What tern who says of the client that is served: "key=value, key=value", up to Scoreboard::note_size bytes; it
    // costs no system call.  Forgotten when the client is gone.
    void note(std::string_view text);
    // The client's next piece of work begins: $daemon_timeout is counted anew, unless the process is told to stop.
    void renew_time();
    // Told to stop now: sessions end at the next opportunity (net::Stream::set_stop asks this).
    static bool stop_requested();
    // Waits until the descriptor can be read; false when the time is over, or when the process is told
    // to stop.
    static bool wait_for(int fd, util::Duration timeout);

    // --- multiplexers ---

    // Tells master that the process serves, and listens to it.
    util::Result<void> attach(util::EventLoop& loop, Reload reload, Notifications notifications);
    // Marks the process busy or free: what a Listener does at its client_limit.
    void set_busy(bool busy);

    // For Listener: the service's sockets, non-blocking, and the check of a peer.
    const std::vector<int>& listeners() const;
    // The next client that waits on a socket, if it is permitted; empty when there is none, or when it
    // was turned away (set_farewell()).  Temporary, Error::code EMFILE or ENFILE, when it has to wait.
    util::Result<std::optional<Client>> accept(int listener);

private:
    struct State;
    explicit Process(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace server
