// Book: accounts, credentials, log-ins.
#include "tools/ternuser/book.h"

#include "libipc/identity.h"
#include "libmail/address.h"
#include "libmail/normal_form.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ternuser {

namespace {

bool is_root()
{
    return ::geteuid() == 0;
}

}  // namespace

util::Result<UidRange> parse_uid_range(std::string_view text)
{
    auto [first, last] = util::split_first(text, '-');
    auto low = util::parse_unsigned(util::trim(first), UINT32_MAX - 1);
    auto high = util::parse_unsigned(util::trim(last), UINT32_MAX - 1);
    if (!low.ok() || !high.ok() || *low > *high)
        return util::invalid(util::concat("virtual_uid_range: FIRST-LAST is wanted, not ", util::printable(text, 40)));
    if (*low < 1000)
        return util::invalid("virtual_uid_range: uids below 1000 are the system's");
    return UidRange{uid_t(*low), uid_t(*high)};
}

util::Result<std::string> parse_name(std::string_view text)
{
    auto address = mail::parse_address(mail::normal_form(text));
    if (!address.ok())
        return util::invalid(util::concat(util::printable(text, 100), ": ", address.error().text));
    if (address->domain.empty() || address->is_literal())
        return util::invalid(util::concat(util::printable(text, 100), ": name@domain is wanted"));
    std::string local = util::lower(address->local_part);
    bool good = local.size() <= 200 && local.front() != '.' && std::ranges::none_of(local, [](char c) {
        return c == '/' || c == ':' || c == '"' || c == '\\' || c == '@' || static_cast<unsigned char>(c) <= ' ' || c == 127;
    });
    if (!good)
        return util::invalid(util::concat(util::printable(text, 100),
                                          ": a name may not begin with a dot, nor hold blanks, quotes or any of / : @ \\"));
    return util::concat(local, '@', util::lower(address->domain));
}

Book::Book(const conf::Common& common, std::string directory, UidRange range)
    : common_(common), directory_(std::move(directory)), range_(range)
{
}

