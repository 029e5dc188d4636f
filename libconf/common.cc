// The shared parameters: defaults that depend on the machine, rules between them.
#include "libconf/common.h"

#include "libutil/text.h"

#include <unistd.h>

namespace conf {

namespace {

std::string machine_name()
{
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return "localhost";
    std::string out;
    // What is no host name byte would end up in greetings and trace fields.
    for (const char* p = name; *p; ++p)
        out += util::is_alnum(*p) || *p == '-' || *p == '.' ? util::to_lower(*p) : '-';
    return out;
}

std::string parent_domain(std::string_view name)
{
    std::size_t dot = name.find('.');
    if (dot == std::string_view::npos || dot + 1 == name.size())
        return "localdomain";
    return std::string(name.substr(dot + 1));
}

}  // namespace

void Common::prepare(const MainCf& settings)
{
    std::string name = machine_name();
    myhostname.set_default_text(name.find('.') == std::string::npos ? name + ".$mydomain" : name);
    // A name that needs $mydomain itself, which is then not set, gets localdomain.
    if (const Setting* set = settings.find("myhostname")) {
        auto value = settings.expand(set->value);
        name = value ? value.take() : "";
    }
    mydomain.set_default_text(parent_domain(name));
}

void Common::verify(const MainCf& settings, Problems& problems) const
{
    auto where = [&](const Parameter& parameter, std::string text) {
        const Setting* set = settings.find(parameter.name());
        problems.add(set ? set->file : util::concat(settings.directory(), "/main.cf"), set ? set->line : 0,
                     util::concat(parameter.name(), ": ", text));
    };
    for (const Path* path : {&queue_directory, &data_directory, &mail_store_directory, &daemon_directory}) {
        if ((*path)->empty())
            where(*path, "it must not be empty");
    }
    for (char c : *recipient_delimiter) {
        if (util::is_alnum(c) || util::is_space(c) || c == '@' || c == '"')
            where(recipient_delimiter, "letters, digits, blanks, @ and quotes do not separate");
    }
    for (const std::string& protocol : *inet_protocols) {
        if (protocol != "all" && protocol != "ipv4" && protocol != "ipv6")
            where(inet_protocols, util::concat("all, ipv4 or ipv6 is wanted, not \"",
                                               util::printable(protocol, 60), '"'));
    }
}

util::Result<void> load_common(Common& common, const std::string& config_directory)
{
    Problems problems;
    auto settings = MainCf::load(config_directory, problems);
    settings.fill({&common}, problems);
    return problems.result();
}

}  // namespace conf
