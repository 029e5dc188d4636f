// usher(8): becomes a user, for a fixed menu of purposes, on order of a fixed peer for each.
//
// It runs as root and is small: it reads the accounts file and main.cf, starts mailbox processes
// under their users' uids, and makes the connections to them.  No byte of mail, and no name that a
// client chose, decides anything here.
#include "libconf/accounts_file.h"
#include "libipc/identity.h"
#include "libipc/listener.h"
#include "libipc/maildrop_config.h"
#include "libipc/server.h"
#include "libmail/normal_form.h"
#include "libutil/log.h"
#include "usher/config.h"
#include "usher/home.h"
#include "usher/quota_files.h"
#include "usher/usher.h"

#include <csignal>
#include <algorithm>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace usher {

namespace {

constexpr std::size_t max_peers = 100 + max_receivers;

LaunchSettings launch_settings(const server::Process& process, const Config& config, const ipc::MaildropConfig& maildrop)
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
    mailbox.park_delay = config.park_delay->count();
    mailbox.flag_sync_delay = config.flag_sync_delay->count();
    mailbox.undelete_time = config.undelete_time->count();
    mailbox.undelete_limit = *config.undelete_limit;
    mailbox.segment_size = *config.segment_size;
    mailbox.message_size_limit = *common.message_size_limit;
    mailbox.session_limit = static_cast<std::uint32_t>(*config.session_limit);
    mailbox.search_index = *config.search_index;
    mailbox.search_index_delay = config.search_index_delay->count();
    mailbox.search_time_limit = config.search_time_limit->count();
    mailbox.search_memory_limit = *config.search_memory_limit;
    mailbox.guest_limit = static_cast<std::uint32_t>(*config.guest_limit);
    mailbox.guest_user_limit = static_cast<std::uint32_t>(*config.guest_user_limit);
    mailbox.other_users_prefix = *config.other_users_prefix;
    mailbox.public_account = *config.public_account;
    if (!mailbox.public_account.empty())
        mailbox.public_prefix = *config.public_prefix;
    mailbox.server_comment = *config.server_comment;
    mailbox.server_admin = *config.server_admin;
    mailbox.hostname = *common.myhostname;
    mailbox.uidl_format = *maildrop.uidl_format;
    mailbox.strict_append = *config.strict_append;
    mailbox.message_limit = *config.message_limit;
    mailbox.url_hosts = *config.url_hosts;
    mailbox.discard_capabilities = *config.discard_capabilities;
    mailbox.log_name = util::concat(*common.syslog_name, "/mailbox");
    mailbox.verbose = process.arguments().verbose > 0;
    return settings;
}

// Each parked session takes a descriptor; the others are for peers, mailbox processes, and orders on their way.
std::size_t parked_limit(const Config& config)
{
    rlimit files{};
    std::uint64_t others = *config.process_limit * 2 + max_peers + max_waiting + max_tickets;
    if (::getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur <= others)
        return 0;
    std::uint64_t room = files.rlim_cur - others;
    return std::min<std::uint64_t>(*config.parked_limit, room);
}

