// Book: the two files of accounts, changed together under one lock.
//
// An account is visible once it is in the public file: so credentials are written first when one
// comes, and last when one goes.  A crash between the two leaves a credential without account, which
// opens nothing and is put right by the next change.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/common.h"
#include "libconf/credentials_file.h"
#include "libutil/unique_fd.h"

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

    const conf::Account* find(std::string_view address) const;
    const conf::Credential* credential(std::string_view address) const;
    const std::vector<conf::Account>& accounts() const { return accounts_; }

    // Invalid: there is one.  Permanent: no uid is left.
    util::Result<void> add(const std::string& address, conf::Credential credential);
    // NotFound, all three.
    util::Result<void> set_credential(conf::Credential credential);
    util::Result<void> set_disabled(std::string_view address, bool disabled);
    util::Result<void> remove(std::string_view address);

private:
    Book(const conf::Common& common, std::string directory, UidRange range);
    util::Result<uid_t> next_uid();
    util::Result<void> save_accounts();
    util::Result<void> save_credentials();
    conf::Account* find_mutable(std::string_view address);

    const conf::Common& common_;
    std::string directory_;
    UidRange range_;
    util::UniqueFd lock_;
    std::vector<conf::Account> accounts_;
    std::vector<conf::Credential> credentials_;
};

}  // namespace ternuser