util::Result<Book> Book::open(const conf::Common& common, const std::string& directory, UidRange range)
{
    Book book(common, directory, range);
    auto lock = util::sys::open(directory + "/accounts.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (!lock.ok() && (lock.error().code == EACCES || lock.error().code == EPERM))
        return util::permanent(lock.error().text + "; accounts are root's to see and to change");
    book.lock_ = TRY(std::move(lock));
    TRY(util::sys::lock_exclusive(book.lock_.get()));
    book.accounts_ = TRY(conf::read_accounts(directory + "/accounts"));
    book.credentials_ = TRY(conf::read_credentials(directory + "/credentials"));
    book.logins_ = TRY(conf::read_logins(directory + "/logins"));
    book.domain_quotas_ = TRY(conf::read_domain_quotas(directory + "/quotas"));
    return book;
}

conf::Account* Book::find_mutable(std::string_view address)
{
    auto found = std::ranges::find(accounts_, address, &conf::Account::address);
    return found == accounts_.end() ? nullptr : &*found;
}

const conf::Account* Book::find(std::string_view address) const
{
    auto found = std::ranges::find(accounts_, address, &conf::Account::address);
    return found == accounts_.end() || found->is_alias() ? nullptr : &*found;
}

const conf::Account* Book::find_alias(std::string_view address) const
{
    auto found = std::ranges::find(accounts_, address, &conf::Account::address);
    return found == accounts_.end() || !found->is_alias() ? nullptr : &*found;
}

std::vector<const conf::Account*> Book::aliases_of(std::string_view account) const
{
    std::vector<const conf::Account*> aliases;
    for (const conf::Account& entry : accounts_)
        if (entry.target == account)
            aliases.push_back(&entry);
    return aliases;
}

const conf::Logins& Book::logins(std::string_view address) const
{
    static const conf::Logins nothing;
    auto found = logins_.find(address);
    return found == logins_.end() ? nothing : found->second;
}

util::Result<conf::Account*> Book::existing(std::string_view address)
{
    conf::Account* account = find_mutable(address);
    if (!account)
        return util::not_found(util::concat(address, ": no such account; \"ternuser list\" shows those there are"));
    if (account->is_alias())
        return util::not_found(util::concat(address, " is an alias of ", account->target, ", not an account"));
    return account;
}

const conf::Credential* Book::credential(std::string_view address) const
{
    auto found = std::ranges::find(credentials_, address, &conf::Credential::address);
    return found == credentials_.end() ? nullptr : &*found;
}

// What the mark says; nothing where there is none.
util::Result<std::optional<std::uint64_t>> Book::highest_uid() const
{
    std::string path = conf::last_uid_file(directory_ + "/accounts");
    auto mark = util::sys::read_file(path, 100);
    if (!mark.ok() && mark.error().kind == util::Kind::NotFound)
        return std::optional<std::uint64_t>();
    if (!mark.ok())
        return mark.take_error();
    auto number = util::parse_unsigned(util::trim(*mark), UINT32_MAX - 1);
    if (!number.ok())
        return util::permanent(util::concat(path, ": not a number; it must be the highest uid that an account ever had"));
    return std::optional<std::uint64_t>(*number);
}

// One above all that were ever given, so that files of a deleted account never fall to a new one.
// The mark is written before the uid is used: at worst one is passed over.
util::Result<uid_t> Book::next_uid()
{
    std::string path = conf::last_uid_file(directory_ + "/accounts");
    std::uint64_t last = std::max(std::uint64_t(range_.first) - 1, TRY(highest_uid()).value_or(0));
    for (const conf::Account& account : accounts_)
        if (!account.is_alias() && account.uid >= range_.first && account.uid <= range_.last)
            last = std::max<std::uint64_t>(last, account.uid);
    if (last >= range_.last)
        return util::permanent("no uid is left in virtual_uid_range");
    TRY(util::sys::replace_file(path, util::concat(last + 1, '\n'), 0644));
    return uid_t(last + 1);
}

// The mark says, too, that there is an accounts file: where it is lost mail waits for it.
util::Result<void> Book::save_accounts()
{
    auto mark = TRY(highest_uid());
    if (!mark)
        TRY(util::sys::replace_file(conf::last_uid_file(directory_ + "/accounts"),
                                    util::concat(std::uint64_t(range_.first) - 1, '\n'), 0644));
    return conf::write_accounts(directory_ + "/accounts", accounts_);
}

util::Result<void> Book::save_secret(const std::string& name, std::string_view text) const
{
    std::optional<util::sys::Owner> owner;
    if (is_root()) {
        server::Identity auth = TRY(server::identity_of(common_, "auth", false));
        owner = {auth.uid, auth.gid};
    }
    return util::sys::replace_file(util::concat(directory_, '/', name), text, 0600, owner);
}

util::Result<void> Book::save_credentials()
{
    std::string text = TRY(conf::format_credentials(credentials_));
    return save_secret("credentials", text);
}

util::Result<void> Book::save_logins()
{
    std::string text = TRY(conf::format_logins(logins_));
    return save_secret("logins", text);
}

// A home that is there already has somebody's mail: of an account of this name that is gone, most likely.
util::Result<std::optional<uid_t>> Book::uid_of_home(const std::string& home, bool take_home) const
{
    auto about = util::sys::lstat(home);
    if (!about.ok() && about.error().kind == util::Kind::NotFound)
        return std::optional<uid_t>();
    if (!about.ok())
        return about.take_error();
    uid_t uid = about->st_uid;
    if (!take_home)
        return util::invalid(util::concat(home, " is there already, with mail of uid ", uid,
                                          ": move it away, or give it to the new account with --take-home"));
    auto other = std::ranges::find_if(accounts_,
                                      [&](const conf::Account& account) { return !account.is_alias() && account.uid == uid; });
    if (other != accounts_.end())
        return util::invalid(
            util::concat(home, " belongs to uid ", uid, ", which is the account ", other->address, ": move it away"));
    if (!S_ISDIR(about->st_mode) || uid < range_.first || uid > range_.last)
        return util::invalid(util::concat(home, " is no account's home (its owner is uid ", uid, "): move it away"));
    return std::optional<uid_t>(uid);
}

util::Result<void> Book::check_free(const std::string& address) const
{
    if (const conf::Account* alias = find_alias(address))
        return util::invalid(
            util::concat(address, " is an alias of ", alias->target, "; \"ternuser alias del ", address, "\" frees the name"));
    if (find(address))
        return util::invalid(util::concat(address, ": there is such an account already; \"ternuser passwd ", address,
                                          "\" gives it another password"));
    return {};
}

std::string Book::home_of(std::string_view address) const
{
    std::size_t at = address.rfind('@');
    return util::concat(*common_.mail_store_directory, '/', address.substr(at + 1), '/', address.substr(0, at));
}

// What a crash has left of an earlier account of this name is overwritten.
util::Result<void> Book::put(conf::Account account, std::optional<conf::Credential> credential)
{
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == account.address; });
    if (logins_.erase(account.address) > 0)
        TRY(save_logins());
    if (credential)
        credentials_.push_back(std::move(*credential));
    accounts_.push_back(std::move(account));
    TRY(save_credentials());
    return save_accounts();
}