util::Result<Settings> usher_settings(const server::Process& process, const Config& config, const ipc::MaildropConfig& maildrop)
{
    auto uid_of = [&](std::string_view program) -> util::Result<uid_t> {
        server::Identity identity = TRY(server::identity_of(process.common(), program, process.unprivileged()));
        return identity.uid;
    };
    Settings settings;
    settings.local_uid = TRY(uid_of("local"));
    settings.imap_uid = TRY(uid_of("imapd"));
    settings.pop3_uid = TRY(uid_of("pop3d"));
    settings.smtpd_uid = TRY(uid_of("smtpd"));
    settings.own_uid = process.unprivileged();
    settings.minimum_uid = static_cast<uid_t>(*config.minimum_uid);
    settings.process_limit = *config.process_limit;
    settings.parked_limit = parked_limit(config);
    settings.order_timeout = *config.order_timeout;
    settings.start_timeout = *config.start_timeout;
    settings.exit_timeout = *config.exit_timeout;
    // Before usher's own time is up.
    settings.last_exit_timeout = std::min<util::Duration>(*config.exit_timeout, *process.common().master_stop_time / 2);
    settings.failure_pause = *config.failure_pause;
    settings.failure_pause_limit = *config.failure_pause_limit;
    settings.transcript_accounts = *config.transcript_accounts;
    settings.filling_limit = *config.search_index_process_limit;
    settings.filling_time = *config.search_time_limit + filling_grace;
    settings.login_delay = *maildrop.login_delay;
    settings.expiry = *maildrop.expiry;
    settings.expire_interval = *config.expire_interval;
    settings.other_users_prefix = *config.other_users_prefix;
    settings.public_prefix = *config.public_prefix;
    settings.public_account = *config.public_account;
    settings.shares_file = util::concat(*process.common().mail_store_directory, "/.shares");
    for (const auto* prefix : {&settings.other_users_prefix, &settings.public_prefix})
        if (!prefix->empty() && (prefix->size() < 2 || !prefix->ends_with('/')))
            return util::invalid(
                util::concat("mailbox_other_users_prefix, mailbox_public_prefix: ", *prefix, " does not end with a slash"));
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
        .allow(SYS_setpriority)   // not its own need: what mailbox may do is within this
        .allow(SYS_prlimit64);
    // Users' directories may lie in ones that are not root's, and are 0700 themselves; processes that do
    // not end are killed.
    for (int capability : {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETUID})
        sandbox.capability(capability);
    // Usher's filter is the mailboxes', too: what they need to begin, and to lock themselves in further.
#ifdef SYS_arch_prctl
    sandbox.allow(SYS_arch_prctl);
#endif
    // The last two: a fork server keeps two of usher's capabilities.
    for (int call : {SYS_set_tid_address, SYS_landlock_create_ruleset, SYS_landlock_add_rule,
                     SYS_landlock_restrict_self, SYS_seccomp, SYS_capget, SYS_capset})
        sandbox.allow(call);
    return sandbox;
}

util::Result<Identity> find_account(conf::AccountsReader& accounts, std::string_view name)
{
    // Perhaps it was made, or removed, within the last second.
    accounts.refresh();
    auto account = TRY(accounts.find(name));
    if (!account)
        return util::not_found("no such account");
    // One that was written by hand and in another way would not be the one from which a list takes rights.
    auto groups = account->groups();
    std::ranges::transform(groups, groups.begin(), mail::prepare_group);
    return Identity{.account = account->address, .uid = account->uid, .gid = account->gid, .home = account->home,
                    .groups = std::move(groups), .disabled = account->has_flag(conf::disabled_flag)};
}

util::Result<std::vector<std::string>> list_accounts(const std::string& path)
{
    std::vector<std::string> names;
    for (const auto& account : TRY(conf::read_accounts(path)))
        if (!account.is_alias() && !account.home.empty())
            names.push_back(account.address);
    return names;
}

util::Result<int> daemon_main(server::Arguments arguments)
{
    Config config;
    ipc::MaildropConfig maildrop;
    auto process = TRY(server::Process::start("usher", std::move(arguments), {&config, &maildrop}));
    TRY(process.permit({"local", "imapd", "pop3d", "smtpd"}));
    Settings settings = TRY(usher_settings(process, config, maildrop));
    auto launcher = TRY(ProcessLauncher::create(launch_settings(process, config, maildrop)));
    conf::AccountsReader accounts(util::concat(process.config_directory(), "/accounts"));
    if (process.unprivileged())
        util::log::warning("all mailboxes run under one uid: users' mail is not kept apart");
    // The jail's rules are for directories that exist.
    TRY(prepare_root(*process.common().mail_store_directory));
    TRY(process.drop_privileges(sandbox(process)));

    auto loop = TRY(util::EventLoop::create());
    Usher usher(loop, std::move(settings), launcher,
                [&](std::string_view name) { return find_account(accounts, name); },
                [path = util::concat(process.config_directory(), "/accounts")] { return list_accounts(path); });
    QuotaFiles quotas(accounts, process.config_directory(), *process.common().myhostname, config);
    usher.set_quotas(quotas);
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
                                if (!process.read_config({&config, &maildrop}).ok())
                                    return;
                                launcher.change(launch_settings(process, config, maildrop));
                                if (auto changed = usher_settings(process, config, maildrop); changed.ok())
                                    usher.change(changed.take());
                                quotas.reread(*process.common().myhostname);
                                usher.quotas_changed();
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
