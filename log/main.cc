// log(8): writes the log of all daemons.
//
// Every child of master(8) is born with the socket that ends here.  Lines come in batches and are
// written with one write; while the machine is busy the daemon looks fifty times a second instead of
// at each line, because waking it costs the senders' processor more than the line does.  A line has the
// time at which it was sent, by the kernel's stamp on the datagram, and stands in the order of sending.
#include "libipc/server.h"
#include "libutil/log.h"
#include "log/config.h"
#include "log/file.h"
#include "log/format.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace logger {

namespace {

constexpr std::size_t batch_size = 64;
constexpr std::size_t max_datagram = 17'000;  // libutil/log.cc cuts earlier
constexpr std::size_t max_rounds = 64;        // batches between looks at master's messages
constexpr auto pause_between_batches = std::chrono::milliseconds(20);
constexpr std::string_view system_log = "/dev/log";

int facility_of(std::string_view name)
{
    constexpr std::pair<std::string_view, int> facilities[] = {
        {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
        {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
        {"local7", LOG_LOCAL7},
    };
    for (const auto& facility : facilities) {
        if (facility.first == name)
            return facility.second;
    }
    return -1;
}

// What the kernel says of a datagram.
struct Origin {
    ucred sender{};
    util::WallTime time;   // when it was sent
};

// Receives batches of datagrams with their origins.
class Receiver {
public:
    explicit Receiver(int socket) : socket_(socket), bytes_(batch_size * max_datagram)
    {
        for (std::size_t i = 0; i < batch_size; ++i) {
            pieces_[i] = {bytes_.data() + i * max_datagram, max_datagram};
            messages_[i].msg_hdr = {};
            messages_[i].msg_hdr.msg_iov = &pieces_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
        }
    }

    // How many came.
    std::size_t receive()
    {
        for (std::size_t i = 0; i < batch_size; ++i) {
            messages_[i].msg_hdr.msg_control = controls_[i].data();
            messages_[i].msg_hdr.msg_controllen = controls_[i].size();
        }
        int count = ::recvmmsg(socket_, messages_.data(), batch_size, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }

    std::string_view datagram(std::size_t i) const { return {bytes_.data() + i * max_datagram, messages_[i].msg_len}; }

    // Descriptors that somebody sent along are closed.  `now` stands in for a missing time.
    Origin origin(std::size_t i, util::WallTime now)
    {
        Origin origin{.sender = {}, .time = now};
        msghdr& header = messages_[i].msg_hdr;
        for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_level != SOL_SOCKET)
                continue;
            if (part->cmsg_type == SCM_CREDENTIALS && part->cmsg_len >= CMSG_LEN(sizeof origin.sender))
                std::memcpy(&origin.sender, CMSG_DATA(part), sizeof origin.sender);
            if (part->cmsg_type == SCM_TIMESTAMPNS && part->cmsg_len >= CMSG_LEN(sizeof(timespec))) {
                timespec sent{};
                std::memcpy(&sent, CMSG_DATA(part), sizeof sent);
                origin.time =
                    util::WallTime(std::chrono::seconds(sent.tv_sec) + std::chrono::microseconds(sent.tv_nsec / 1000));
            }
            for (std::size_t at = 0; part->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(int)) <= part->cmsg_len;
                 at += sizeof(int)) {
                int fd;
                std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
                ::close(fd);
            }
        }
        return origin;
    }

private:
    int socket_;
    std::vector<char> bytes_;
    std::array<iovec, batch_size> pieces_{};
    std::array<mmsghdr, batch_size> messages_{};
    struct alignas(cmsghdr) Control : std::array<char, 256> {};
    std::array<Control, batch_size> controls_{};
};

class Daemon {
public:
    Daemon(server::Process& process, const Config& config, util::EventLoop& loop, std::string host)
        : process_(process), loop_(loop), config_(config), facility_(facility_of(*process.common().syslog_facility)),
          formatter_(std::move(host)), receiver_(process.listeners().front()),
          copy_to_(process.listeners().size() > 1 ? process.listeners()[1] : -1),
          watch_(loop, process.listeners().front(), util::Watch::Read, [this](unsigned) { read(); }),
          pause_(loop, [this] { alone_ ? stop() : read(); })
    {
    }

    util::Result<void> open_file(const std::string& path)
    {
        Rotation rotation{.size = *config_.rotate_size,
                          .age = *config_.rotate_age,
                          .suffix = *config_.rotate_suffix,
                          .keep = *config_.rotate_keep};
        if (!path.empty())
            file_ = TRY(File::open(path, std::move(rotation)));
        else
            connect_system_log();
        return {};
    }

