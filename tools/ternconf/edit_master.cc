// Editing master.cf: services, their fields, their -o settings.
#include "libconf/main_cf.h"
#include "libconf/master_cf.h"
#include "libconf/words.h"
#include "libutil/text.h"
#include "tools/ternconf/edit.h"

#include <algorithm>

namespace ternconf {

using util::concat;
using util::Result;

namespace {

constexpr std::size_t columns = 8;

std::string_view inside(std::string_view word)
{
    if (word.size() >= 2 && word.front() == '{' && word.back() == '}')
        word = util::trim(word.substr(1, word.size() - 2));
    return word;
}

// A word in braces where it has blanks.
std::string braced(std::string_view text)
{
    if (text.find_first_of(" \t") == std::string_view::npos && !text.empty())
        return std::string(text);
    return concat("{ ", text, " }");
}

// "*" stands for all.
bool matches(std::string_view pattern, std::string_view text) { return pattern == "*" || pattern == text; }

struct Request {
    std::string service, type, name;  // the name: of a field or parameter
    std::string value;
};

Result<Request> parse_request(std::string_view text, Target target, Action action)
{
    std::string_view left = util::trim(text), right;
    if (action == Action::Set) {
        std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
            return util::invalid(concat("an = is wanted in \"", util::printable(text, 100), '"'));
        left = util::trim(text.substr(0, equals));
        right = util::trim(text.substr(equals + 1));
    }
    std::size_t parts = target == Target::Service ? 2 : 3;
    // A service may be "host:port" but has no slash.
    auto names = util::split(left, '/');
    if (names.size() != parts)
        return util::invalid(concat(parts == 2 ? "service/type" : "service/type/name", " is wanted, not \"",
                                    util::printable(left, 100), '"'));
    Request request{std::string(names[0]), std::string(names[1]), parts == 3 ? std::string(names[2]) : "",
                    std::string(right)};
    for (char c : request.value) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
            return util::invalid("the value has a control byte");
    }
    return request;
}

Result<void> set_field(ServiceWords& service, std::string_view name, std::string_view value)
{
    auto names = field_names();
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
        return util::invalid(concat("there is no field \"", util::printable(name, 60), '"'));
    auto index = std::size_t(found - names.begin());
    auto words = TRY(conf::parse_words(value, conf::blank_separators));
    if (words.empty() || (index + 1 < columns && words.size() != 1))
        return util::invalid(concat(name, ": ", words.empty() ? "a" : "one", " word is wanted"));
    if (index + 1 < columns) {
        service.words[index] = words[0];
    } else {
        service.words.resize(columns - 1);
        service.words.insert(service.words.end(), words.begin(), words.end());
    }
    return {};
}

// Where the program's own words begin, such as pipe's user= and argv=.
std::size_t options_end(const ServiceWords& service)
{
    std::size_t at = columns;
    while (at < service.words.size() && service.words[at].starts_with('-'))
        at += service.words[at] == "-o" ? 2 : 1;
    return std::min(at, service.words.size());
}

// Nothing when there was nothing to do.
Result<bool> change_parameter(ServiceWords& service, Action action, std::string_view name, std::string_view value)
{
    if (!conf::is_parameter_name(name) && name != "*")
        return util::invalid(concat('"', util::printable(name, 60), "\" is not the name of a setting"));
    std::string word = braced(concat(name, value.find_first_of(" \t") == std::string_view::npos ? "=" : " = ", value));
    bool done = false;
    auto present = overrides_of(service);
    for (auto at = present.rbegin(); at != present.rend(); ++at) {
        if (!matches(name, at->name))
            continue;
        auto first = service.words.begin() + std::ptrdiff_t(at->at);
        auto after = service.words.erase(first, first + std::ptrdiff_t(at->count));
        if (action == Action::Set && !done)
            service.words.insert(after, {"-o", word});
        done = true;
    }
    if (action == Action::Set && !done) {
        service.words.insert(service.words.begin() + std::ptrdiff_t(options_end(service)), {"-o", word});
        done = true;
    }
    return done;
}

Result<void> add_service(FileText& file, const Request& request)
{
    ServiceWords service = TRY(split_service(request.value));
    if (service.id() != concat(request.service, '/', request.type))
        return util::invalid(concat("the entry for ", request.service, '/', request.type, " begins with ",
                                    service.words[0], ' ', service.words[1]));
    std::string text = render_service(service, true);
    for (std::size_t i = file.entries().size(); i-- > 0;) {
        auto other = split_service(file.entries()[i].text);
        if (other && other->id() == service.id()) {
            file.replace(i, text);
            return {};
        }
    }
    file.append(text);
    return {};
}

Result<void> edit_service(FileText& file, Target target, Action action, std::string_view text)
{
    Request request = TRY(parse_request(text, target, action));
    if (target == Target::Service && action == Action::Set)
        return add_service(file, request);
    bool found = false;
    for (std::size_t i = 0; i < file.entries().size(); ++i) {
        auto service = split_service(file.entries()[i].text);
        if (!service || !matches(request.service, service->words[0]) || !matches(request.type, service->words[1]))
            continue;
        if (target == Target::Service) {
            found = true;
            if (action == Action::Remove)
                file.remove(i);
            else
                file.comment_out(i);
            continue;
        }
        bool changed = true;
        if (target == Target::Field)
            TRY(set_field(*service, request.name, request.value));
        else
            changed = TRY(change_parameter(*service, action, request.name, request.value));
        if (changed)
            file.replace(i, render_service(*service, true));
        found = found || changed;
    }
    if (!found)
        return util::not_found(concat("nothing in master.cf is ", util::printable(text, 100)));
    return {};
}

}  // namespace

