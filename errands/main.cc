// errands(8): does for local(8) what takes a user's rights.
//
// It runs as root and locks itself in behind no fence: a user's command may need what set-gid programs have.
// It is small instead, hears local only, reads for itself what is to be done, and does each errand in a
// process of its own, which has a user's rights before it touches anything of a user's.
#include "errands/config.h"
#include "errands/keeper.h"
#include "libipc/command_config.h"
#include "libipc/delivery_config.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "librouting/config.h"
#include "libutil/log.h"
#include "libutil/orphans.h"

#include <algorithm>
#include <csignal>
#include <sys/stat.h>
#include <unistd.h>

namespace errands {

namespace {

constexpr std::size_t max_peers = 10;

struct Sections {
    Config own;
    routing::Config routing;
    ipc::DeliveryConfig delivery;
    ipc::CommandConfig commands;
};

bool has_word(const std::vector<std::string>& words, std::string_view word)
{
    return std::ranges::find(words, word) != words.end();
}

util::Result<void> check_words(std::string_view name, const std::vector<std::string>& words,
                               std::initializer_list<std::string_view> known)
{
    for (const std::string& word : words)
        if (std::ranges::find(known, word) == known.end())
            return util::invalid(util::concat(name, ": there is no \"", util::printable(word, 60), "\""));
    return {};
}

// Opened, and not read: each errand's process does that for itself.
struct TablesOf {
    conf::Tables aliases, mailbox_commands, mailboxes, uids, gids;