util::Result<void> Book::add(const std::string& address, conf::Credential credential, bool take_home)
{
    TRY(check_free(address));
    conf::Account account;
    account.address = address;
    account.home = home_of(address);
    if (is_root()) {
        auto found = TRY(uid_of_home(account.home, take_home));
        account.uid = found ? *found : TRY(next_uid());
        account.gid = account.uid;
    } else {
        // An instance of one's own: all mailboxes are the caller's.
        account.uid = ::geteuid();
        account.gid = ::getegid();
    }
    return put(std::move(account), std::move(credential));
}

util::Result<void> Book::add_system(const std::string& address, const std::string& user)
{
    TRY(check_free(address));
    bool is_number = util::is_digit(user.front());
    auto identity = is_number ? util::Result<server::Identity>(util::not_found("")) : server::resolve_owner(user);
    if (!identity.ok() && identity.error().kind != util::Kind::NotFound)
        return identity.take_error();
    if (!identity.ok() || user.find_first_of(",:/ ") != std::string::npos)
        return util::invalid(
            util::concat("the system has no user ", util::printable(user, 80), "; getent(1) passwd shows those it has"));
    if (identity->uid == 0)
        return util::invalid("root has no account: mail for root is for an alias to send on");
    conf::Account account;
    account.address = address;
    account.uid = identity->uid;
    account.gid = identity->gid;
    account.home = home_of(address);
    account.flags.push_back(util::concat(conf::system_flag, user));
    auto about = util::sys::lstat(account.home);
    if (about.ok() && about->st_uid != account.uid)
        return util::invalid(
            util::concat(account.home, " is there already, with mail of uid ", about->st_uid, ": move it away"));
    return put(std::move(account), {});
}

util::Result<void> Book::set_credential(conf::Credential credential)
{
    conf::Account* account = TRY(existing(credential.address));
    if (!account->system_user().empty())
        return util::invalid(util::concat(account->address, " is the account of the system's user ", account->system_user(),
                                          ", whose password passwd(1) changes"));
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == credential.address; });
    credentials_.push_back(std::move(credential));
    return save_credentials();
}

util::Result<void> Book::disable(std::string_view address, bool refuse_mail)
{
    conf::Account* account = TRY(existing(address));
    std::erase_if(account->flags,
                  [](const std::string& flag) { return flag == conf::disabled_flag || flag == conf::no_mail_flag; });
    account->flags.emplace_back(conf::disabled_flag);
    if (refuse_mail)
        account->flags.emplace_back(conf::no_mail_flag);
    return save_accounts();
}

util::Result<void> Book::enable(std::string_view address)
{
    conf::Account* account = TRY(existing(address));
    std::erase_if(account->flags,
                  [](const std::string& flag) { return flag == conf::disabled_flag || flag == conf::no_mail_flag; });
    return save_accounts();
}

util::Result<void> Book::remove(std::string_view address)
{
    TRY(existing(address));
    std::string name(address);
    std::erase_if(accounts_, [&](const conf::Account& account) { return account.address == name || account.target == name; });
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == name; });
    TRY(save_accounts());
    TRY(save_credentials());
    return logins_.erase(name) > 0 ? save_logins() : util::Result<void>();
}

// --- aliases -----------------------------------------------------------------------------------------

