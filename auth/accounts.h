// Accounts: who there is, what is stored of their passwords, and what limits their log-ins.
#pragma once

#include "libconf/accounts_file.h"
#include "libconf/credentials_file.h"
#include "libconf/logins_file.h"
#include "libmail/scram.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

// Where somebody wants to log in, and from where.
struct Origin {
    std::string_view protocol;         // as in conf::LoginLimits
    std::string_view client_address;
};

class Accounts {
public:
    // `directory`: where the files accounts, credentials and logins are.  `origin`: the domain of a name
    // without one.  `secret`: what salts of names without account are made of.
    Accounts(const std::string& directory, std::string origin, std::string secret);

    // Looks whether the files changed; true if credentials or logins did.  Temporary: they cannot be read.
    util::Result<bool> update();

    // The name as the files have it: lower case, with a domain.
    std::string canonical(std::string_view name) const;
    // The same, and where that is an alias with which one may log in, the account that it stands for.
    // Temporary: the file cannot be read.
    util::Result<std::string> resolve(std::string_view name);

    struct Found {
        bool usable = false;   // its main password opens it, there and now
        std::string refusal;   // why not, for the log
        std::string hash;      // its own, or one that costs the same and fits nothing
        std::string verifier;
        std::string system_user;   // whose password PAM knows; else empty
    };
    // Also for a name that does not exist, so that the work is the same.  Temporary: a file cannot be
    // read.
    util::Result<Found> find(const std::string& account, const Origin& origin);

    // The app password of the account that this is, whether it may be used there or not; else nothing.
    // No slow hash stands between, since its secret is as random as a key.
    std::optional<std::string> find_app(const std::string& account, std::string_view password) const;

    // May who has proved the main password (`app` is empty) or an app password open the account, there and
    // now?  `stamp` is the same for as long as that is the same account with the same secret.
    struct Leave {
        std::string stamp;
        std::string refusal;   // why not, for the log; empty: yes
        std::string system_user = {};   // PAM has to be asked, too: of the account alone, for an app password
        uid_t uid = 0;
    };
    util::Result<Leave> leave(const std::string& account, const std::string& app, const Origin& origin);

    // For SCRAM: what can be proved, there and now; at least one, if only one that no proof fits.
    struct Provable {
        std::string app;       // empty: the main password
        mail::ScramVerifier verifier;
    };
    util::Result<std::vector<Provable>> provable(const std::string& account, const Origin& origin);

    // Can everybody use SCRAM?
    bool all_have_verifiers();
    const conf::Logins& logins(std::string_view account) const { return logins_.find(account); }

private:
    struct Entry;
    util::Result<Entry> look(const std::string& account);
    static std::string refusal_of(const Entry& entry, const Origin& origin);
    Found found_of(const Entry& entry, const Origin& origin) const;

    conf::AccountsReader accounts_;
    conf::CredentialsReader credentials_;
    conf::LoginsReader logins_;
    bool logins_known_ = false;
    std::string origin_;
    std::string secret_;
};

// A random secret that is the same as long as its file is, which is made if it is not there.  If it cannot be,
// another one each time, with a warning.
std::string lasting_secret(const std::string& path);

}  // namespace auth
