// Accounts: the two files seen as one.
#include "auth/accounts.h"

#include "auth/password.h"
#include "libnet/crypto.h"
#include "libutil/random.h"
#include "libutil/text.h"

namespace auth {

constexpr std::uint32_t usual_iterations = 60'000;

Accounts::Accounts(const std::string& directory, std::string origin)
    : accounts_(util::concat(directory, "/accounts")),
      credentials_(util::concat(directory, "/credentials")),
      origin_(std::move(origin)),
      secret_(util::random_string(32))
{
}

std::string Accounts::canonical(std::string_view name) const
{
    std::string account = util::lower(name);
    if (account.find('@') == std::string::npos)
        util::append(account, '@', util::lower(origin_));
    return account;
}

util::Result<Accounts::Found> Accounts::find(const std::string& account)
{
    auto listed = TRY(accounts_.find(account));
    auto stored = credentials_.find(account);
    if (!listed && stored) {
        // Perhaps it was made within the last second.
        accounts_.refresh();
        listed = TRY(accounts_.find(account));
    }
    Found found;
    found.usable = listed && stored && !listed->has_flag("disabled") && !(stored->hash.empty() && stored->verifier.empty());
    if (stored && !(stored->hash.empty() && stored->verifier.empty())) {
        found.hash = stored->hash;
        found.verifier = stored->verifier;
    } else {
        found.hash = hash_like(credentials_.first_hash());
    }
    return found;
}

util::Result<mail::ScramVerifier> Accounts::verifier(const std::string& account)
{
    auto found = TRY(find(account));
    if (found.usable && !found.verifier.empty()) {
        auto parsed = mail::parse_scram_verifier(found.verifier);
        if (!parsed.ok())
            return util::temporary(util::concat("the SCRAM verifier of ", account, ": ", parsed.error().text));
        return parsed;
    }
    // The salt must be the same tomorrow, too: so it hangs on a secret that lasts as long as the files do.
    std::string secret = credentials_.first_verifier().empty() ? secret_ : net::sha256(credentials_.first_verifier());
    auto first = mail::parse_scram_verifier(credentials_.first_verifier());
    return mail::fake_scram_verifier(secret, account, first.ok() ? first->iterations : usual_iterations);
}

}  // namespace auth
