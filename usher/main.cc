// usher(8): becomes a user, for a fixed menu of purposes, on order of a fixed peer for each.
//
// It runs as root and is small: it reads the accounts file and main.cf, starts mailbox processes
// under their users' uids, and makes the connections to them.  No byte of mail, and no name that a
// client chose, decides anything here.
#include "libconf/accounts_file.h"
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libipc/server.h"
#include "libutil/log.h"
#include "usher/config.h"
#include "usher/home.h"
#include "usher/usher.h"

#include <csignal>
#include <linux/capability.h>

namespace usher {

namespace {

constexpr std::size_t max_peers = 100;

LaunchSettings launch_settings(const server::Process& process, const Config& config)
{
    const conf::Common& common = process.common();
    LaunchSettings settings;
    settings.program = util::concat(*common.daemon_directory, "/mailbox");
    settings.mail_store_directory = *common.mail_store_directory;
    settings.data_limit = *config.data_limit;
    settings.open_files = static_cast<std::uint32_t>(*config.open_files);
    settings.log_socket = server::log_descriptor;
    settings.own_uid = process.unprivileged();
    ipc::MailboxSettings& mailbox = settings.mailbox;
    mailbox.sandbox = *common.sandbox != conf::SandboxMode::Off;
    mailbox.sandbox_required = *common.sandbox == conf::SandboxMode::Require;
    mailbox.landlock_abi_limit = static_cast<std::uint32_t>(process.landlock_abi_limit());
    mailbox.idle_time = config.idle_time->count();
    mailbox.lock_wait = config.exit_timeout->count();
    mailbox.flag_sync_delay = config.flag_sync_delay->count();
    mailbox.undelete_time = config.undelete_time->count();
    mailbox.undelete_limit = *config.undelete_limit;
    mailbox.segment_size = *config.segment_size;
    mailbox.quota_bytes = *config.quota_bytes;
    mailbox.quota_messages = *config.quota_messages;
    mailbox.message_size_limit = *common.message_size_limit;
    mailbox.session_limit = static_cast<std::uint32_t>(*config.session_limit);
    mailbox.hostname = *common.myhostname;
    mailbox.log_name = util::concat(*common.syslog_name, "/mailbox");
    mailbox.verbose = process.arguments().verbose > 0;
    return settings;
}

util::Result<Settings> usher_settings(const server::Process& process, const Config& config)
{
    auto uid_of = [&](std::string_view program) -> util::Result<uid_t> {
        server::Identity identity = TRY(server::identity_of(process.common(), program, process.unprivileged()));
        return identity.uid;
    };
    Settings settings;
    settings.local_uid = TRY(uid_of("local"));
    settings.imap_uid = TRY(uid_of("imapd"));
    settings.pop3_uid = TRY(uid_of("pop3d"));
    settings.own_uid = process.unprivileged();
    settings.minimum_uid = static_cast<uid_t>(*config.minimum_uid);
    settings.process_limit = *config.process_limit;
    settings.order_timeout = *config.order_timeout;
    settings.exit_timeout = *config.exit_timeout;
    // Before usher's own time is up.
    settings.last_exit_timeout = std::min<util::Duration>(*config.exit_timeout, *process.common().master_stop_time / 2);
    settings.failure_pause = *config.failure_pause;
    settings.failure_pause_limit = *config.failure_pause_limit;
    settings.auth_socket = server::private_socket(process.common(), "auth");
    return settings;
}

util::Sandbox sandbox(const server::Process& process)
{
    const conf::Common& common = process.common();
    util::Sandbox sandbox;
    sandbox.read(process.config_directory())
        .execute(*common.daemon_directory)
        .write(*common.mail_store_directory)
        .connect()
        .processes()
        .threads()
        .credentials()
        .allow("prlimit64");
    // Users' directories may lie in ones that are not root's, and are 0700 themselves; processes that do
    // not end are killed.
    for (int capability : {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETUID})
        sandbox.capability(capability);
    // Usher's filter is the mailboxes', too: what they need to begin, and to lock themselves in further.
    for (const char* call : {"arch_prctl", "set_tid_address", "landlock_create_ruleset", "landlock_add_rule",
                             "landlock_restrict_self", "seccomp"})
        sandbox.allow(call);
    return sandbox;
}

util::Result<Identity> find_account(conf::AccountsReader& accounts, std::string_view name)
{
    auto account = TRY(accounts.find(name));
    if (!account) {
        // Perhaps it was made within the last second.
        accounts.refresh();
        account = TRY(accounts.find(name));
    }
    if (!account)
        return util::not_found("no such account");
    return Identity{.account = account->address, .uid = account->uid, .gid = account->gid, .home = account->home};
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    auto process = TRY(server::Process::start("usher", std::move(arguments), config));
    TRY(process.permit({"local", "imapd", "pop3d"}));
    Settings settings = TRY(usher_settings(process, config));
    auto launcher = TRY(ProcessLauncher::create(launch_settings(process, config)));
    conf::AccountsReader accounts(util::concat(process.config_directory(), "/accounts"));
    if (process.unprivileged())
        util::log::warning("all mailboxes run under one uid: users' mail is not kept apart");
    // The jail's rules are for directories that exist.
    TRY(prepare_root(*process.common().mail_store_directory));
    TRY(process.drop_privileges(sandbox(process)));

    auto loop = TRY(util::EventLoop::create());
    Usher usher(loop, std::move(settings), launcher,
                [&](std::string_view name) { return find_account(accounts, name); });
    server::Listener* accepting = nullptr;
    server::Listener listener(process, loop, max_peers, [&](server::Client client) {
        usher.accept(std::move(client.fd), [&] { accepting->client_gone(); });
    });
    accepting = &listener;
    util::SignalWatch children(loop, SIGCHLD, [&] { usher.reap(); });
    TRY(process.attach(loop, server::Reload::reread,
                       {.stop =
                            [&] {
                                listener.close();
                                usher.stop([&] { loop.stop(); });
                            },
                        .reconfigure =
                            [&] {
                                if (!process.read_config({&config}).ok())
                                    return;
                                launcher.change(launch_settings(process, config));
                                if (auto changed = usher_settings(process, config); changed.ok())
                                    usher.change(changed.take());
                            }}));
    loop.run();
    return 0;
}

}  // namespace

}  // namespace usher

int main(int argc, char** argv)
{
    return server::run("usher", argc, argv, usher::daemon_main);
}
