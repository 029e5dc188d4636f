// The public accounts file: lines, whole files, bisection.
#include "libconf/accounts_file.h"

#include "libconf/quota.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <set>

namespace conf {

using util::concat;
using util::Result;

namespace {

// Up to here a file is copied: a copy cannot be cut short under a reader as a mapping can.
constexpr std::size_t max_copied = 256 * 1024;

bool fits_field(std::string_view text)
{
    for (char c : text) {
        if (c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

Result<void> check_address(std::string_view address)
{
    std::size_t at = address.rfind('@');
    if (address.empty() || !fits_field(address) || address.find(' ') != std::string_view::npos ||
        at == address.size() - 1)
        return util::invalid(concat("bad address \"", util::printable(address, 100), '"'));
    if (address.starts_with('#') || util::lower(address) != address)
        return util::invalid(concat("address \"", util::printable(address, 100), "\" is not in lower case"));
    return {};
}

std::string_view key_of(std::string_view line) { return line.substr(0, line.find(':')); }

std::string flags_text(const std::vector<std::string>& flags)
{
    std::string out;
    for (const std::string& flag : flags)
        util::append(out, out.empty() ? "" : ",", flag);
    return out;
}

}  // namespace

bool Account::has_flag(std::string_view flag) const
{
    return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

std::string_view Account::system_user() const
{
    for (const std::string& flag : flags)
        if (flag.starts_with(system_flag))
            return std::string_view(flag).substr(system_flag.size());
    return {};
}

std::vector<std::string> Account::groups() const
{
    std::vector<std::string> names;
    for (const std::string& flag : flags)
        if (flag.starts_with(group_flag))
            names.push_back(flag.substr(group_flag.size()));
    return names;
}

Result<Account> parse_account_line(std::string_view line)
{
    if (line.size() > max_account_line)
        return util::invalid(concat("more than ", max_account_line, " bytes"));
    auto fields = util::split(line, ':');
    if (fields.size() != 5)
        return util::invalid(concat("five fields between colons are wanted, not ", fields.size()));
    for (std::string_view field : fields) {
        if (!fits_field(field))
            return util::invalid("the line has a control byte");
    }
    TRY(check_address(fields[0]));
    Account account;
    account.address = fields[0];
    if (account.address.front() == '@') {
        for (std::size_t i = 1; i < fields.size(); ++i) {
            if (!fields[i].empty())
                return util::invalid("a domain's line has no other fields");
        }
        return account;
    }
    for (std::string_view flag : util::split_words(fields[4], ","))
        account.flags.emplace_back(flag);
    TRY(quota_among(account.flags));
    if (fields[1].empty() && fields[2].empty()) {
        if (!account.has_flag(alias_flag))
            return util::invalid("neither uid and gid nor the flag \"alias\"");
        TRY(check_address(fields[3]));
        if (fields[3].front() == '@' || fields[3] == fields[0])
            return util::invalid("an alias stands for another address");
        account.target = fields[3];
        return account;
    }
    // (uid_t)-1 means "nobody in particular" to several system calls.
    constexpr std::uint64_t max_id = UINT32_MAX - 1;
    auto uid = util::parse_unsigned(fields[1], max_id), gid = util::parse_unsigned(fields[2], max_id);
    if (!uid || !gid)
        return util::invalid("uid and gid are numbers");
    if (!fields[3].starts_with('/'))
        return util::invalid("the home directory begins with /");
    account.uid = uid_t(*uid);
    account.gid = gid_t(*gid);
    account.home = fields[3];
    return account;
}

Result<std::string> format_account_line(const Account& account)
{
    std::string line;
    if (account.address.starts_with('@'))
        line = concat(account.address, "::::");
    else if (account.is_alias())
        line = concat(account.address, ":::", account.target, ':', flags_text(account.flags));
    else
        line = concat(account.address, ':', account.uid, ':', account.gid, ':', account.home, ':',
                      flags_text(account.flags));
    // What the reader would not give back must not be written.
    Account again = TRY(parse_account_line(line));
    if (!account.address.starts_with('@') && again != account)
        return util::invalid(concat("flags of ", account.address, " hold a comma or nothing"));
    return line;
}

Result<std::vector<Account>> parse_accounts(std::string_view text)
{
    if (!text.starts_with(accounts_version_line))
        return util::invalid("it does not begin with \"# tern accounts 1\"");
    text.remove_prefix(accounts_version_line.size());
    std::vector<Account> accounts;
    std::string_view previous;
    for (int number = 2; !text.empty(); ++number) {
        std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        auto account = parse_account_line(line);
        if (!account)
            return account.take_error().in(concat("line ", number));
        if (number > 2 && key_of(line) <= previous)
            return util::invalid(concat("line ", number, ": ", key_of(line), " is out of order or double"));
        previous = key_of(line);
        if (!account->address.starts_with('@'))
            accounts.push_back(account.take());
    }
    return accounts;
}

Result<std::string> format_accounts(std::vector<Account> accounts)
{
    std::set<std::string> domains;
    for (const Account& account : accounts) {
        std::size_t at = account.address.rfind('@');
        if (at != std::string::npos)
            domains.insert(account.address.substr(at));
    }
    for (const std::string& domain : domains)
        accounts.push_back({domain, 0, 0, {}, {}, {}});
    std::sort(accounts.begin(), accounts.end(),
              [](const Account& a, const Account& b) { return a.address < b.address; });
    std::string text(accounts_version_line);
    std::string_view previous;
    for (const Account& account : accounts) {
        if (account.address == previous && !previous.empty())
            return util::invalid(concat(account.address, " is there twice"));
        previous = account.address;
        std::string line = TRY(format_account_line(account));
        util::append(text, line, '\n');
    }
    return text;
}

Result<std::vector<Account>> read_accounts(const std::string& path)
{
    auto text = util::sys::read_file(path, max_accounts_size);
    if (!text && text.error().kind == util::Kind::NotFound)
        return std::vector<Account>();
    if (!text)
        return text.take_error();
    auto accounts = parse_accounts(*text);
    if (!accounts)
        return accounts.take_error().in(path);
    return accounts;
}

Result<void> write_accounts(const std::string& path, std::vector<Account> accounts)
{
    std::string text = TRY(format_accounts(std::move(accounts)));
    return util::sys::replace_file(path, text, 0644);
}

// --- the reader --------------------------------------------------------------------------------------

AccountsReader::AccountsReader(std::string path) : file_(std::move(path)) {}

AccountsReader::AccountsReader(AccountsReader&& other) noexcept : file_(other.file_.path()), seen_(other.seen_)
{
    other.close();  // the new one opens for itself
    other.file_.forget();
}

AccountsReader& AccountsReader::operator=(AccountsReader&& other) noexcept
{
    close();
    file_ = WatchedFile(other.file_.path());
    seen_ = other.seen_;
    other.close();
    other.file_.forget();
    return *this;
}

AccountsReader::~AccountsReader() { close(); }

void AccountsReader::close()
{
    if (mapping_)
        ::munmap(mapping_, mapped_);
    mapping_ = nullptr;
    mapped_ = 0;
    copy_.clear();
    has_system_users_.reset();
    ++version_;
    text_ = {};
}

std::string last_uid_file(std::string_view accounts_path) { return concat(accounts_path, ".last-uid"); }

bool AccountsReader::never_was(const util::Error& error) const
{
    if (seen_ || error.kind != util::Kind::NotFound)
        return false;
    auto mark = util::sys::stat(last_uid_file(file_.path()));
    return !mark && mark.error().kind == util::Kind::NotFound;
}

Result<void> AccountsReader::update()
{
    auto changed = file_.changed();
    if (changed && !*changed)
        return {};
    close();
    if (!changed && never_was(changed.error()))
        return {};
    if (!changed)
        return util::temporary(concat("accounts: ", changed.error().text));
    auto opened = map();
    if (!opened) {
        close();
        file_.forget();
        return util::temporary(std::move(opened.take_error().in(file_.path()).text));
    }
    return {};
}

Result<void> AccountsReader::map()
{
    util::UniqueFd file = TRY(util::sys::open(file_.path(), O_RDONLY));
    struct stat status = TRY(util::sys::fstat(file.get()));
    auto size = std::size_t(status.st_size);
    if (size > max_accounts_size)
        return util::temporary(concat("larger than ", max_accounts_size, " bytes"));
    if (size <= max_copied) {
        copy_ = TRY(util::sys::read_fd(file.get(), max_copied));
        text_ = copy_;
    } else {
        void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
        if (mapping == MAP_FAILED)
            return util::temporary("it cannot be mapped");
        mapping_ = mapping;
        mapped_ = size;
        text_ = std::string_view(static_cast<const char*>(mapping), size);
    }
    if (!text_.starts_with(accounts_version_line))
        return util::temporary("it does not begin with \"# tern accounts 1\"");
    text_.remove_prefix(accounts_version_line.size());
    seen_ = true;
    return {};
}

Result<std::optional<std::string_view>> AccountsReader::find_line(std::string_view key)
{
    TRY(update());
    std::size_t low = 0, high = text_.size();  // the line begins in [low, high)
    while (low < high) {
        std::size_t middle = low + (high - low) / 2;
        std::size_t before = middle > low ? text_.rfind('\n', middle - 1) : std::string_view::npos;
        std::size_t start = before == std::string_view::npos || before < low ? low : before + 1;
        std::size_t end = std::min(text_.find('\n', start), text_.size());
        std::string_view line = text_.substr(start, end - start);
        int order = key_of(line).compare(key);
        if (order == 0)
            return std::optional(line);
        if (order < 0)
            low = end + 1;
        else
            high = start;
    }
    return std::optional<std::string_view>();
}

Result<std::optional<Account>> AccountsReader::find(std::string_view address)
{
    auto entry = TRY(find_entry(address));
    if (!entry || !entry->is_alias())
        return entry;
    // An alias stands for an account, never for another alias: no chain, and no loop.
    auto account = TRY(find_entry(entry->target));
    return account && account->is_alias() ? std::optional<Account>() : std::move(account);
}

Result<std::optional<Account>> AccountsReader::find_entry(std::string_view address)
{
    std::string key = util::lower(address);
    if (key.empty() || key.starts_with('@') || !fits_field(key))
        return std::optional<Account>();
    auto line = TRY(find_line(key));
    if (!line)
        return std::optional<Account>();
    auto account = parse_account_line(*line);
    if (!account)
        return util::temporary(concat(file_.path(), ": ", key, ": ", account.error().text));
    return std::optional(account.take());
}

Result<bool> AccountsReader::has_domain(std::string_view domain)
{
    std::string key = concat('@', util::lower(domain));
    if (domain.empty() || !fits_field(key))
        return false;
    auto line = TRY(find_line(key));
    return line.has_value();
}

Result<std::vector<Account>> AccountsReader::of_domain(std::string_view domain)
{
    TRY(update());
    std::vector<Account> accounts;
    std::string key = concat('@', util::lower(domain));
    std::string_view rest = text_;
    while (!rest.empty()) {
        auto [line, more] = util::split_first(rest, '\n');
        rest = more;
        std::string_view address = key_of(line);
        if (!address.ends_with(key) || address.size() == key.size())
            continue;
        auto account = parse_account_line(line);
        if (!account)
            return util::temporary(concat(file_.path(), ": ", address, ": ", account.error().text));
        if (!account->is_alias())
            accounts.push_back(account.take());
    }
    return accounts;
}

std::uint64_t AccountsReader::version()
{
    (void)update();
    return version_;
}

Result<bool> AccountsReader::has_system_users()
{
    TRY(update());
    if (!has_system_users_)
        has_system_users_ = text_.find(concat(':', system_flag)) != std::string_view::npos ||
                            text_.find(concat(',', system_flag)) != std::string_view::npos;
    return *has_system_users_;
}

}  // namespace conf
