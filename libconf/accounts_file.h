// The public accounts file: which addresses have a mailbox, under which uid, and where.
//
//   # tern accounts 1
//   @example.org::::
//   alice@example.org:100001:100001:/var/mail/tern/example.org/alice:
//   bob@example.org:100002:100002:/var/mail/tern/example.org/bob:disabled
//   info@example.org:::alice@example.org:alias,send
//
// The first line is the version.  The others are sorted bytewise by what stands before the first
// colon, so that a reader finds an address by bisection in a mapping.  Each domain that has an
// account has a line of its own, which says only that: it is no catch-all.  A line without uid and gid is
// an alias: another address of the account that it names.  Addresses are in lower case (ASCII).  Passwords
// are elsewhere.
// The file is never changed in place: ternuser(1) writes a new one and renames it.
#pragma once

#include "libconf/group_name.h"
#include "libconf/watched_file.h"
#include "libutil/result.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

struct Account {
    std::string address;  // user@domain, or user alone; lower case
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;                // an absolute path; of an alias empty
    std::vector<std::string> flags;  // words such as "disabled"; unknown ones are kept
    std::string target = {};         // of an alias: the account's address; else empty

    bool has_flag(std::string_view flag) const;
    bool is_alias() const { return !target.empty(); }
    // The user of the system whose account it is; else empty.
    std::string_view system_user() const;
    // Of which it is a member.
    std::vector<std::string> groups() const;
    bool operator==(const Account&) const = default;
};

// "storage=2147483648", "messages=10000", "mailboxes=100": quotas, see quota.h.
// Flags of accounts: who may not log in; whose mail is refused.
constexpr std::string_view disabled_flag = "disabled";
constexpr std::string_view no_mail_flag = "no-mail";
// "system=USER": the account is that of a user of the system, whose password PAM knows (auth-pam(8)).
constexpr std::string_view system_flag = "system=";
// "group=NAME", any number of them: the identifiers of access control lists that mean the account beside its name.
constexpr std::string_view group_flag = group_prefix;
constexpr std::size_t max_account_groups = 40;   // of the longest names (group_name.h) as many fit into a line
// Of aliases: what makes them such, and what they are good for beside receiving.
constexpr std::string_view alias_flag = "alias";
constexpr std::string_view login_flag = "login";
constexpr std::string_view send_flag = "send";

constexpr std::string_view accounts_version_line = "# tern accounts 1\n";
constexpr std::size_t max_account_line = 4096;             // bytes, without the end of the line
constexpr std::size_t max_accounts_size = 1'000'000'000;   // bytes of the file

// One line without its end.  Invalid: not five fields, numbers that are none, a home that is no
// absolute path, an address with upper case or control bytes, an alias of no address or without the flag,
// a line over the limit.  A domain's line ("@example.org::::") is an Account with that address and nothing
// else.
util::Result<Account> parse_account_line(std::string_view line);
// The line without its end.  Invalid: a field that the form cannot hold.
util::Result<std::string> format_account_line(const Account& account);

// The file beside it that has the highest uid that an account ever had; ternuser(1) makes it with the first account.
std::string last_uid_file(std::string_view accounts_path);

// All accounts of a file's text, without the domains' lines, in the file's order.  Invalid: what
// is wrong, with the line; lines that are out of order or double are.
util::Result<std::vector<Account>> parse_accounts(std::string_view text);
// The whole file's text: sorted, the domains' lines added.  Invalid: double addresses, bad fields.
util::Result<std::string> format_accounts(std::vector<Account> accounts);

// A missing file is an empty list.
util::Result<std::vector<Account>> read_accounts(const std::string& path);
// Atomic and synced; the file is readable by all (mode 0644).
util::Result<void> write_accounts(const std::string& path, std::vector<Account> accounts);

// Lookups in the file at a path, for as long as a process lives; a replaced file is noticed within
// a second.
class AccountsReader {
public:
    explicit AccountsReader(std::string path);
    AccountsReader(AccountsReader&& other) noexcept;
    AccountsReader& operator=(AccountsReader&& other) noexcept;
    ~AccountsReader();

    // The account of "user@domain" (any case), by its own address or by an alias; nothing when there is
    // none.  Temporary: the file is lost, unreadable, of another version, or has a bad line where it was
    // looked.  It is lost where it was seen before, and where its mark (last_uid_file()) says that there have been
    // accounts; else it is not there because there is none.
    util::Result<std::optional<Account>> find(std::string_view address);
    // The line of that address itself, be it an account's or an alias's.
    util::Result<std::optional<Account>> find_entry(std::string_view address);
    // Has the domain an account?
    util::Result<bool> has_domain(std::string_view domain);
    // The accounts of a domain, without aliases.  Reads the whole file.
    util::Result<std::vector<Account>> of_domain(std::string_view domain);
    // Another number for each version of the file.
    std::uint64_t version();
    // Is any account that of a user of the system?  Reads the whole file, once for each version of it.
    util::Result<bool> has_system_users();
    // Looks now whether the file was replaced, not only after a second.
    void refresh() { file_.look_now(); }

private:
    util::Result<void> update();
    bool never_was(const util::Error& error) const;
    util::Result<void> map();
    util::Result<std::optional<std::string_view>> find_line(std::string_view key);
    void close();

    WatchedFile file_;
    bool seen_ = false;         // the file was there
    std::string copy_;          // of a small file
    void* mapping_ = nullptr;   // of a large one
    std::size_t mapped_ = 0;
    std::optional<bool> has_system_users_;
    std::uint64_t version_ = 0;
    std::string_view text_;     // of either, behind the version line; valid until close()
};

}  // namespace conf
