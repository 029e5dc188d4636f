// The command line of ternconf(1).
#pragma once

#include "libconf/common.h"
#include "libutil/result.h"
#include "tools/ternconf/edit.h"

#include <optional>
#include <string>
#include <vector>

namespace ternconf {

struct Options {
    enum class What : unsigned char {
        Main,
        Services,
        Fields,
        ServiceParameters,
        TableTypes,
        Mdoc,
        Notices,
        Postfix,
        PostfixTable
    };

    What what = What::Main;
    std::optional<Action> edit;       // -e, -X, -#
    std::string config_directory{conf::built_in_config_directory};
    std::vector<std::string> overrides;  // -o name=value
    bool defaults = false;            // -d
    bool set_only = false;            // -n
    bool expand = false;              // -x
    bool values_only = false;         // -h
    bool names_only = false;          // -H
    bool fold = false;                // -f
    bool json = false;                // -j
    std::string postfix_directory;    // --from-postfix
    bool dry_run = false;             // --dry-run
    std::vector<std::string> words;   // what is left: names, requests
};

// Invalid: a text for a usage message.
util::Result<Options> parse_options(int count, char** words);
std::string usage();

}  // namespace ternconf
