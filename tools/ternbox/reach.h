// The way to a user's mail for commands that need a session.
//
// While the mail system runs, usher(8) lets root into the user's mailbox process, beside the user's own
// clients.  Else, and for users themselves, ternbox starts that program under the user's uid: it has the
// store alone as long as the command lasts.
#pragma once

#include "libipc/connection.h"
#include "tools/ternbox/user.h"

#include <sys/types.h>

namespace ternbox {

class Way {
public:
    // `account`: empty for a store that is named by its path.  Temporary when the store is in use, or
    // usher refuses for now.
    static util::Result<Way> find(const std::string& config_directory, const User& user, const std::string& account,
                                  const Patience& patience);
    Way(Way&&) noexcept;
    // Waits for the end of what was started.
    ~Way();

    util::UniqueFd take_client() { return std::move(client_); }

private:
    Way() = default;
    util::Result<bool> ask_usher(const std::string& queue_directory, const std::string& account);
    util::Result<void> start(const std::string& program, const User& user, const std::string& account,
                             const Patience& patience);
    util::Result<void> wait_until_taken();

    util::UniqueFd client_;
    ipc::Connection control_;   // of a process that was started
    pid_t process_ = 0;
};

}  // namespace ternbox
