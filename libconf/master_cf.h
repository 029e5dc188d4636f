// master.cf: the services of an instance, eight columns a line.
//
//   service type private unpriv chroot wakeup maxproc command + arguments
//
// "-" stands for a column's default: private y, unpriv y, chroot n, wakeup 0, maxproc
// $default_process_limit.  Continuation lines and comments are those of main.cf; a word in braces
// may hold blanks; "-o { name = value }" is "-o name=value".  Of two entries with the same name and
// type the last counts.
#pragma once

#include "libconf/problems.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conf {

enum class ServiceType : unsigned char {
    Inet,          // TCP: "port" or "host:port", "[2001:db8::1]:port", ports by number or name
    Unix,          // a stream socket in private/ or public/
    UnixDatagram,  // unix-dgram: a datagram socket there
    Pass,          // a stream socket there over which others hand in connections
};

std::string_view name_of(ServiceType type);

struct Service {
    static constexpr std::uint32_t max_processes = 100'000;
    static constexpr std::uint32_t max_wakeup = 86'400 * 7;  // seconds
    static constexpr std::size_t max_arguments = 1000;

    std::string name;
    ServiceType type = ServiceType::Unix;
    bool is_private = true;     // the socket is in private/, not in public/
    bool unprivileged = true;   // n: the program keeps root
    bool chroot = false;        // Tern's programs jail themselves; y draws a warning
    std::uint32_t wakeup = 0;   // seconds between wake-ups; 0 is never
    bool wakeup_once_used = false;                // "1000?": only after the first real use
    std::optional<std::uint32_t> process_limit;   // nothing: $default_process_limit; 0: no limit
    std::string command;                          // a file name in $daemon_directory, no slashes
    std::vector<std::string> arguments;           // all words after it, braces removed
    std::vector<std::pair<std::string, std::string>> overrides;  // those of -o, in their order

    // Where it stands: the physical lines from first to last.
    std::string file;
    int first_line = 0;
    int last_line = 0;

    // "smtp/inet", the name that ternconf and messages use.
    std::string id() const;
    // For Inet: the host, empty where none was written, and the port.
    std::pair<std::string, std::string> host_and_port() const;
    // For the others: "private/cleanup", below $queue_directory.
    std::string socket_path() const;
};

class MasterCf {
public:
    static constexpr std::size_t max_services = 1000;

    // DIRECTORY/master.cf.  Services with problems are left out.
    static MasterCf load(const std::string& directory, Problems& problems);
    static MasterCf parse(std::string_view text, std::string_view file, Problems& problems);

    const std::vector<Service>& services() const { return services_; }
    // Null when there is none.
    const Service* find(std::string_view name, ServiceType type) const;
    // The service that answers at this socket name: unix, pass or datagram.
    const Service* find_local(std::string_view name) const;

private:
    std::vector<Service> services_;
};

}  // namespace conf