Result<ServiceWords> split_service(std::string_view line)
{
    ServiceWords service;
    service.words = TRY(conf::parse_words(line, conf::blank_separators));
    if (service.words.size() < columns)
        return util::invalid(concat("eight columns are wanted, not ", service.words.size()));
    return service;
}

std::span<const std::string_view> field_names()
{
    static constexpr std::string_view names[] = {"service", "type",   "private",       "unprivileged",
                                                 "chroot",  "wakeup", "process_limit", "command"};
    return names;
}

std::string field_of(const ServiceWords& service, std::size_t field)
{
    std::string out = service.words[field];
    if (field + 1 == columns) {
        for (const std::string& word : service.arguments())
            util::append(out, ' ', word);
    }
    return out;
}

std::vector<Override> overrides_of(const ServiceWords& service)
{
    std::vector<Override> out;
    for (std::size_t i = columns; i < service.words.size(); ++i) {
        std::string_view word = service.words[i], assignment;
        Override found;
        found.at = i;
        if (word == "-o" && i + 1 < service.words.size()) {
            assignment = inside(service.words[++i]);
        } else if (word.starts_with("-o") && word.size() > 2) {
            assignment = word.substr(2);
            found.count = 1;
        } else if (word.starts_with('-')) {
            continue;
        } else {
            break;  // the program's own words: pipe's
        }
        auto [left, right] = util::split_first(assignment, '=');
        found.name = util::trim(left);
        found.value = util::trim(right);
        out.push_back(std::move(found));
    }
    return out;
}

std::string render_service(const ServiceWords& service, bool folded)
{
    static constexpr std::size_t widths[] = {10, 5, 7, 7, 7, 7, 7};
    std::string out;
    for (std::size_t i = 0; i + 1 < columns; ++i) {
        util::append(out, service.words[i], ' ');
        if (service.words[i].size() < widths[i])
            out.append(widths[i] - service.words[i].size(), ' ');
    }
    out += service.words[columns - 1];
    auto settings = overrides_of(service);
    for (std::size_t i = columns; i < service.words.size(); ++i) {
        auto found = std::find_if(settings.begin(), settings.end(), [i](const Override& o) { return o.at == i; });
        if (found == settings.end()) {
            util::append(out, ' ', service.words[i]);
            continue;
        }
        out += folded ? "\n    " : " ";
        out += service.words[i];
        if (found->count == 2)
            util::append(out, ' ', service.words[++i]);
    }
    return out + '\n';
}

Result<std::string> edit_master(std::string_view text, Target target, Action action,
                                const std::vector<std::string>& requests)
{
    if (target == Target::Field && action != Action::Set)
        return util::invalid("a field can be set, not removed");
    if (target == Target::Parameter && action == Action::CommentOut)
        return util::invalid("a -o setting can be set or removed, not commented out");
    std::string current(text);
    for (const std::string& request : requests) {
        FileText file(current);
        TRY(edit_service(file, target, action, request));
        current = file.text();
    }
    // What the reader would refuse is not written.
    conf::Problems before, after;
    (void)conf::MasterCf::parse(text, "master.cf", before);
    (void)conf::MasterCf::parse(current, "master.cf", after);
    if (after.any() && !before.any())
        TRY(after.result());
    return current;
}

}  // namespace ternconf