    // Whatever waits is written before the end.  After master's death that is the end of the last who
    // can write: they tell what became of the mail they had in hand.
    void stop()
    {
        while (read_batch() > 0) {
        }
        if (process_.master_is_gone() && others_live()) {
            watch_.want(util::Watch::None);
            return pause_.start(pause_between_batches);
        }
        // For our successor, who reads the same socket.
        if (file_ && file_->lost() > 0)
            util::log::warning(file_->lost(), " lines were lost: writing failed");
        loop_.stop();
    }

private:
    // Does anybody but us hold the senders' end?  What is sent there nobody reads: after a few empty
    // datagrams it is full.
    bool others_live()
    {
        if (!std::exchange(alone_, true)) {
            util::log::to_stderr("tern/log");
            ::close(server::log_descriptor);
        }
        return ::send(process_.listeners().front(), "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
    }

    void connect_system_log()
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        system_log.copy(address.sun_path, sizeof address.sun_path - 1);
        util::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (fd.valid() && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
            system_log_ = std::move(fd);
    }

    void to_system_log(const LineView& line)
    {
        std::string text = Formatter::syslog(line, facility_);
        if (system_log_.valid() && ::send(system_log_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0)
            return;
        // It was started anew, or was not there yet.
        connect_system_log();
        if (system_log_.valid() && ::send(system_log_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0)
            return;
        text.push_back('\n');
        if (::write(STDERR_FILENO, text.data(), text.size()) < 0)
            return;  // nobody to tell
    }

    std::size_t read_batch()
    {
        std::size_t count = receiver_.receive();
        util::WallTime now = util::wall_now();
        out_.clear();
        for (std::size_t i = 0; i < count; ++i) {
            auto [sender, time] = receiver_.origin(i, now);
            auto line = parse_datagram(receiver_.datagram(i));
            if (!line) {
                util::log::warning("pid ", sender.pid, " uid ", sender.uid, " sent ", line.error().text);
                continue;
            }
            line->pid = sender.pid;
            line->uid = sender.uid;
            if (!file_)
                to_system_log(*line);
            if (*config_.format == Format::Json)
                formatter_.json(out_, *line, time);
            else
                formatter_.text(out_, *line, time);
        }
        if (file_ && !out_.empty())
            file_->append(out_, count, now);
        if (copy_to_ >= 0 && !out_.empty() && ::write(copy_to_, out_.data(), out_.size()) < 0)
            copy_to_ = -1;  // the terminal is gone
        return count;
    }

    void read()
    {
        std::size_t total = 0;
        for (std::size_t round = 0; round < max_rounds; ++round) {
            std::size_t count = read_batch();
            total += count;
            if (count < batch_size)
                break;
        }
        watch_.want(total > 0 ? util::Watch::None : util::Watch::Read);
        if (total > 0)
            pause_.start(pause_between_batches);
    }

    server::Process& process_;
    util::EventLoop& loop_;
    const Config& config_;
    int facility_;
    Formatter formatter_;
    Receiver receiver_;
    int copy_to_;
    std::optional<File> file_;
    util::UniqueFd system_log_;
    std::string out_;
    bool alone_ = false;   // master is dead; our own lines go to stderr
    util::Watch watch_;
    util::Timer pause_;
};

std::string short_host_name(std::string_view name)
{
    return std::string(util::split_first(name, '.').first);
}

std::string directory_of(const std::string& path)
{
    std::size_t slash = path.rfind('/');
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("log", std::move(arguments), config));
    if (process.listeners().empty())
        return util::invalid("no socket to read lines from");
    const std::string& path = *process.common().maillog_file;
    if (facility_of(*process.common().syslog_facility) < 0)
        return util::invalid(util::concat("syslog_facility: there is no facility ", *process.common().syslog_facility));
    auto loop = TRY(util::EventLoop::create());
    ::tzset();  // reads the zone's file, which the jail will hide
    util::Sandbox sandbox;
    sandbox.connect();
    if (!path.empty())
        sandbox.write(directory_of(path));
    TRY(process.drop_privileges(std::move(sandbox)));
    Daemon daemon(process, config, loop, short_host_name(*process.common().myhostname));
    if (auto opened = daemon.open_file(path); !opened) {
        // The log cannot say that there is no log.
        std::string_view mending = opened.error().code == EACCES ? "; maillog_file needs a directory of log_owner's own" : "";
        std::string text = util::concat("tern/log: fatal: ", opened.error().text, mending, "\n");
        (void)!::write(STDERR_FILENO, text.data(), text.size());
        return opened.error();
    }
    TRY(process.attach(loop, server::Reload::exclusive, {.stop = [&] { daemon.stop(); }}));
    loop.run();
    return 0;
}

}  // namespace logger

int main(int argc, char** argv) { return server::run("log", argc, argv, logger::daemon_main); }
