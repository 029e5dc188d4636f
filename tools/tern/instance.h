// One instance of Tern, as tern(1) sees it from outside.
#pragma once

#include "libconf/common.h"
#include "libipc/control.h"
#include "libutil/result.h"

#include <optional>
#include <string>

namespace tern {

class Instance {
public:
    // Reads main.cf; problems of parameters are master's and the checks' to tell.  NotFound when there
    // is no main.cf.
    static util::Result<Instance> open(std::string config_directory);

    const std::string& config_directory() const { return config_directory_; }
    std::string master_program() const;

    // The pid of the running master(8); nothing when none runs.  The lock on the pid file says so,
    // not the number in it.
    util::Result<std::optional<pid_t>> running() const;
    const std::string& queue_directory() const { return queue_directory_; }
    // "private/NAME" below queue_directory.
    std::string private_socket(std::string_view name) const;
    // Asks master(8).
    util::Result<server::ControlAnswer> ask(server::ControlCommand command) const;

private:
    std::string config_directory_;
    std::string queue_directory_;
    std::string daemon_directory_;
    std::string pid_file_;
};

}  // namespace tern
