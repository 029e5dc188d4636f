// The command line of ternuser(1).
#pragma once

#include "libconf/common.h"
#include "libconf/logins_file.h"
#include "tools/ternuser/password.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ternuser {

enum class Command : unsigned char {
    Add,
    Passwd,
    Del,
    Disable,
    Enable,
    List,
    Show,
    Limits,
    AliasAdd,
    AliasDel,
    AliasList,
    AppAdd,
    AppDel,
    AppList,
    Quota,
    GroupAdd,
    GroupDel,
    GroupList,
};

struct Options {
    std::string directory{conf::built_in_config_directory};
    Command command = Command::List;
    bool json = false;
    bool password_stdin = false;
    Scheme scheme = Scheme::Yescrypt;
    bool take_home = false;
    std::string system_user;   // of add: whose account it is
    bool refuse_mail = false;
    bool login = false;
    bool send = false;
    std::optional<std::vector<std::string>> protocols;
    std::optional<std::vector<conf::Network>> networks;
    std::optional<bool> app_passwords_only;
    // Of quota: what is to be; "default" is no limit of one's own.
    struct QuotaChange {
        std::optional<std::uint64_t> value;   // nothing: default
    };
    std::map<std::string, QuotaChange> quota;   // by the option without its hyphens: "storage", "each-messages"
    std::vector<std::string_view> words;   // behind the command
};

extern const std::string_view usage_text;

// Invalid: what is wrong.  An option that the command does not take is wrong.
util::Result<Options> parse_options(int argc, char** argv);

}  // namespace ternuser
