// Book: accounts and credentials.
#include "tools/ternuser/book.h"

#include "libipc/identity.h"
#include "libmail/address.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <fcntl.h>
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
    auto address = mail::parse_address(text);
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
    book.lock_ = TRY(util::sys::open(directory + "/accounts.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    TRY(util::sys::lock_exclusive(book.lock_.get()));
    book.accounts_ = TRY(conf::read_accounts(directory + "/accounts"));
    book.credentials_ = TRY(conf::read_credentials(directory + "/credentials"));
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
    return found == accounts_.end() ? nullptr : &*found;
}

const conf::Credential* Book::credential(std::string_view address) const
{
    auto found = std::ranges::find(credentials_, address, &conf::Credential::address);
    return found == credentials_.end() ? nullptr : &*found;
}

// One above all that were ever given, so that files of a deleted account never fall to a new one.
// The mark is written before the uid is used: at worst one is passed over.
util::Result<uid_t> Book::next_uid()
{
    std::string path = directory_ + "/accounts.last-uid";
    std::uint64_t last = std::uint64_t(range_.first) - 1;
    auto mark = util::sys::read_file(path, 100);
    if (mark.ok()) {
        auto number = util::parse_unsigned(util::trim(*mark), UINT32_MAX - 1);
        if (!number.ok())
            return util::permanent(util::concat(path, ": not a number; it must be the highest uid that an account ever had"));
        last = std::max(last, *number);
    } else if (mark.error().kind != util::Kind::NotFound) {
        return mark.take_error();
    }
    for (const conf::Account& account : accounts_)
        if (account.uid >= range_.first && account.uid <= range_.last)
            last = std::max<std::uint64_t>(last, account.uid);
    if (last >= range_.last)
        return util::permanent("no uid is left in virtual_uid_range");
    TRY(util::sys::replace_file(path, util::concat(last + 1, '\n'), 0644));
    return uid_t(last + 1);
}

util::Result<void> Book::save_accounts()
{
    return conf::write_accounts(directory_ + "/accounts", accounts_);
}

util::Result<void> Book::save_credentials()
{
    std::string text = TRY(conf::format_credentials(credentials_));
    std::optional<util::sys::Owner> owner;
    if (is_root()) {
        server::Identity auth = TRY(server::identity_of(common_, "auth", false));
        owner = {auth.uid, auth.gid};
    }
    return util::sys::replace_file(directory_ + "/credentials", text, 0600, owner);
}

util::Result<void> Book::add(const std::string& address, conf::Credential credential)
{
    if (find(address))
        return util::invalid(util::concat(address, ": there is such an account already"));
    conf::Account account;
    account.address = address;
    std::size_t at = address.rfind('@');
    account.home = util::concat(*common_.mail_store_directory, '/', std::string_view(address).substr(at + 1), '/',
                                std::string_view(address).substr(0, at));
    if (is_root()) {
        account.uid = TRY(next_uid());
        account.gid = account.uid;
    } else {
        // An instance of one's own: all mailboxes are the caller's.
        account.uid = ::geteuid();
        account.gid = ::getegid();
    }
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == address; });
    credentials_.push_back(std::move(credential));
    accounts_.push_back(std::move(account));
    TRY(save_credentials());
    return save_accounts();
}

util::Result<void> Book::set_credential(conf::Credential credential)
{
    if (!find(credential.address))
        return util::not_found(util::concat(credential.address, ": no such account"));
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == credential.address; });
    credentials_.push_back(std::move(credential));
    return save_credentials();
}

util::Result<void> Book::set_disabled(std::string_view address, bool disabled)
{
    conf::Account* account = find_mutable(address);
    if (!account)
        return util::not_found(util::concat(address, ": no such account"));
    std::erase(account->flags, "disabled");
    if (disabled)
        account->flags.emplace_back("disabled");
    return save_accounts();
}

util::Result<void> Book::remove(std::string_view address)
{
    if (!find(address))
        return util::not_found(util::concat(address, ": no such account"));
    std::erase_if(accounts_, [&](const conf::Account& account) { return account.address == address; });
    std::erase_if(credentials_, [&](const conf::Credential& old) { return old.address == address; });
    TRY(save_accounts());
    return save_credentials();
}

}  // namespace ternuser
