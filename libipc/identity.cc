// Whom programs run as, and where their sockets are.
#include "libipc/identity.h"

#include "libipc/programs.h"
#include "libutil/text.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace server {

namespace {

// (uid_t)-1 means "leave as it is" to setresuid(2).
constexpr std::uint64_t highest_id = 0xfffffffe;

template <typename Record, typename Lookup>
util::Result<Record> look_up(const std::string& name, std::string_view what, std::vector<char>& buffer, Lookup lookup)
{
    Record record{};
    Record* found = nullptr;
    buffer.resize(1024);
    int code;
    while ((code = lookup(name.c_str(), &record, buffer.data(), buffer.size(), &found)) == ERANGE && buffer.size() < 1'000'000)
        buffer.resize(buffer.size() * 2);
    if (code != 0)
        return util::system_error(util::concat("look up ", what, " ", util::printable(name, 100)), code);
    if (!found)
        return util::not_found(util::concat("there is no ", what, " ", util::printable(name, 100)));
    return record;
}

}  // namespace

util::Result<Identity> resolve_owner(std::string_view text)
{
    if (!text.empty() && util::is_digit(text.front())) {
        auto id = TRY(util::parse_unsigned(text, highest_id));
        return Identity{static_cast<uid_t>(id), static_cast<gid_t>(id)};
    }
    std::vector<char> buffer;
    auto user = TRY(look_up<passwd>(std::string(text), "user", buffer, ::getpwnam_r));
    return Identity{user.pw_uid, user.pw_gid};
}

util::Result<gid_t> resolve_group(std::string_view text)
{
    if (!text.empty() && util::is_digit(text.front()))
        return static_cast<gid_t>(TRY(util::parse_unsigned(text, highest_id)));
    std::vector<char> buffer;
    return TRY(look_up<group>(std::string(text), "group", buffer, ::getgrnam_r)).gr_gid;
}

std::string private_socket(const conf::Common& common, std::string_view service)
{
    return util::concat(*common.queue_directory, "/private/", service);
}

std::string public_socket(const conf::Common& common, std::string_view service)
{
    return util::concat(*common.queue_directory, "/public/", service);
}

namespace {

std::string_view owner_of(const conf::Common& common, std::string_view parameter)
{
    for (const conf::Parameter* candidate : common.parameters()) {
        if (candidate->name() == parameter)
            return *static_cast<const conf::Text&>(*candidate);  // all *_owner parameters are Texts
    }
    return {};
}

}  // namespace

util::Result<Identity> identity_of(const conf::Common& common, std::string_view program, bool unprivileged)
{
    if (unprivileged)
        return Identity{::geteuid(), ::getegid()};
    const Program* known = find_program(program);
    if (!known)
        return util::invalid(util::concat("no program of the suite: ", util::printable(program, 100)));
    if (known->owner.empty())
        return Identity{0, 0};
    auto identity = resolve_owner(owner_of(common, known->owner));
    if (!identity)
        return identity.take_error().in(known->owner);
    return identity;
}

}  // namespace server
