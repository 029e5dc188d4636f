// From Postfix's configuration to changes of Tern's.
#include "tools/ternconf/from_postfix.h"

#include "libconf/expand.h"
#include "libconf/table.h"
#include "libconf/words.h"
#include "libutil/text.h"
#include "tools/ternconf/edit.h"
#include "tools/ternconf/postfix.h"

#include <algorithm>
#include <set>

namespace ternconf {

using util::concat;

namespace {

using FirstLine = std::function<util::Result<std::string>(const std::string&)>;

// There, but what Postfix's file says of them is about Postfix.
constexpr std::pair<std::string_view, std::string_view> left_alone[] = {
    {"command_directory", "Tern's own commands"},
    {"compatibility_level", "Tern behaves as the newest level"},
    {"config_directory", "Tern's own"},
    {"daemon_directory", "Tern's own daemons"},
    {"data_directory", "Tern's own data"},
    {"import_environment", "Tern's own processes"},
    {"local_recipient_maps", "whose mail is taken is a matter of Tern's accounts: ternuser add"},
    {"local_transport", "mail of this machine goes to Tern's mailboxes"},
    {"mail_owner", "Tern's own user"},
    {"maillog_file", "Tern's own log"},
    {"process_id_directory", "Tern's own processes"},
    {"queue_directory", "Tern's own queue; let Postfix empty its queue before it is stopped"},
    {"setgid_group", "Tern's own group"},
    {"smtpd_sasl_path", "auth(8) is the server: ternuser add makes accounts"},
    {"syslog_name", "Tern's own name in the log"},
    {"virtual_mailbox_maps", "whose mail is taken is a matter of Tern's accounts: ternuser add"},
    {"virtual_transport", "mail of virtual domains goes to Tern's mailboxes"},
};

// Table types of Postfix's that are not there.
constexpr std::string_view foreign_tables[] = {
    "cdb",   "dbm",     "environ", "fail",    "internal", "ldap",      "memcache", "mysql",  "netinfo", "nis",      "nisplus",
    "pgsql", "pipemap", "proxy",   "randmap", "sdbm",     "socketmap", "sqlite",   "static", "tcp",     "unionmap", "unix"};

// Postfix's services that have no process here, and what does their work.
constexpr std::pair<std::string_view, std::string_view> internal_services[] = {
    {"pickup", "master.cf has Tern's own"},
    {"cleanup", "master.cf has Tern's own"},
    {"qmgr", "master.cf has Tern's own"},
    {"oqmgr", "master.cf has Tern's own"},
    {"local", "master.cf has Tern's own"},
    {"bounce", "master.cf has Tern's own; what is deferred and traced stands in queue files"},
    {"trivial-rewrite", "each daemon does that itself"},
    {"proxymap", "each daemon reads its tables itself"},
    {"tlsmgr", "each daemon does that itself"},
    {"flush", "qmgr(8) does that"},
    {"showq", "qmgr(8) does that"},
    {"error", "qmgr(8) does that"},
    {"discard", "qmgr(8) does that"},
    {"postlogd", "log(8) does that"},
    {"virtual", "local(8) delivers to the mailboxes of all domains"},
    {"spawn", "it runs a program, and there is no spawn(8)"},
};

// "hopcount_limit: a number is wanted" without its name.
std::string without_name(std::string_view text, std::string_view name)
{
    if (text.starts_with(name) && text.substr(name.size()).starts_with(": "))
        text.remove_prefix(name.size() + 2);
    return std::string(text);
}

// Of a table that cannot be opened here; empty when there is none.
std::string foreign_table(std::string_view value)
{
    auto types = conf::table_types();
    for (std::string_view word : util::split_words(value, ", \t{}")) {
        std::string_view type = word.substr(0, word.find(':'));
        if (type.size() == word.size() || std::ranges::find(types, type) != types.end())
            continue;
        if (std::ranges::find(foreign_tables, type) != std::end(foreign_tables))
            return concat("there are no tables of type ", type);
    }
    return {};
}

class Converter {
public:
    Converter(const PostfixFiles& files, const FirstLine& first_line) : files_(files), first_line_(first_line) {}

    util::Result<Conversion> run(std::string_view tern_master)
    {
        main_file_ = files_.directory + "/main.cf";
        master_file_ = files_.directory + "/master.cf";
        conf::Problems syntax;
        settings_ = conf::MainCf::parse(files_.main_cf, main_file_, files_.directory, syntax);
        TRY(syntax.result());
        conf::MainCf checked = settings_;
        sections_.fill(checked, value_problems_);
        find_mentioned();
        std::vector<std::pair<std::string_view, const conf::Setting*>> in_order;
        for (const auto& item : settings_.settings())
            if (!item.second.file.empty())
                in_order.emplace_back(item.first, &item.second);
        std::sort(in_order.begin(), in_order.end(),
                  [](const auto& a, const auto& b) { return a.second->line < b.second->line; });
        for (const auto& item : in_order)
            convert_setting(item.first, *item.second);
        convert_services();
        find_unwanted(tern_master);
        return std::move(result_);
    }

private:
    // --- main.cf ---

