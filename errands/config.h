// The main.cf(5) parameters of errands(8).
#pragma once

#include "libconf/parameter.h"

namespace errands {

struct Config : conf::Section {
    conf::Count minimum_uid{this, "errands_minimum_uid", "100", {.min = 1, .max = UINT32_MAX - 1},
        "Nothing is done with the rights of a uid below this one, and never with root's."};
    conf::Text default_privs{this, "default_privs", "nobody", {.min = 1, .max = 100},
        "With whose rights commands and files of aliases(5) are served, where root owns the table.  A table of "
        "another owner has the rights of its owner."};
    conf::Count process_limit{this, "errands_process_limit", "50", {.min = 1, .max = 10'000},
        "How many commands and deliveries to files are run at a time, and how many lists are read beside them; more "
        "wait.  Of one user, or one alias, it is a fifth at most."};
    conf::Count user_process_limit{this, "errands_user_process_limit", "2000", {.max = 1'000'000},
        "How many processes and threads a user may have, all of the machine counted, when one of his commands starts "
        "another, so that a command that starts itself without end stops at the user's door; 0: no limit."};
    conf::Duration list_time_limit{this, "errands_list_time_limit", "30s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long the reading of a .forward file, or of one of :include:, may take."};
    conf::Size list_size_limit{this, "errands_list_size_limit", "1000000", {.min = 1000, .max = 100'000'000},
        "How large a .forward file, or a file of :include:, may be."};

    // --- where users have written something ------------------------------------------------------------
    conf::RawText forward_path{this, "forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward",
        "Where a user's .forward file may be; the first that there is counts.  Empty: nowhere.  With $user, $home, "
        "$shell, $recipient, $extension, $domain, $local and $recipient_delimiter, and ${name?text} and ${name:text} "
        "for a value that is there or not."};
    conf::Text forward_expansion_filter{this, "forward_expansion_filter",
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "The characters that may stay in what forward_path has from an address; others become underscores."};
    conf::Words allow_mail_to_commands{this, "allow_mail_to_commands", "alias, forward",
        "Where \"|command\" may stand: alias, forward, include."};
    conf::Words allow_mail_to_files{this, "allow_mail_to_files", "alias, forward",
        "Where \"/file/name\" may stand: alias, forward, include."};

    // --- commands --------------------------------------------------------------------------------------
    conf::Text local_command_shell{this, "local_command_shell", "",
        "The shell that runs commands, with -c, instead of /bin/sh."};
    conf::Text command_expansion_filter{this, "command_expansion_filter",
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "The characters that may stay in what a command's environment has from the message; others become underscores."};

    conf::TableNames mailbox_command_maps{this, "mailbox_command_maps", "",
        "Tables of commands by user: they get the user's mail, with that user's rights, instead of a mailbox file.  "
        "The mailbox of an account comes before."};
    conf::RawText mailbox_command{this, "mailbox_command", "",
        "The command for all users who are not in $mailbox_command_maps."};

    // --- virtual mailboxes that are no accounts --------------------------------------------------------
    conf::Text virtual_mailbox_base{this, "virtual_mailbox_base", "", {.max = 1000},
        "The directory below which the paths of $virtual_mailbox_maps are; one that ends with a slash is that of a maildir."};
    conf::TableNames virtual_gid_maps{this, "virtual_gid_maps", "",
        "Tables of the gids under which these mailboxes are written, by address."};
    conf::Count virtual_minimum_uid{this, "virtual_minimum_uid", "100", {.min = 1, .max = UINT32_MAX - 1},
        "The lowest uid that $virtual_uid_maps may give."};
    conf::Size virtual_mailbox_limit{this, "virtual_mailbox_limit", "51200000", {.max = std::uint64_t(1) << 40},
        "How large such a mailbox file, or a message in such a maildir, may be; 0 is no limit."};
    conf::Words virtual_mailbox_lock{this, "virtual_mailbox_lock", "fcntl, dotlock",
        "How such a mailbox file is locked: fcntl, flock, dotlock."};

    // --- files and mailboxes ---------------------------------------------------------------------------
    conf::Text home_mailbox{this, "home_mailbox", "", {.max = 1000},
        "The mailbox of a user without account, below the home directory; with a slash at its end a maildir.  "
        "Empty: the file with the user's name in $mail_spool_directory."};
    conf::Text mail_spool_directory{this, "mail_spool_directory", "/var/mail", {.min = 1, .max = 1000},
        "Where the mailboxes of users without account are; with a slash at its end they are maildirs."};
    conf::Size mailbox_size_limit{this, "mailbox_size_limit", "51200000", {.max = std::uint64_t(1) << 40},
        "How large a mailbox file may grow, and any file that a command writes; 0 is no limit."};
    conf::Words mailbox_delivery_lock{this, "mailbox_delivery_lock", "fcntl, dotlock",
        "How a mailbox file is locked: fcntl, flock, dotlock."};
    conf::Count deliver_lock_attempts{this, "deliver_lock_attempts", "20", {.min = 1, .max = 10'000},
        "How often a lock is tried."};
    conf::Duration deliver_lock_delay{this, "deliver_lock_delay", "1s",
        {.min = std::chrono::milliseconds(1), .max = std::chrono::hours(1)}, "How long after one try the next one is."};
    conf::Duration stale_lock_time{this, "stale_lock_time", "500s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How old a lock file of others must be to be removed."};
    conf::Flag strict_mailbox_ownership{this, "strict_mailbox_ownership", "yes",
        "Whether mail waits when a mailbox file belongs to another than its user."};
};

}  // namespace errands
