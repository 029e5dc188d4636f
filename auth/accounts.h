// Accounts: who there is, and what is stored of their passwords.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/credentials_file.h"
#include "libmail/scram.h"

#include <optional>
#include <string>
#include <string_view>

namespace auth {

class Accounts {
public:
    // `directory`: where the files accounts and credentials are.  `origin`: the domain of a name
    // without one.
    Accounts(const std::string& directory, std::string origin);

    // Looks whether the files changed; true if credentials did.  Temporary: they cannot be read.
    util::Result<bool> update() { return credentials_.update(); }

    // The name as the files have it: lower case, with a domain.
    std::string canonical(std::string_view name) const;

    struct Found {
        bool usable = false;   // exists in both files and is not disabled
        std::string hash;      // its own, or one that costs the same and fits nothing
        std::string verifier;
    };
    // Also for a name that does not exist, so that the work is the same.  Temporary: a file cannot be
    // read.
    util::Result<Found> find(const std::string& account);
    // For SCRAM: the account's verifier, or one that no proof fits.
    util::Result<mail::ScramVerifier> verifier(const std::string& account);

    bool all_have_verifiers() const { return credentials_.all_have_verifiers(); }

private:
    conf::AccountsReader accounts_;
    conf::CredentialsReader credentials_;
    std::string origin_;
    std::string secret_;  // for verifiers of those who are not there, while there is no account at all
};

}  // namespace auth
