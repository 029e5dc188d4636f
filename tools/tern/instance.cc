// One instance of Tern.
#include "tools/tern/instance.h"

#include "libipc/connection.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <cerrno>

namespace tern {

namespace {

// A reload checks every program's parameters before it answers.
constexpr auto answer_timeout = std::chrono::minutes(2);

}  // namespace

util::Result<Instance> Instance::open(std::string config_directory)
{
    TRY(util::sys::stat(config_directory + "/main.cf"));
    // An instance can be stopped and asked whatever has become of its configuration.
    conf::Problems problems;
    auto settings = conf::MainCf::load(config_directory, problems);
    conf::Common common;
    settings.fill({&common}, problems);
    Instance instance;
    instance.queue_directory_ = *common.queue_directory;
    instance.daemon_directory_ = *common.daemon_directory;
    const std::string& pid_directory = *common.process_id_directory;
    instance.pid_file_ = pid_directory.starts_with('/')
                             ? pid_directory + "/master.pid"
                             : util::concat(*common.queue_directory, "/", pid_directory, "/master.pid");
    instance.config_directory_ = std::move(config_directory);
    return instance;
}

std::string Instance::private_socket(std::string_view name) const { return util::concat(queue_directory_, "/private/", name); }

std::string Instance::master_program() const { return daemon_directory_ + "/master"; }

util::Result<std::optional<pid_t>> Instance::running() const
{
    auto file = util::sys::open(pid_file_, O_RDONLY);
    if (!file && file.error().code == ENOENT)
        return std::optional<pid_t>();
    if (!file)
        return file.take_error();
    if (TRY(util::sys::try_lock_shared(file->get())))
        return std::optional<pid_t>();  // the lock goes with the descriptor
    std::string text = TRY(util::sys::read_fd(file->get(), 100));
    // Between taking the lock and writing the number: master is up, its number not known.
    return std::optional<pid_t>(static_cast<pid_t>(util::parse_unsigned(util::trim(text), INT32_MAX).value_or(0)));
}

util::Result<server::ControlAnswer> Instance::ask(server::ControlCommand command) const
{
    auto connection = TRY(ipc::Connection::connect(private_socket(server::control_socket_name), answer_timeout));
    return connection.call<server::ControlAnswer>(server::ControlRequest{.command = command});
}

}  // namespace tern