util::Result<void> Book::add_alias(const std::string& alias, const std::string& account, bool login, bool send)
{
    TRY(existing(account));
    if (find(alias))
        return util::invalid(util::concat(alias, " is an account; \"ternuser del ", alias, "\" would free the name"));
    if (const conf::Account* other = find_alias(alias); other && other->target != account)
        return util::invalid(
            util::concat(alias, " is an alias of ", other->target, "; \"ternuser alias del ", alias, "\" frees the name"));
    std::erase_if(accounts_, [&](const conf::Account& old) { return old.address == alias; });
    conf::Account entry;
    entry.address = alias;
    entry.target = account;
    entry.flags.emplace_back(conf::alias_flag);
    if (login)
        entry.flags.emplace_back(conf::login_flag);
    if (send)
        entry.flags.emplace_back(conf::send_flag);
    accounts_.push_back(std::move(entry));
    return save_accounts();
}

util::Result<void> Book::remove_alias(std::string_view alias)
{
    std::string name(alias);
    if (!find_alias(name))
        return util::not_found(util::concat(name, ": no such alias; \"ternuser alias list\" shows those there are"));
    std::erase_if(accounts_, [&](const conf::Account& old) { return old.address == name; });
    return save_accounts();
}

// --- groups ------------------------------------------------------------------------------------------

util::Result<void> Book::add_group(std::string_view address, const std::string& group)
{
    conf::Account* account = TRY(existing(address));
    if (!conf::is_group_name(group))
        return util::invalid(util::concat(util::printable(group, 80), " is no name of a group: ", conf::max_group_name,
                                          " bytes at most, no blank, comma, colon or control character"));
    std::string flag = util::concat(conf::group_flag, group);
    if (account->has_flag(flag))
        return {};
    if (account->groups().size() >= conf::max_account_groups)
        return util::invalid(util::concat(address, " is in ", conf::max_account_groups, " groups, which is the limit"));
    account->flags.push_back(std::move(flag));
    return save_accounts();
}

util::Result<void> Book::remove_group(std::string_view address, const std::string& group)
{
    conf::Account* account = TRY(existing(address));
    std::string flag = util::concat(conf::group_flag, group);
    if (std::erase(account->flags, flag) == 0)
        return util::not_found(util::concat(address, " is not in the group ", util::printable(group, 80), "; \"ternuser show ",
                                            address, "\" shows its groups"));
    return save_accounts();
}

// --- quotas ------------------------------------------------------------------------------------------

util::Result<void> Book::set_quota(std::string_view address, const conf::QuotaLimits& limits)
{
    conf::Account* account = TRY(existing(address));
    conf::set_quota_among(account->flags, limits);
    return save_accounts();
}

util::Result<void> Book::set_domain_quota(const std::string& domain, const conf::QuotaLimits& all,
                                          const conf::QuotaLimits& each)
{
    conf::DomainQuota& quota = domain_quotas_[domain];
    conf::set_quota_among(quota.words, all);
    conf::set_quota_among(quota.words, each, "each-");
    return conf::write_domain_quotas(directory_ + "/quotas", domain_quotas_);
}

// --- log-ins -----------------------------------------------------------------------------------------

util::Result<void> Book::set_logins(const std::string& address, conf::Logins logins)
{
    TRY(existing(address));
    if (logins.app_passwords_only && logins.apps.empty())
        return util::invalid(util::concat(
            address, " has no app password: nobody could log in.  First \"ternuser app-password add ", address, " NAME\""));
    logins_[address] = std::move(logins);
    return save_logins();
}

util::Result<void> Book::add_app_password(const std::string& address, conf::AppPassword app)
{
    TRY(existing(address));
    conf::Logins& logins = logins_[address];
    if (logins.find(app.name))
        return util::invalid(util::concat(address, " has an app password ", app.name, " already; \"ternuser app-password del ",
                                          address, ' ', app.name, "\" revokes it"));
    if (logins.apps.size() == conf::max_app_passwords)
        return util::invalid(util::concat(address, " has ", conf::max_app_passwords, " app passwords, which is the limit"));
    auto place = std::ranges::upper_bound(logins.apps, app.name, {}, &conf::AppPassword::name);
    logins.apps.insert(place, std::move(app));
    return save_logins();
}

util::Result<void> Book::remove_app_password(const std::string& address, std::string_view name)
{
    TRY(existing(address));
    conf::Logins& logins = logins_[address];
    if (!logins.find(name))
        return util::not_found(util::concat(address, " has no app password ", util::printable(name, 80),
                                            "; \"ternuser app-password list ", address, "\" shows those there are"));
    std::erase_if(logins.apps, [&](const conf::AppPassword& app) { return app.name == name; });
    return save_logins();
}

}  // namespace ternuser
