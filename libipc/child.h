// What master(8) and its children share: how a child is started, what it finds open, and what the
// two tell each other.
//
// A child is exec'd as "PROGRAM -n SERVICE -t TYPE -c CONFIG_DIRECTORY [-v]... [-o NAME=VALUE]...
// [its own arguments of master.cf]", with a clean environment in which TERN_CHILD holds the numbers
// of Facts, and with the descriptors below.  All other descriptors are closed.
#pragma once

#include "libipc/wire.h"

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace server {

enum Descriptor : int {
    log_descriptor = 3,           // to the log daemon, SOCK_DGRAM
    control_descriptor = 4,       // to master, SOCK_SEQPACKET
    scoreboard_descriptor = 5,    // a memfd, see Scoreboard
    certificates_descriptor = 6,  // a sealed memfd, or /dev/null
    first_listener = 7,           // the service's listening sockets
};

constexpr std::size_t max_listeners = 64;

struct Facts {
    unsigned slot = 0;       // the child's byte on the scoreboard
    unsigned listeners = 0;  // sockets from first_listener on
    bool unprivileged = false;  // master does not run as root: all stay on one uid

    std::string encode() const;
    static util::Result<Facts> decode(std::string_view text);
};

// One byte for each child of a service, in memory that the service's children and master share, so
// that a child can see without asking whether another is free.  What a child writes there is a
// hint and no more: a broken child can mislead only the start of its own service's processes.
class Scoreboard {
public:
    enum State : unsigned char { Empty = 0, Starting = 1, Idle = 2, Busy = 3 };
    static constexpr std::size_t slots = 4095;  // with the byte of set_full(), a page

    // A new one, all empty.
    static util::Result<Scoreboard> create();
    // The one that a descriptor stands for.
    static util::Result<Scoreboard> map(util::UniqueFd fd);

    Scoreboard() = default;
    Scoreboard(Scoreboard&& other) noexcept;
    Scoreboard& operator=(Scoreboard&& other) noexcept;
    ~Scoreboard();

    int fd() const { return fd_.get(); }
    void set(unsigned slot, State state);
    State get(unsigned slot) const;
    // Is any child idle, or starting and about to be?
    bool any_free() const;
    unsigned count(State state) const;

    // What a worker says of its client, for tern who: at most note_size bytes, without a system call.  Who reads
    // believes nothing of it.
    static constexpr std::size_t note_size = 247;
    void set_note(unsigned slot, std::string_view text);
    // Empty when there is none, or when it is being written.
    std::string note(unsigned slot) const;

    // No more processes may be started: children need not tell that all are busy.
    void set_full(bool full);
    bool is_full() const;

private:
    Scoreboard(util::UniqueFd fd, std::atomic<unsigned char>* bytes) : fd_(std::move(fd)), bytes_(bytes) {}
    void unmap();

    util::UniqueFd fd_;
    std::atomic<unsigned char>* bytes_ = nullptr;
};

// How a child takes a reload of the configuration.
enum class Reload : unsigned char {
    replace,    // finishes its clients while a successor already serves new ones
    exclusive,  // finishes and ends before its successor starts
    reread,     // reads the configuration again by itself
    last_ = reread,
};

// Child to master, once: it serves.
struct Ready {
    static constexpr std::string_view message_name = "ready";
    Reload reload = Reload::replace;
    static void fields(auto& message, auto& visit) { visit("reload", message.reload); }
};
// Child to master: it became busy and saw nobody free on the scoreboard.
struct AllBusy {
    static constexpr std::string_view message_name = "all_busy";
    static void fields(auto&, auto&) {}
};
// Master to child: end when the clients of now are served.
struct Stop {
    static constexpr std::string_view message_name = "stop";
    static void fields(auto&, auto&) {}
};
// Master to child: the configuration changed (to those that said Reload::reread).
struct Reconfigure {
    static constexpr std::string_view message_name = "reconfigure";
    static void fields(auto&, auto&) {}
};
// Master to child: the wake-up time of master.cf has come, or a start.
struct Wake {
    static constexpr std::string_view message_name = "wake";
    static void fields(auto&, auto&) {}
};
// Child to master: no descriptor was free for the certificates.  Let a successor begin with them.
struct CertificatesMissed {
    static constexpr std::string_view message_name = "certificates_missed";
    static void fields(auto&, auto&) {}
};
// Master to child: the certificates changed.  A sealed memfd.
struct NewCertificates {
    static constexpr std::string_view message_name = "new_certificates";
    util::UniqueFd content;
    static void fields(auto& message, auto& visit) { visit("content", message.content); }
};

struct ChildSpec {
    std::string path;
    std::vector<std::string> arguments;    // argv, with argv[0]
    std::vector<std::string> environment;  // NAME=VALUE
    Facts facts;
    int log = -1;  // descriptors of the caller; -1 becomes /dev/null
    int control = -1;
    int scoreboard = -1;
    int certificates = -1;
    std::vector<int> listeners;
};

// Forks and execs.  When a child cannot be exec'd, the log says why, and it ends with status 127.
util::Result<pid_t> spawn(const ChildSpec& spec);

}  // namespace server
