// The process of one errand, from the order to its end: straight-line code that waits where it must.
//
// It begins as root, finds out for itself what is to be done and whose rights that has, takes these on, and
// does it.  What it has to say it writes to `result`; a command takes its place.
#pragma once

#include "errands/lists.h"
#include "errands/mailbox_file.h"

#include <variant>
#include <vector>

namespace errands {

// The last word of a process that becomes a command: its end is the answer.
struct Running {
    static constexpr std::string_view message_name = "running";
    std::string command;

    static void fields(auto& message, auto& visit) { visit("command", message.command); }
};

struct Rules {
    ListRules lists;
    FileRules files;
    std::string hostname;
    bool commands_in[3] = {true, true, false};   // by Where: allow_mail_to_commands
    bool files_in[3] = {true, true, false};      // allow_mail_to_files
    bool delivered_to_command = true;            // prepend_delivered_header
    bool delivered_to_file = true;
    std::string shell;                           // local_command_shell
    std::uint64_t process_limit = 0;             // errands_user_process_limit
    std::string command_filter;                  // command_expansion_filter
    std::vector<std::string> environment;        // export_environment, as NAME=VALUE
    std::string home_mailbox;
    std::string spool_directory;
    bool strict_ownership = true;
    conf::Tables* mailbox_commands = nullptr;
    std::string mailbox_command;
    struct {
        conf::Tables* mailboxes = nullptr;
        conf::Tables* uids = nullptr;
        conf::Tables* gids = nullptr;
        std::string base;
        uid_t minimum_uid = 100;
        FileRules files;
    } virtual_mailboxes;
    std::string recipient_delimiter;
};

// Never returns.  `output`: where what a command prints goes.
[[noreturn]] void read_list(const ipc::ReadList& order, const Rules& rules, int result);
[[noreturn]] void run_entry(const ipc::RunEntry& order, const Rules& rules, int result, int output);

// What a command has in its environment, beside that of Rules: HOME LOGNAME SHELL USER of the user whose
// rights it has; RECIPIENT SENDER EXTENSION DOMAIN LOCAL ORIGINAL_RECIPIENT CLIENT_... SASL_... of the message.
std::vector<std::string> command_environment(const ipc::RunEntry& order, const User& user, const Rules& rules);

// A list as it is sent.
std::vector<ipc::ListPart> parts_of(std::uint64_t request, Search search);

}  // namespace errands
