// The parameters that several programs share: who this machine is, where its files are, under which
// uids it runs, and the limits that hold everywhere.  What one program alone reads stands in its
// own config.h.
#pragma once

#include "libconf/parameter.h"

namespace conf {

// Where main.cf is unless a command line says otherwise.
constexpr std::string_view built_in_config_directory = "/etc/tern";

enum class SandboxMode : unsigned char { Off, On, Require };

struct Common : Section {
    void prepare(const MainCf& settings) override;
    void verify(const MainCf& settings, Problems& problems) const override;

    // --- identity: all programs --------------------------------------------------------------------
    Text myhostname{this, "myhostname", "", {.min = 1, .max = 255},
        "The Internet name of this mail system: it stands in greetings, trace fields and message ids.  "
        "The default is the machine's name, with .$mydomain where that has no dot."};
    Text mydomain{this, "mydomain", "", {.min = 1, .max = 255},
        "The Internet domain of this mail system.  The default is $myhostname without its first "
        "label, or localdomain."};
    Text myorigin{this, "myorigin", "$myhostname", {.min = 1, .max = 255},
        "The domain that is added to an address without one, and that mail sent on this machine "
        "comes from."};
    Words mydestination{this, "mydestination", "$myhostname, localhost.$mydomain, localhost",
        "The domains whose mail goes to $local_transport, as a list of names, /file/names and "
        "type:tables.  Read by smtpd(8), cleanup(8) and qmgr(8)."};
    Words mynetworks{this, "mynetworks", "127.0.0.0/8 [::1]/128",
        "The clients that permit_mynetworks trusts: addresses, network/mask, /file/names and "
        "type:tables, with ! before those to leave out.  Read by smtpd(8)."};
    Words inet_interfaces{this, "inet_interfaces", "all",
        "The addresses on which master(8) listens for services whose name has no host: all, "
        "loopback-only, or a list of addresses."};
    Words inet_protocols{this, "inet_protocols", "all",
        "The Internet protocols to use: all, ipv4, ipv6, or ipv4 and ipv6."};
    Text mail_name{this, "mail_name", "Tern", {.min = 1, .max = 100},
        "The name of the mail system in greetings and trace fields."};
    Text compatibility_level{this, "compatibility_level", "3.11",
        "Accepted so that configurations made for Postfix can be read; there is one level only."};
    Text stress{this, "stress", "",
        "Set to yes by master(8) for a service all of whose processes are busy; for use in "
        "conditions such as ${stress?{10}:{300}}s."};

    // --- directories and files: all programs ---------------------------------------------------------
    Path config_directory{this, "config_directory", built_in_config_directory,
        "Where main.cf and master.cf are.  It is given to programs with -c, not set in main.cf; all "
        "other paths may be written relative to it as $config_directory/name."};
    Path queue_directory{this, "queue_directory", "/var/spool/tern",
        "The directory of the queue and of the sockets between programs."};
    Path data_directory{this, "data_directory", "/var/lib/tern",
        "The directory of what programs keep for themselves between runs."};
    Path mail_store_directory{this, "mail_store_directory", "/var/mail/tern",
        "The directory below which users' mail is kept.  Read by ternuser(1), ternbox(1), master(8) and usher(8)."};
    Path daemon_directory{this, "daemon_directory", "/usr/lib/tern",
        "The directory of the programs that master(8) starts."};
    Path command_directory{this, "command_directory", "/usr/sbin",
        "The directory of the administrative commands."};
    Text process_id_directory{this, "process_id_directory", "pid", {.min = 1, .max = 200},
        "The directory of the lock file of master(8), relative to $queue_directory unless it begins "
        "with a slash."};
    Path maillog_file{this, "maillog_file", "",
        "The file that log(8) writes.  Empty: lines go to the system's log."};
    Text syslog_name{this, "syslog_name", "tern", {.min = 1, .max = 100},
        "What stands before the name of the program in log lines, with a slash between them."};
    Text syslog_facility{this, "syslog_facility", "mail", {.min = 1, .max = 20},
        "The facility under which lines go to the system's log."};

