#include "pipe/checked_config.h"

#include "libipc/check_mode.h"
#include "libipc/identity.h"
#include "libutil/command.h"
#include "libutil/text.h"

#include <sys/stat.h>
#include <unistd.h>

namespace piping {

using util::concat;

namespace {

void complain(conf::Problems& problems, std::string text) { problems.add(server::own_line, 0, std::move(text)); }

}  // namespace

void CheckedConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    Config::verify(settings, problems);
    std::vector<std::string> complaints;
    service_.attributes = parse_attributes(words_, complaints);
    for (std::string& text : complaints)
        complain(problems, std::move(text));
    if (!service_.attributes.user.empty())
        find_user(settings, problems);
}

void CheckedConfig::find_user(const conf::MainCf& settings, conf::Problems& problems) const
{
    const Attributes& attributes = service_.attributes;
    std::string word =
        util::printable(concat("user=", attributes.user, attributes.group.empty() ? "" : ":", attributes.group), 200);
    auto identity = server::resolve_owner(attributes.user);
    auto group = attributes.group.empty() ? util::Result<gid_t>(identity ? identity->gid : gid_t(0))
                                          : server::resolve_group(attributes.group);
    // Nobody uses some of the services that a distribution ships.
    if (!identity || !group) {
        service_.nobody = concat(word, ": ", identity ? group.error().text : identity.error().text);
        return;
    }
    identity->gid = *group;
    service_.user.uid = identity->uid;
    service_.user.gid = identity->gid;
    service_.rules.minimum_uid = 1;
    service_.rules.own_uid = ::geteuid() != 0;
    if (auto may = util::may_become(service_.user, service_.rules); !may)
        return complain(problems, concat(word, ": ", may.error().text));
    if (service_.rules.own_uid)
        return;
    auto name = settings.expand("$mail_owner");
    auto owner = name ? server::resolve_owner(*name) : util::Result<server::Identity>(name.take_error());
    if (!owner)
        return complain(problems, concat("mail_owner: ", owner.error().text));
    if (owner->uid == identity->uid || owner->gid == identity->gid)
        complain(problems, concat(word, ": nothing is done with the rights of $mail_owner"));
}

// What may be mended while the service runs, and is missed by every message until then.
void CheckedConfig::check(const conf::MainCf& settings, conf::Problems& problems) const
{
    const Attributes& attributes = service_.attributes;
    auto warn = [&](std::string text) { problems.warn(server::own_line, 0, std::move(text)); };
    if (!service_.nobody.empty())
        warn(concat(service_.nobody, "; mail for this transport waits"));
    auto inside = [&](std::string_view path) { return concat(attributes.chroot, path); };
    struct stat status;
    for (const std::string* path : {&attributes.chroot, &attributes.directory}) {
        std::string where = path == &attributes.chroot ? *path : inside(*path);
        if (!path->empty() && (::stat(where.c_str(), &status) < 0 || !S_ISDIR(status.st_mode)))
            warn(concat(util::printable(where, 200), " is no directory"));
    }
    if (!attributes.command.empty() && attributes.command.front().is_constant()) {
        auto& pieces = attributes.command.front().pieces();
        std::string command = pieces.empty() ? std::string() : pieces.front().text;
        if (command.starts_with('/') && ::access(inside(command).c_str(), X_OK) != 0)
            warn(concat("argv=: ", util::system_error(util::printable(inside(command), 200), errno).text));
    }
    if (!attributes.single_recipient())
        return;
    std::string limit = concat(service_.name, "_destination_recipient_limit");
    const conf::Setting* set = settings.find(limit);
    if (!set)
        set = settings.find("default_destination_recipient_limit");
    if (!set || util::trim(set->value) != "1")
        warn(concat("flags D and O need ", limit, " = 1: mail for several recipients waits"));
}

}  // namespace piping
