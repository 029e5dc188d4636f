// Users of this system, and becoming one.
#pragma once

#include "libutil/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace util {

struct User {
    std::string name;    // empty: a uid without an entry
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
    std::string shell;
};

// By name, as NSS has it.  Nothing when there is no such user; Temporary: NSS cannot tell now.
Result<std::optional<User>> find_user(const std::string& name);
Result<std::optional<User>> find_user(uid_t uid);

// Whose rights may be used at all: not root's, none below the minimum.  In an instance without privileges
// only the caller's own.
struct UserRules {
    uid_t minimum_uid = 100;
    std::string_view minimum_name = "the least that may be used";   // the parameter
    bool own_uid = false;      // everything is done under the caller's own uid
};
// Permanent: why not.
Result<void> may_become(const User& user, const UserRules& rules);

// Takes on the user's uid, gid and groups for good.  `group`: another gid than the user's, for the mail spool.
Result<void> become(const User& user, const UserRules& rules, std::optional<gid_t> group = {});

// The same for the time of its life, and for file access only: to open a file as somebody who is not
// trusted with root's eyes.
class Guise {
public:
    static Result<Guise> put_on(const User& user, const UserRules& rules);
    Guise(Guise&& other) noexcept : worn_(std::exchange(other.worn_, false)) {}
    Guise& operator=(Guise&&) = delete;
    ~Guise();

private:
    explicit Guise(bool worn) : worn_(worn) {}
    bool worn_;
};

}  // namespace util
