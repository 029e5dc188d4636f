// Accounts: the three files seen as one.
#include "auth/accounts.h"

#include "auth/password.h"
#include "libnet/crypto.h"
#include "libutil/log.h"
#include "libutil/random.h"
#include "libutil/sys.h"
#include "libutil/text.h"

namespace auth {

constexpr std::uint32_t usual_iterations = 60'000;

// What the files say of one account.
struct Accounts::Entry {
    std::optional<conf::Account> listed;
    std::optional<conf::Credential> stored;   // with a hash or a verifier
    const conf::Logins* logins = nullptr;     // until the next update()
};

Accounts::Accounts(const std::string& directory, std::string origin, std::string secret)
    : accounts_(util::concat(directory, "/accounts")),
      credentials_(util::concat(directory, "/credentials")),
      logins_(util::concat(directory, "/logins")),
      origin_(std::move(origin)),
      secret_(std::move(secret))
{
}

util::Result<bool> Accounts::update()
{
    // An account that was disabled a moment ago must not open.
    accounts_.refresh();
    auto credentials = credentials_.update();
    auto logins = logins_.update();
    // Without its limits no account opens.
    logins_known_ = logins.ok();
    bool changed = TRY(std::move(logins));
    bool others = TRY(std::move(credentials));
    return changed || others;
}

std::string Accounts::canonical(std::string_view name) const
{
    std::string account = util::lower(name);
    if (account.find('@') == std::string::npos)
        util::append(account, '@', util::lower(origin_));
    return account;
}

// PAM wants to see passwords.
bool Accounts::all_have_verifiers()
{
    auto system_users = accounts_.has_system_users();
    return credentials_.all_have_verifiers() && logins_.all_have_verifiers() && system_users.ok() && !*system_users;
}

util::Result<std::string> Accounts::resolve(std::string_view name)
{
    std::string account = canonical(name);
    auto entry = TRY(accounts_.find_entry(account));
    if (entry && entry->is_alias() && entry->has_flag(conf::login_flag))
        return std::move(entry->target);
    return account;
}

util::Result<Accounts::Entry> Accounts::look(const std::string& account)
{
    if (!logins_known_)
        return util::temporary("the file of log-ins cannot be read");
    Entry entry;
    entry.listed = TRY(accounts_.find_entry(account));
    if (entry.listed && entry.listed->is_alias())
        entry.listed.reset();
    entry.stored = credentials_.find(account);
    if (entry.stored && entry.stored->hash.empty() && entry.stored->verifier.empty())
        entry.stored.reset();
    entry.logins = &logins_.find(account);
    return entry;
}

std::string Accounts::refusal_of(const Entry& entry, const Origin& origin)
{
    if (!entry.listed)
        return "unknown account";
    if (entry.listed->has_flag(conf::disabled_flag))
        return "disabled account";
    return entry.logins->limits.why_not(origin.protocol, origin.client_address);
}

util::Result<Accounts::Found> Accounts::find(const std::string& account, const Origin& origin)
{
    Entry entry = TRY(look(account));
    return found_of(entry, origin);
}

Accounts::Found Accounts::found_of(const Entry& entry, const Origin& origin) const
{
    Found found;
    found.refusal = refusal_of(entry, origin);
    if (found.refusal.empty() && entry.logins->app_passwords_only)
        found.refusal = "only app passwords are taken";
    if (entry.listed)
        found.system_user = entry.listed->system_user();
    if (found.refusal.empty() && found.system_user.empty() && !entry.stored)
        found.refusal = "the account has no password";
    found.usable = found.refusal.empty();
    if (entry.stored) {
        found.hash = entry.stored->hash;
        found.verifier = entry.stored->verifier;
    } else {
        found.hash = hash_like(credentials_.first_hash());
    }
    return found;
}

std::optional<std::string> Accounts::find_app(const std::string& account, std::string_view password) const
{
    std::string secret = conf::app_secret(password);
    if (secret.empty())
        return {};
    std::string digest = net::sha256(secret);
    for (const conf::AppPassword& app : logins_.find(account).apps)
        if (util::equal_constant_time(app.digest, digest))
            return app.name;
    return {};
}

util::Result<Accounts::Leave> Accounts::leave(const std::string& account, const std::string& app, const Origin& origin)
{
    Leave leave;
    Entry entry = TRY(look(account));
    leave.refusal = refusal_of(entry, origin);
    std::string secret;
    if (app.empty()) {
        Found found = found_of(entry, origin);
        leave.refusal = found.refusal;
        secret = found.system_user.empty() ? util::concat(found.hash, ' ', found.verifier) : found.system_user;
    } else if (const conf::AppPassword* given = entry.logins->find(app)) {
        secret = given->digest;
        if (leave.refusal.empty())
            leave.refusal = given->limits.why_not(origin.protocol, origin.client_address);
        if (!leave.refusal.empty())
            util::append(leave.refusal, " (app password ", app, ")");
    } else {
        leave.refusal = util::concat("the app password ", app, " was revoked");
    }
    if (entry.listed) {
        leave.system_user = entry.listed->system_user();
        leave.uid = entry.listed->uid;
        leave.stamp = net::sha256(util::concat(entry.listed->uid, ' ', app, ' ', secret));
    }
    return leave;
}

util::Result<std::vector<Accounts::Provable>> Accounts::provable(const std::string& account, const Origin& origin)
{
    Entry entry = TRY(look(account));
    std::vector<Provable> all;
    std::optional<mail::ScramVerifier> own;   // whose salt the client is told
    auto read = [&](const std::string& text, std::string_view whose) -> util::Result<mail::ScramVerifier> {
        auto parsed = mail::parse_scram_verifier(text);
        if (!parsed.ok())
            return util::temporary(util::concat("the SCRAM verifier of ", account, whose, ": ", parsed.error().text));
        if (!own)
            own = *parsed;
        return parsed;
    };
    Found main = found_of(entry, origin);
    bool has_own = entry.listed && entry.listed->system_user().empty() && entry.stored && !entry.stored->verifier.empty();
    if (has_own) {
        auto verifier = TRY(read(entry.stored->verifier, ""));
        if (main.usable)
            all.push_back({"", std::move(verifier)});
    }
    for (const conf::AppPassword& app : entry.logins->apps) {
        if (!entry.listed || app.verifier.empty())
            continue;
        auto verifier = TRY(read(app.verifier, util::concat(", app password ", app.name)));
        bool may = refusal_of(entry, origin).empty() && app.limits.why_not(origin.protocol, origin.client_address).empty();
        if (may && verifier.salt == own->salt && verifier.iterations == own->iterations)
            all.push_back({app.name, std::move(verifier)});
    }
    if (!all.empty())
        return all;
    // The salt must be the same tomorrow, whatever becomes of others' passwords: else it would show who is
    // there.  That of an account is the same when it is disabled, or asked for from elsewhere.
    auto first = mail::parse_scram_verifier(credentials_.first_verifier());
    auto fake = mail::fake_scram_verifier(secret_, account, first.ok() ? first->iterations : usual_iterations);
    if (own) {
        fake.salt = own->salt;
        fake.iterations = own->iterations;
    }
    all.push_back({"", std::move(fake)});
    return all;
}

std::string lasting_secret(const std::string& path)
{
    constexpr std::size_t size = 32;
    auto kept = util::sys::read_file(path, size);
    if (kept.ok() && kept->size() == size)
        return kept.take();
    std::string fresh = util::random_string(size);
    auto written = util::sys::replace_file(path, fresh, 0600);
    if (!written.ok())
        util::log::warning("whether a name has an account can be guessed from its SCRAM salt after a restart: ",
                           written.error().text);
    return fresh;
}

}  // namespace auth
