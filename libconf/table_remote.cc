// proxy: tables, which another program looks into, and unix: tables, of NSS.
#include "libconf/table_types.h"
#include "libutil/text.h"

#include <cerrno>
#include <functional>
#include <grp.h>
#include <pwd.h>
#include <vector>

namespace conf {

using util::concat;
using util::Result;

namespace {

// Of the process: who looks into tables for it.  Set once, before a table is opened.
RemoteLookup& remote_lookup()
{
    static RemoteLookup lookup;
    return lookup;
}

class ProxyTable final : public Table {
public:
    ProxyTable(std::string_view name, std::string_view inner) : Table(std::string(name)), inner_(inner) {}

    Result<Answer> lookup(std::string_view key) override { return ask(key, false); }
    Result<Answer> lookup_domain(std::string_view domain) override { return ask(domain, true); }
    Result<void> check() override
    {
        // What looks into it may not run yet.
        auto opened = open_table(inner_);
        return opened.ok() ? (*opened)->check() : Result<void>(opened.take_error());
    }

private:
    Result<Answer> ask(std::string_view key, bool domain)
    {
        // No name of a user is an address: that need not be asked.
        bool hopeless = inner_.starts_with("unix:") && key.find('@') != std::string_view::npos;
        if (key.empty() || key.size() > max_table_key || hopeless)
            return Answer();
        if (!remote_lookup())
            return util::temporary(concat("table ", name(), ": this program cannot ask tables(8)"));
        auto answer = remote_lookup()(inner_, key, domain);
        if (!answer.ok())
            return util::temporary(concat("table ", name(), ": ", answer.error().text));
        return answer;
    }

    std::string inner_;
};

constexpr std::size_t max_entry = 1U << 20;   // bytes of one entry of NSS

// NSS modules differ in what they say of names that are not there.
bool is_absent(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

template <typename Entry>
Result<Answer> find_entry(const std::string& table, std::string_view key,
                          int (*get)(const char*, Entry*, char*, size_t, Entry**), std::string (*show)(const Entry&))
{
    std::string name(key);
    if (name.empty() || name.size() > max_table_key || name.find_first_of({"@:\0", 3}) != std::string::npos)
        return Answer();
    std::vector<char> buffer(4096);
    for (;;) {
        Entry entry{};
        Entry* found = nullptr;
        int error = get(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE && buffer.size() < max_entry) {
            buffer.resize(buffer.size() * 4);
            continue;
        }
        if (found)
            return Answer(show(entry));
        if (is_absent(error))
            return Answer();
        return util::temporary(concat("table ", table, ": ", util::system_error("NSS", error).text));
    }
}

std::string show_user(const passwd& entry)
{
    return concat(entry.pw_name, ":x:", entry.pw_uid, ":", entry.pw_gid, ":", entry.pw_gecos, ":", entry.pw_dir, ":",
                  entry.pw_shell);
}

std::string show_group(const group& entry)
{
    std::string members;
    for (char** member = entry.gr_mem; member && *member; ++member)
        util::append(members, members.empty() ? "" : ",", std::string_view(*member));
    return concat(entry.gr_name, ":x:", entry.gr_gid, ":", members);
}

class UnixTable final : public Table {
public:
    UnixTable(std::string_view name, bool groups) : Table(std::string(name)), groups_(groups) {}

    // Names of users have no domain, and are in lower case as mail has them.
    Result<Answer> lookup(std::string_view key) override
    {
        return groups_ ? find_entry<group>(name(), key, ::getgrnam_r, show_group)
                       : find_entry<passwd>(name(), key, ::getpwnam_r, show_user);
    }

private:
    bool groups_;
};

}  // namespace

void set_remote_lookup(RemoteLookup lookup)
{
    remote_lookup() = std::move(lookup);
}

OpenedTable open_proxy(std::string_view name, std::string_view what, int depth)
{
    // What is wrong with it is told here, and not by each answer.
    auto inner = open_table_at(what, depth + 1);
    if (!inner.ok())
        return inner.take_error();
    return OpenedTable(std::make_unique<ProxyTable>(name, what));
}

OpenedTable open_unix(std::string_view name, std::string_view what)
{
    if (what != "passwd.byname" && what != "group.byname")
        return util::invalid(
            concat("table ", util::printable(name, 100), ": unix:passwd.byname or unix:group.byname is wanted"));
    return OpenedTable(std::make_unique<UnixTable>(name, what == "group.byname"));
}

}  // namespace conf
