// The plan: what the configuration files want master(8) to run, fully checked before anything of
// the running instance is touched.
#pragma once

#include "libconf/common.h"
#include "libconf/master_cf.h"
#include "libipc/child.h"
#include "libipc/identity.h"
#include "libipc/programs.h"
#include "master/certificate_files.h"
#include "master/config.h"

#include <memory>
#include <string>
#include <vector>

namespace master {

struct ServicePlan {
    conf::Service entry;
    const server::Program* program = nullptr;
    std::string path;           // of the program
    unsigned limit = 1;         // processes, at most Scoreboard::slots
    bool always = false;        // the log daemon: no master.cf entry, always running

    std::string type() const;
    // The command line of a process (libipc/child.h).
    std::vector<std::string> command_line(const std::string& config_directory, bool verbose, bool stress) const;
};

struct Plan {
    std::string config_directory;
    conf::Common common;
    Config config;
    std::vector<ServicePlan> services;  // the log daemon first
    CertificateText certificates;

    // Everything that is wrong goes to `problems`; what is returned is for use only if none is.
    static std::unique_ptr<Plan> load(const std::string& config_directory, bool unprivileged, conf::Problems& problems);

    std::string pid_file() const;
};

// Has every service's program check its own parameters, with the overrides of its line: runs each
// with TERN_CHILD=check.  Their problems are added to `problems`.
void check_programs(const Plan& plan, conf::Problems& problems);

}  // namespace master