    void carry(std::string_view name, const conf::Setting& setting, std::string_view new_name, std::string_view value)
    {
        std::string text(value);
        for (std::string_view macro : {"${config_directory}", "$(config_directory)", "$config_directory"})
            for (std::size_t at = text.find(macro); at != std::string::npos;
                 at = text.find(macro, at + files_.directory.size()))
                text.replace(at, macro.size(), files_.directory);
        result_.main_requests.push_back(concat(new_name, "=", text));
        std::string note;
        if (new_name != name)
            note = concat("as ", new_name);
        else if (name.ends_with("_restrictions"))
            note = "(tern check knows which of its words are not there)";
        result_.items.push_back({main_file_, setting.line, std::string(name), true, std::move(note)});
    }
    void leave(std::string_view name, const conf::Setting& setting, std::string why)
    {
        result_.items.push_back({main_file_, setting.line, std::string(name), false, std::move(why)});
    }

    // The administrator's own names count where a value has them; so do his restriction classes.
    void find_mentioned()
    {
        for (const auto& item : settings_.settings())
            for (std::string_view name : conf::mentioned_names(item.second.value))
                mentioned_.emplace(name);
        if (const conf::Setting* classes = settings_.find("smtpd_restriction_classes"))
            for (std::string_view name : util::split_words(classes->value))
                mentioned_.emplace(name);
        for (std::string_view name : conf::mentioned_names(files_.master_cf))
            mentioned_.emplace(name);
    }

    void convert_setting(std::string_view name, const conf::Setting& setting)
    {
        if (convert_other_name(name, setting))
            return;
        auto alone =
            std::find_if(std::begin(left_alone), std::end(left_alone), [&](const auto& item) { return item.first == name; });
        if (alone != std::end(left_alone))
            return leave(name, setting, std::string(alone->second));
        if (!sections_.find_parameter(name)) {
            if (is_postfix_parameter(name))
                return leave(name, setting, std::string(compare_with_postfix(sections_, name).why));
            if (!mentioned_.contains(name))
                return leave(name, setting, "no value has it, and it is no parameter");
            return carry(name, setting, name, setting.value);
        }
        for (const conf::Problem& problem : value_problems_.all())
            if (problem.line == setting.line && !problem.warning)
                return leave(name, setting, without_name(problem.text, name));
        if (std::string table = foreign_table(setting.value); !table.empty())
            return leave(name, setting, std::move(table));
        carry(name, setting, name, setting.value);
    }

    std::string expanded(std::string_view name) const
    {
        const conf::Setting* setting = settings_.find(name);
        auto value = setting ? settings_.expand(setting->value) : util::Result<std::string>(std::string());
        return std::move(value).value_or("");
    }

    // True: nothing else is to be done.
    bool convert_other_name(std::string_view name, const conf::Setting& setting)
    {
        if (name == "myorigin" && setting.value.starts_with('/')) {
            auto line = first_line_(setting.value);
            if (line && !line->empty())
                carry(name, setting, name, *line);
            else
                leave(name, setting, line ? "the file is empty" : line.error().text);
            return true;
        }
        if (name == "virtual_maps" && !settings_.find("virtual_alias_maps")) {
            carry(name, setting, "virtual_alias_maps", setting.value);
            return true;
        }
        bool level = settings_.find("smtpd_tls_security_level");
        if ((name == "smtpd_use_tls" || name == "smtpd_enforce_tls") && !level && expanded(name) == "yes") {
            carry(name, setting, "smtpd_tls_security_level", name == "smtpd_use_tls" ? "may" : "encrypt");
            return true;
        }
        if (name == "smtpd_tls_chain_files" && !setting.value.empty()) {
            carry(name, setting, "tls_chain_files", setting.value);
            return true;
        }
        if (name == "smtpd_tls_cert_file" && !setting.value.empty() && expanded("smtpd_tls_chain_files").empty()) {
            // Postfix takes the key from the certificate's file unless it has one of its own.
            const conf::Setting* key = settings_.find("smtpd_tls_key_file");
            bool own = key && !key->value.empty() && expanded("smtpd_tls_key_file") != expanded(name);
            carry(name, setting, "tls_chain_files", own ? concat(key->value, ", ", setting.value) : setting.value);
            return true;
        }
        if (name == "smtpd_tls_key_file" && settings_.find("smtpd_tls_cert_file")) {
            result_.items.push_back({main_file_, setting.line, std::string(name), true, "in tls_chain_files"});
            return true;
        }
        return false;
    }

