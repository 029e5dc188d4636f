// Book: the files of accounts, changed together under one lock.
//
// An account is visible once it is in the public file: so what is secret is written first when one
// comes, and last when one goes.  A crash between the two leaves a credential without account, which
// opens nothing and is put right by the next change.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/common.h"
#include "libconf/credentials_file.h"
#include "libconf/logins_file.h"
#include "libconf/quota.h"
#include "libutil/unique_fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ternuser {

struct UidRange {
    uid_t first = 0;
    uid_t last = 0;
};
// "FIRST-LAST"; Invalid when malformed, empty, or below 1000.
util::Result<UidRange> parse_uid_range(std::string_view text);

// The account's name in the form that the files have: local@domain in lower case.  Invalid: no
// address, or a local part that cannot be a directory's name.
util::Result<std::string> parse_name(std::string_view text);

class Book {
public:
    // Waits for others that change it.
    static util::Result<Book> open(const conf::Common& common, const std::string& directory, UidRange range);

    // An account; of an alias's name nothing.
    const conf::Account* find(std::string_view address) const;
    const conf::Account* find_alias(std::string_view address) const;
    std::vector<const conf::Account*> aliases_of(std::string_view account) const;
    const conf::Credential* credential(std::string_view address) const;
    const conf::Logins& logins(std::string_view address) const;
    // With the aliases.
    const std::vector<conf::Account>& accounts() const { return accounts_; }

    // Invalid: there is one, or an alias of that name; or the home has another's mail, unless `take_home`,
    // which gives the account the uid of the home.  Permanent: no uid is left.
    util::Result<void> add(const std::string& address, conf::Credential credential, bool take_home);
    // The account of a user of the system, under his uid and gid.  Invalid, also: there is no such user, or it is root.
    util::Result<void> add_system(const std::string& address, const std::string& user);
    // NotFound, all that follow.
    util::Result<void> set_credential(conf::Credential credential);
    util::Result<void> disable(std::string_view address, bool refuse_mail);
    util::Result<void> enable(std::string_view address);
    // With its aliases, limits and app passwords.
    util::Result<void> remove(std::string_view address);

    // Invalid: there is an account or another alias of that name.  One that is there gets these flags.
    util::Result<void> add_alias(const std::string& alias, const std::string& account, bool login, bool send);
    util::Result<void> remove_alias(std::string_view alias);

    // Invalid: no name of a group, or too many of them; one that the account is in already is no mistake.
    util::Result<void> add_group(std::string_view address, const std::string& group);
    util::Result<void> remove_group(std::string_view address, const std::string& group);

    // Limits of an account; what is not said is the domain's, or the default's.
    util::Result<void> set_quota(std::string_view address, const conf::QuotaLimits& limits);
    const conf::DomainQuotas& domain_quotas() const { return domain_quotas_; }
    util::Result<void> set_domain_quota(const std::string& domain, const conf::QuotaLimits& all, const conf::QuotaLimits& each);

    util::Result<void> set_logins(const std::string& address, conf::Logins logins);
    // Invalid: there is one of that name, or there are too many.
    util::Result<void> add_app_password(const std::string& address, conf::AppPassword app);
    util::Result<void> remove_app_password(const std::string& address, std::string_view name);

private:
    Book(const conf::Common& common, std::string directory, UidRange range);
    util::Result<conf::Account*> existing(std::string_view address);
    util::Result<void> check_free(const std::string& address) const;
    util::Result<void> put(conf::Account account, std::optional<conf::Credential> credential);
    std::string home_of(std::string_view address) const;
    util::Result<std::optional<std::uint64_t>> highest_uid() const;
    util::Result<uid_t> next_uid();
    util::Result<std::optional<uid_t>> uid_of_home(const std::string& home, bool take_home) const;
    util::Result<void> save_accounts();
    util::Result<void> save_credentials();
    util::Result<void> save_logins();
    util::Result<void> save_secret(const std::string& name, std::string_view text) const;
    conf::Account* find_mutable(std::string_view address);

    const conf::Common& common_;
    std::string directory_;
    UidRange range_;
    util::UniqueFd lock_;
    std::vector<conf::Account> accounts_;
    std::vector<conf::Credential> credentials_;
    conf::LoginsByAccount logins_;
    conf::DomainQuotas domain_quotas_;
};

}  // namespace ternuser
