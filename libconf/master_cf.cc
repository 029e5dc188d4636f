// master.cf: logical lines to services.
#include "libconf/master_cf.h"

#include "libconf/logical_lines.h"
#include "libconf/main_cf.h"
#include "libconf/words.h"
#include "libutil/sys.h"
#include "libutil/text.h"

namespace conf {

using util::concat;
using util::Result;

namespace {

constexpr std::pair<std::string_view, ServiceType> types[] = {
    {"inet", ServiceType::Inet},
    {"unix", ServiceType::Unix},
    {"unix-dgram", ServiceType::UnixDatagram},
    {"pass", ServiceType::Pass},
};

Result<ServiceType> parse_type(std::string_view word)
{
    for (const auto& [name, type] : types) {
        if (word == name)
            return type;
    }
    if (word == "fifo")
        return util::invalid("services of type fifo are not supported; unix takes their place");
    return util::invalid(concat("type: inet, unix, unix-dgram or pass is wanted, not \"",
                                util::printable(word, 60), '"'));
}

Result<bool> parse_column(std::string_view column, std::string_view word, bool default_value)
{
    if (word == "-")
        return default_value;
    if (word == "y" || word == "n")
        return word == "y";
    return util::invalid(concat(column, ": y, n or - is wanted, not \"", util::printable(word, 60), '"'));
}

Result<std::uint32_t> parse_number(std::string_view column, std::string_view word, std::uint32_t max)
{
    auto number = util::parse_unsigned(word, max);
    if (!number)
        return util::invalid(concat(column, ": a number up to ", max, " is wanted, not \"",
                                    util::printable(word, 60), '"'));
    return std::uint32_t(*number);
}

// Socket names become paths: no way out of the directory.
Result<void> check_name(const Service& service)
{
    if (service.type == ServiceType::Inet) {
        auto [host, port] = service.host_and_port();
        for (char c : port) {
            if (!util::is_alnum(c) && c != '-' && c != '_')
                port.clear();
        }
        auto number = util::parse_unsigned(port);
        if (port.empty() || (number && (*number == 0 || *number > 65535)))
            return util::invalid(concat("\"port\" or \"host:port\" is wanted, not \"",
                                        util::printable(service.name, 60), '"'));
        return {};
    }
    bool good = service.name.size() <= 60 && service.name.front() != '.' && service.name.front() != '-';
    for (char c : service.name)
        good = good && (util::is_alnum(c) || c == '-' || c == '_' || c == '.');
    if (!good)
        return util::invalid(concat('"', util::printable(service.name, 60),
                                    "\" is not a service name (letters, digits, - _ and ., at most 60)"));
    return {};
}

Result<void> take_arguments(Service& service, const std::vector<std::string>& words)
{
    auto stripped = [](std::string_view word) {
        if (word.starts_with('{') && word.ends_with('}'))
            word = util::trim(word.substr(1, word.size() - 2));
        return std::string(word);
    };
    bool options = true;   // the first word that is none ends them: what follows may be a command's
    for (std::size_t i = 8; i < words.size(); ++i) {
        std::string word = stripped(words[i]);
        std::string assignment;
        options = options && word.starts_with('-');
        if (!options) {
            service.arguments.push_back(std::move(word));
            continue;
        }
        if (word == "-o") {
            if (i + 1 == words.size())
                return util::invalid("-o: name=value is wanted after it");
            assignment = stripped(words[++i]);
        } else if (word.starts_with("-o")) {
            assignment = word.substr(2);
        } else {
            service.arguments.push_back(std::move(word));
            continue;
        }
        auto [left, right] = util::split_first(assignment, '=');
        std::string name(util::trim(left)), value(util::trim(right));
        if (assignment.find('=') == std::string::npos || !is_parameter_name(name))
            return util::invalid(concat("-o: name=value is wanted, not \"",
                                        util::printable(assignment, 60), '"'));
        service.arguments.push_back("-o");
        service.arguments.push_back(concat(name, '=', value));
        service.overrides.emplace_back(std::move(name), std::move(value));
    }
    if (service.arguments.size() > Service::max_arguments)
        return util::invalid(concat("more than ", Service::max_arguments, " arguments"));
    return {};
}

Result<Service> parse_service(const LogicalLine& line)
{
    auto words = TRY(parse_words(line.text, blank_separators));
    if (words.size() < 8)
        return util::invalid(concat("eight columns are wanted (service type private unpriv chroot wakeup "
                                    "maxproc command), not ", words.size()));
    Service service;
    service.name = words[0];
    service.type = TRY(parse_type(words[1]));
    service.is_private = TRY(parse_column("private", words[2], true));
    service.unprivileged = TRY(parse_column("unpriv", words[3], true));
    service.chroot = TRY(parse_column("chroot", words[4], false));
    std::string_view wakeup = words[5];
    if (wakeup != "-") {
        if (wakeup.ends_with('?')) {
            service.wakeup_once_used = true;
            wakeup.remove_suffix(1);
        }
        service.wakeup = TRY(parse_number("wakeup", wakeup, Service::max_wakeup));
    }
    if (words[6] != "-")
        service.process_limit = TRY(parse_number("maxproc", words[6], Service::max_processes));
    service.command = words[7];
    if (service.command.find('/') != std::string::npos || service.command.front() == '.' ||
        service.command.front() == '{')
        return util::invalid(concat("command: the name of a program in $daemon_directory is wanted, not \"",
                                    util::printable(service.command, 60), '"'));
    TRY(check_name(service));
    if (service.type == ServiceType::Inet && words[2] == "y")
        return util::invalid("private: an inet service cannot be private");
    if (service.type == ServiceType::Inet)
        service.is_private = false;
    TRY(take_arguments(service, words));
    service.first_line = line.number;
    service.last_line = line.last;
    return service;
}

}  // namespace

std::string_view name_of(ServiceType type)
{
    for (const auto& [name, known] : types) {
        if (known == type)
            return name;
    }
    return "";
}

std::string Service::id() const { return concat(name, '/', name_of(type)); }

std::pair<std::string, std::string> Service::host_and_port() const
{
    std::size_t colon = name.rfind(':');
    if (colon == std::string::npos)
        return {"", name};
    std::string host = name.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    return {host, name.substr(colon + 1)};
}

std::string Service::socket_path() const { return concat(is_private ? "private/" : "public/", name); }

MasterCf MasterCf::load(const std::string& directory, Problems& problems)
{
    std::string path = concat(directory, "/master.cf");
    auto text = util::sys::read_file(path, max_configuration_size);
    if (!text) {
        problems.add(path, 0, text.error().text);
        return {};
    }
    return parse(*text, path, problems);
}

MasterCf MasterCf::parse(std::string_view text, std::string_view file, Problems& problems)
{
    MasterCf out;
    for (const LogicalLine& line : logical_lines(text, file, problems)) {
        auto service = parse_service(line);
        if (!service) {
            problems.add(file, line.number, service.error().text);
            continue;
        }
        service->file = file;
        if (service->chroot)
            problems.warn(file, line.number, concat(service->id(), ": chroot y has no effect: programs lock "
                                                                   "themselves in (see sandbox)"));
        Service* earlier = nullptr;
        for (Service& other : out.services_) {
            if (other.name == service->name && other.type == service->type)
                earlier = &other;
        }
        if (earlier) {
            problems.warn(file, line.number, concat(service->id(), " stands in line ", earlier->first_line,
                                                    " already; this one counts"));
            *earlier = service.take();
        } else if (out.services_.size() == max_services) {
            problems.add(file, line.number, concat("more than ", max_services, " services"));
            break;
        } else {
            out.services_.push_back(service.take());
        }
    }
    // Two sockets at one place cannot be.
    for (std::size_t i = 0; i < out.services_.size(); ++i) {
        const Service& service = out.services_[i];
        for (std::size_t j = 0; j < i; ++j) {
            const Service& other = out.services_[j];
            if (service.type != ServiceType::Inet && other.type != ServiceType::Inet &&
                service.socket_path() == other.socket_path())
                problems.add(file, service.first_line, concat(service.id(), " and ", other.id(), " in line ",
                                                              other.first_line, " have the same socket"));
        }
    }
    return out;
}

const Service* MasterCf::find(std::string_view name, ServiceType type) const
{
    for (const Service& service : services_) {
        if (service.name == name && service.type == type)
            return &service;
    }
    return nullptr;
}

const Service* MasterCf::find_local(std::string_view name) const
{
    for (const Service& service : services_) {
        if (service.name == name && service.type != ServiceType::Inet)
            return &service;
    }
    return nullptr;
}

}  // namespace conf
