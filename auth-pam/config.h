// The main.cf(5) parameters of auth-pam(8): their only declaration.
#pragma once

#include "libconf/parameter.h"

namespace auth_pam {

struct Config : conf::Section {
    conf::Text service{this, "auth_pam_service", "tern", {.min = 1, .max = 64},
        "The name under which PAM has its rules: a file of /etc/pam.d."};
    conf::Text directory{this, "auth_pam_directory", "", {.max = 1000},
        "A directory of such files instead of /etc/pam.d."};
    conf::Count minimum_uid{this, "auth_pam_minimum_uid", "1000", {.min = 1, .max = UINT32_MAX - 1},
        "Nobody with a uid below this one logs in, and never root: PAM is not even asked."};
    conf::Flag session{this, "auth_pam_session", "no",
        "Whether PAM is told of a session, which begins and ends with the log-in: for modules that make a home, or "
        "count log-ins."};
    conf::Duration timeout{this, "auth_pam_timeout", "30s", {.min = std::chrono::seconds(1), .max = std::chrono::minutes(5)},
        "How long PAM may take over one log-in, the wait for a process included; then the client is told to try again."};
    conf::Count process_limit{this, "auth_pam_process_limit", "20", {.min = 1, .max = 1000},
        "How many log-ins PAM works on at a time, each in a process of its own; others wait."};
};

}  // namespace auth_pam