    // --- master.cf ---

    void convert_services()
    {
        FileText text(files_.master_cf);
        for (const Entry& entry : text.entries()) {
            int line = static_cast<int>(entry.lines.front()) + 1;
            auto service = split_service(entry.text);
            if (!service) {
                result_.items.push_back({master_file_, line, util::printable(entry.text, 40), false, service.error().text});
                continue;
            }
            convert_service(*service, line);
        }
    }

    void convert_service(ServiceWords& service, int line)
    {
        std::string_view command = service.words[7];
        command = command.substr(command.rfind('/') + 1);
        bool port = service.words[1] == "inet";
        auto leave_service = [&](std::string why) {
            result_.items.push_back({master_file_, line, service.id(), false, std::move(why)});
        };
        bool agent = service.words[1] == "unix" && (command == "smtp" || command == "lmtp" || command == "pipe");
        if (!agent && (!port || (command != "smtpd" && command != "postscreen")))
            return leave_service(why_not(service, command));
        std::string note;
        if (command == "postscreen") {
            service.words[7] = "smtpd";
            service.words.resize(8);
            service.words[6] = "-";
            note = "with smtpd in the place of postscreen";
        }
        bool pipe = command == "pipe";   // becomes the user of its command
        service.words[7] = agent ? std::string(command) : "smtpd";
        service.words[4] = "n";  // programs lock themselves in
        service.words[3] = pipe ? "n" : "-";
        result_.items.push_back({master_file_, line, service.id(), true, std::move(note)});
        drop_settings(service, line);
        result_.service_requests.push_back(concat(service.id(), "=", util::trim(render_service(service, false))));
    }

    static std::string why_not(const ServiceWords& service, std::string_view command)
    {
        if (service.words[1] == "inet")
            return concat("there is no ", command);
        if (command == "smtpd")
            return "postscreen(8) passes it clients, and is not there";
        auto known = std::find_if(std::begin(internal_services), std::end(internal_services),
                                  [&](const auto& item) { return item.first == command; });
        if (known != std::end(internal_services))
            return std::string(known->second);
        return concat("it does not come over: see what Tern's master.cf has for ", command);
    }

    void drop_settings(ServiceWords& service, int line)
    {
        auto settings = overrides_of(service);
        for (auto at = settings.rbegin(); at != settings.rend(); ++at) {
            std::string why;
            if (!sections_.find_parameter(at->name) && !mentioned_.contains(at->name))
                why = is_postfix_parameter(at->name) ? std::string(compare_with_postfix(sections_, at->name).why)
                                                     : "it is no parameter";
            else if (at->name == "syslog_name" && at->value.starts_with("postfix"))
                service.words[at->at + at->count - 1] =
                    concat(at->count == 1 ? "-o" : "", "syslog_name=tern", at->value.substr(7));
            else
                why = value_problem(at->name, at->value);
            if (why.empty())
                continue;
            auto first = service.words.begin() + std::ptrdiff_t(at->at);
            service.words.erase(first, first + std::ptrdiff_t(at->count));
            result_.items.push_back({master_file_, line, concat(service.id(), "/", at->name), false, std::move(why)});
        }
    }

    // What is wrong with one value, with all others as they stand.
    std::string value_problem(const std::string& name, const std::string& value)
    {
        if (std::string table = foreign_table(value); !table.empty())
            return table;
        conf::MainCf settings = settings_;
        settings.override_with(name, value);
        conf::Problems problems;
        AllSections fresh;
        fresh.fill(settings, problems);
        for (const conf::Problem& problem : problems.all())
            if (!problem.warning && problem.line == 0 && problem.text.find(name) != std::string::npos)
                return without_name(problem.text, name);
        return {};
    }

    void find_unwanted(std::string_view tern_master)
    {
        FileText text(tern_master);
        for (const Entry& entry : text.entries()) {
            auto service = split_service(entry.text);
            if (!service || service->words[1] != "inet" || service->words[7] != "smtpd")
                continue;
            bool wanted = std::ranges::any_of(
                result_.service_requests, [&](const std::string& request) { return request.starts_with(service->id() + "="); });
            if (!wanted)
                result_.unwanted_services.push_back(service->id());
        }
    }

    const PostfixFiles& files_;
    const FirstLine& first_line_;
    std::string main_file_, master_file_;
    conf::MainCf settings_;
    AllSections sections_;
    conf::Problems value_problems_;
    std::set<std::string, std::less<>> mentioned_;
    Conversion result_;
};

}  // namespace

util::Result<Conversion> convert_from_postfix(const PostfixFiles& files, std::string_view tern_master,
                                              const FirstLine& first_line)
{
    return Converter(files, first_line).run(tern_master);
}

}  // namespace ternconf