    util::Result<void> open(const Sections& config, const conf::Common& common)
    {
        // Accounts have mailboxes of their own kind.
        std::vector<std::string> paths;
        for (const std::string& table : *common.virtual_mailbox_maps)
            if (!table.starts_with("accounts:"))
                paths.push_back(table);
        const std::pair<conf::Tables*, const std::vector<std::string>*> all[] = {
            {&aliases, &*config.routing.alias_maps},
            {&mailbox_commands, &*config.own.mailbox_command_maps},
            {&mailboxes, &paths},
            {&uids, &*config.delivery.virtual_uid_maps},
            {&gids, &*config.own.virtual_gid_maps}};
        for (const auto& one : all)
            *one.first = TRY(conf::Tables::open(*one.second));
        return {};
    }
};

void set_locks(FileRules& files, const std::vector<std::string>& words)
{
    files.fcntl_lock = has_word(words, "fcntl");
    files.flock_lock = has_word(words, "flock");
    files.dot_lock = has_word(words, "dotlock");
}

// Where the words of allow_mail_to_... and of the locks have their places.
util::Result<Rules> rules_of(const server::Process& process, const Sections& config, TablesOf& tables)
{
    TRY(check_words("virtual_mailbox_lock", *config.own.virtual_mailbox_lock, {"fcntl", "flock", "dotlock"}));
    TRY(check_words("allow_mail_to_commands", *config.own.allow_mail_to_commands, {"alias", "forward", "include"}));
    TRY(check_words("allow_mail_to_files", *config.own.allow_mail_to_files, {"alias", "forward", "include"}));
    TRY(check_words("mailbox_delivery_lock", *config.own.mailbox_delivery_lock, {"fcntl", "flock", "dotlock"}));
    TRY(check_words("prepend_delivered_header", *config.delivery.prepend_delivered_header, {"command", "file", "forward"}));
    Rules rules;
    rules.lists.aliases = &tables.aliases;
    rules.lists.users.minimum_name = config.own.minimum_uid.name();
    rules.lists.users.minimum_uid = static_cast<uid_t>(*config.own.minimum_uid);
    rules.lists.users.own_uid = process.unprivileged();
    rules.lists.size_limit = *config.own.list_size_limit;
    rules.lists.forward_path = *config.own.forward_path;
    rules.lists.forward_filter = *config.own.forward_expansion_filter;
    rules.lists.recipient_delimiter = rules.recipient_delimiter = *process.common().recipient_delimiter;
    auto nobody = TRY(process.unprivileged() ? find_user(::geteuid()) : find_user(*config.own.default_privs));
    if (!nobody)
        return util::invalid(util::concat("default_privs: there is no user ", *config.own.default_privs));
    rules.lists.default_user = std::move(*nobody);
    // Nobody is at home there: such commands begin in the root directory, without HOME and SHELL.
    rules.lists.default_user.home.clear();
    rules.lists.default_user.shell.clear();
    std::size_t place = 0;
    for (const char* word : {"alias", "forward", "include"}) {
        rules.commands_in[place] = has_word(*config.own.allow_mail_to_commands, word);
        rules.files_in[place++] = has_word(*config.own.allow_mail_to_files, word);
    }
    set_locks(rules.files, *config.own.mailbox_delivery_lock);
    rules.files.attempts = static_cast<unsigned>(*config.own.deliver_lock_attempts);
    rules.files.delay = *config.own.deliver_lock_delay;
    rules.files.stale = *config.own.stale_lock_time;
    rules.files.size_limit = *config.own.mailbox_size_limit;
    rules.hostname = *process.common().myhostname;
    rules.delivered_to_command = config.delivery.prepends("command");
    rules.delivered_to_file = config.delivery.prepends("file");
    rules.shell = *config.own.local_command_shell;
    rules.process_limit = *config.own.user_process_limit;
    rules.command_filter = *config.own.command_expansion_filter;
    rules.environment = config.commands.environment();
    rules.home_mailbox = *config.own.home_mailbox;
    rules.spool_directory = *config.own.mail_spool_directory;
    rules.strict_ownership = *config.own.strict_mailbox_ownership;
    rules.mailbox_commands = &tables.mailbox_commands;
    rules.mailbox_command = *config.own.mailbox_command;
    auto& mailboxes = rules.virtual_mailboxes;
    mailboxes.mailboxes = &tables.mailboxes;
    mailboxes.uids = &tables.uids;
    mailboxes.gids = &tables.gids;
    mailboxes.base = *config.own.virtual_mailbox_base;
    mailboxes.minimum_uid = static_cast<uid_t>(*config.own.virtual_minimum_uid);
    mailboxes.files = rules.files;
    mailboxes.files.size_limit = *config.own.virtual_mailbox_limit;
    set_locks(mailboxes.files, *config.own.virtual_mailbox_lock);
    return rules;
}

Settings settings_of(const Sections& config)
{
    return {.process_limit = *config.own.process_limit,
            .time_limit = *config.commands.command_time_limit,
            .list_time_limit = *config.own.list_time_limit};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Sections config;
    auto process = TRY(server::Process::start("errands", std::move(arguments),
                                              {&config.own, &config.routing, &config.delivery, &config.commands}));
    TRY(process.permit({"local"}));
    TablesOf tables;
    TRY(tables.open(config, process.common()));
    Rules rules = TRY(rules_of(process, config, tables));
    if (process.unprivileged())
        util::log::warning("all commands and files of users are served under one uid");
    TRY(process.drop_privileges(util::Sandbox().allow_new_privileges()));

    ::umask(077);
    TRY(util::adopt_orphans());

    auto loop = TRY(util::EventLoop::create());
    Keeper keeper(loop, settings_of(config), std::move(rules));
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_peers, [&](server::Client client) {
        keeper.accept(std::move(client.fd), [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    util::SignalWatch children(loop, SIGCHLD, [&] { keeper.reap(); });
    TRY(process.attach(loop, server::Reload::replace,
                       {.stop =
                            [&] {
                                listener.close();
                                keeper.stop([&] { loop.stop(); });
                            },
                        .terminate = [&] { keeper.kill_all(); }}));
    loop.run();
    return 0;
}

}  // namespace

}  // namespace errands

int main(int argc, char** argv)
{
    return server::run("errands", argc, argv, errands::daemon_main);
}