    // --- uids: master(8), tern(8), and whoever checks a peer -------------------------------------------
    Text mail_owner{this, "mail_owner", "tern", {.min = 1, .max = 100},
        "The account that owns the queue and runs qmgr(8).  As all accounts here: a name or a number; "
        "without root all programs run as the caller."};
    Text smtpd_owner{this, "smtpd_owner", "tern-smtpd", {.min = 1, .max = 100},
        "The account of smtpd(8)."};
    Text cleanup_owner{this, "cleanup_owner", "tern-cleanup", {.min = 1, .max = 100},
        "The account of cleanup(8)."};
    Text pickup_owner{this, "pickup_owner", "tern-pickup", {.min = 1, .max = 100},
        "The account of pickup(8)."};
    Text local_owner{this, "local_owner", "tern-local", {.min = 1, .max = 100},
        "The account of local(8)."};
    Text bounce_owner{this, "bounce_owner", "tern-bounce", {.min = 1, .max = 100},
        "The account of bounce(8)."};
    Text smtp_owner{this, "smtp_owner", "tern-smtp", {.min = 1, .max = 100},
        "The account of smtp(8), whatever the name of its service."};
    Text auth_owner{this, "auth_owner", "tern-auth", {.min = 1, .max = 100},
        "The account of auth(8)."};
    Text imapd_owner{this, "imapd_owner", "tern-imapd", {.min = 1, .max = 100},
        "The account of imapd(8)."};
    Text pop3d_owner{this, "pop3d_owner", "tern-pop3d", {.min = 1, .max = 100},
        "The account of pop3d(8)."};
    Text anvil_owner{this, "anvil_owner", "tern-anvil", {.min = 1, .max = 100},
        "The account of anvil(8)."};
    Text sts_owner{this, "sts_owner", "tern-sts", {.min = 1, .max = 100},
        "The account of sts(8)."};
    Text tables_owner{this, "tables_owner", "tern-tables", {.min = 1, .max = 100},
        "The account of tables(8)."};
    Text verify_owner{this, "verify_owner", "tern-verify", {.min = 1, .max = 100},
        "The account of verify(8)."};
    Text log_owner{this, "log_owner", "tern-log", {.min = 1, .max = 100},
        "The account of log(8)."};
    Text setgid_group{this, "setgid_group", "terndrop", {.min = 1, .max = 100},
        "The group of the drop directory and of terndrop(1)."};

    // --- recipients: smtpd, cleanup, qmgr, local, auth, ternuser ---------------------------------------
    Text recipient_delimiter{this, "recipient_delimiter", "", {.max = 10},
        "The characters that separate a user name from an extension: with + mail for "
        "user+lists@example.com goes to user@example.com unless there is an entry for the longer "
        "address."};
    Words virtual_mailbox_domains{this, "virtual_mailbox_domains", "$virtual_mailbox_maps",
        "The domains whose mail goes to $virtual_transport, as a list of names, /file/names and "
        "type:tables.  By default each domain that has an account."};
    TableNames virtual_mailbox_maps{this, "virtual_mailbox_maps", "accounts:$config_directory/accounts",
        "The tables of all addresses in $virtual_mailbox_domains."};

    // --- limits and times ----------------------------------------------------------------------------
    Size message_size_limit{this, "message_size_limit", "10240000", {.max = std::uint64_t(1) << 40},
        "How large a message may be, as it comes in; 0 is no limit.  Read by smtpd(8), cleanup(8), "
        "pickup(8), usher(8), terndrop(1) and sendmail(1)."};
    Count default_process_limit{this, "default_process_limit", "100", {.min = 1, .max = 100'000},
        "How many processes of one service there may be, where master.cf says -."};
    Count max_use{this, "max_use", "1000", {.min = 1, .max = INT32_MAX},
        "How many clients a worker process serves before it ends."};
    Duration max_idle{this, "max_idle", "100s", {.min = std::chrono::seconds(1)},
        "How long a worker process waits for its next client before it ends."};
    Duration ipc_timeout{this, "ipc_timeout", "3600s", {.min = std::chrono::seconds(1)},
        "How long a program waits for another program of this system to take or give data."};
    Duration daemon_timeout{this, "daemon_timeout", "18000s", {.min = std::chrono::seconds(1)},
        "How long a worker process may take over one request before it is ended as stuck."};
    Duration master_stop_time{this, "master_stop_time", "10s", {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long processes may take to end after they were told to stop, or after master(8) died, before they are killed."};

    // --- protection ------------------------------------------------------------------------------------
    Choice<SandboxMode> sandbox{this, "sandbox", "yes",
        {{"yes", SandboxMode::On}, {"no", SandboxMode::Off}, {"require", SandboxMode::Require}},
        "Whether programs lock themselves in (Landlock, seccomp, limits).  With require a program "
        "does not start where the kernel lacks a part of it; with yes it starts and warns."};
    Flag allow_plaintext_login{this, "allow_plaintext_login", "no",
        "Whether passwords may travel without TLS, from loopback addresses only.  For private "
        "instances under test.  Read by smtpd(8), imapd(8) and pop3d(8)."};
};

// Reads main.cf for a command that needs no parameters but these.  Invalid: all that is wrong.
util::Result<void> load_common(Common& common, const std::string& config_directory);

}  // namespace conf
