// Whose store it is, how to become that user, and how to get the store when it is in use.
#pragma once

#include "libstore/store.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace ternbox {

struct User {
    std::string directory;   // of the store
    uid_t uid = 0;
    gid_t gid = 0;
    std::string account = {};   // its address; of a store that is named by its path, empty
};

// `name` is an address of the accounts file in `config_directory`, or the absolute path of a store,
// whose owner is then the user.  NotFound; Permanent when the store would be root's.
util::Result<User> find_user(const std::string& config_directory, const std::string& name);

// Makes the directory of a store that does not exist yet, below mail_store_directory, as usher(8)
// would at first use.  Nothing is done when it exists.
util::Result<void> make_home(const std::string& config_directory, const User& user);

// Has the user's store never been made?  It is at the first delivery or log-in.
bool is_unused(const User& user);

// Becomes the user for good; nothing changes for who is no root.
util::Result<void> take_identity(const User& user);

// Becomes the user for good and locks itself into the directory.
util::Result<void> become(const User& user);

struct Patience {
    util::Duration wait{5'000'000};   // for another process's lock
    bool take = false;                // tell that process to leave
};

// Tells the mailbox process that has the store open to leave; it saves everything first and its
// clients are told.  To be called before become().  NotFound: nobody has it open.
util::Result<void> ask_to_leave(const User& user);

// Runs `work` as the user in a child process; `fd` is its end of a socket pair.  `talk` runs meanwhile
// with the caller's rights and the other end.  The exit status is the child's, or 75 when it failed.
int run_as(const User& user, const std::function<int(int fd)>& work,
           const std::function<util::Result<void>(int fd)>& talk);

}  // namespace ternbox
