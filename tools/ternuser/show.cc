// What is shown of accounts.
#include "tools/ternuser/show.h"

#include "libutil/text.h"
#include "tools/common/table_text.h"

#include <algorithm>

namespace ternuser {

using util::concat;
using util::json_quote;

namespace {

std::string_view scheme_of(const conf::Account& account, const conf::Credential* credential)
{
    if (!account.system_user().empty())
        return "system";
    if (!credential || credential->hash.empty())
        return "none";
    std::string_view hash = credential->hash;
    return hash.starts_with(conf::plain_prefix) ? "plain"
           : hash.starts_with("$y$")            ? "yescrypt"
           : hash.starts_with("$6$")            ? "sha512"
           : hash.starts_with("$2")             ? "bcrypt"
                                                : "other";
}

std::string_view boolean(bool value) { return value ? "true" : "false"; }

// "a, b" as it stands in the file, or null for all, as JSON.
std::string list_json(std::string_view text)
{
    if (text == "all")
        return "null";
    std::string out;
    for (std::string_view word : util::split(text, ','))
        util::append(out, out.empty() ? "[" : ",", json_quote(word));
    return out + "]";
}

std::string limits_fields(const conf::LoginLimits& limits)
{
    return concat("\"protocols\":", list_json(conf::protocols_text(limits)),
                  ",\"networks\":", list_json(conf::networks_text(limits)));
}

// The use of an earlier password of the same name is none of this one.
const conf::LastUse* use_of(const conf::LastUses& uses, const std::string& account, const conf::AppPassword& app)
{
    auto found = uses.find({account, app.name});
    return found != uses.end() && found->second.time >= app.created ? &found->second : nullptr;
}

std::string app_json(const std::string& account, const conf::AppPassword& app, const conf::LastUses& uses)
{
    std::string out = concat("{\"account\":", json_quote(account), ",\"app_password\":", json_quote(app.name),
                             ",\"created\":", app.created, ',', limits_fields(app.limits));
    if (const conf::LastUse* use = use_of(uses, account, app))
        util::append(out, ",\"last_use\":", use->time, ",\"last_protocol\":", json_quote(use->protocol), ",\"last_client\":",
                     json_quote(use->client_address));
    return out + "}";
}

bool is_in(const conf::Account& account, std::string_view domain)
{
    std::string_view address = account.address;
    return !account.is_alias() && (domain.empty() || address.substr(address.rfind('@') + 1) == domain);
}

std::vector<std::pair<std::string, std::string>> members(const Book& book, std::string_view group)
{
    std::vector<std::pair<std::string, std::string>> found;
    for (const conf::Account& account : book.accounts())
        for (std::string& name : account.groups())
            if (group.empty() || name == group)
                found.emplace_back(std::move(name), account.address);
    std::ranges::sort(found);
    return found;
}

std::string state_of(const conf::Account& account)
{
    if (!account.has_flag(conf::disabled_flag))
        return "";
    return account.has_flag(conf::no_mail_flag) ? " (disabled, mail is refused)" : " (disabled)";
}

}  // namespace

std::string account_text(const Book& book, const conf::Account& account, const conf::LastUses& uses)
{
    const conf::Logins& logins = book.logins(account.address);
    std::string out =
        concat("account: ", account.address, "\nuid: ", account.uid, "\ngid: ", account.gid, "\nhome: ", account.home,
               "\ndisabled: ", account.has_flag(conf::disabled_flag),
               "\nmail: ", account.has_flag(conf::no_mail_flag) ? "refused" : "delivered",
               "\npassword: ", scheme_of(account, book.credential(account.address)),
               account.system_user().empty() ? "" : concat(" (", account.system_user(), ")"), "\n", limits_text(logins));
    for (const std::string& group : account.groups())
        util::append(out, "group: ", group, "\n");
    for (const conf::Account* alias : book.aliases_of(account.address))
        util::append(out, "alias: ", alias->address, alias->has_flag(conf::login_flag) ? ", may log in" : "",
                     alias->has_flag(conf::send_flag) ? ", may send" : "", "\n");
    for (const conf::AppPassword& app : logins.apps) {
        const conf::LastUse* use = use_of(uses, account.address, app);
        util::append(out, "app password: ", app.name, ", last used ",
                     use ? concat(tools::time_text(use->time), " by ", use->protocol, " from ", use->client_address) : "never",
                     "\n");
    }
    return out;
}

std::string account_json(const Book& book, const conf::Account& account, const conf::LastUses& uses)
{
    const conf::Credential* credential = book.credential(account.address);
    const conf::Logins& logins = book.logins(account.address);
    std::string out =
        concat("{\"account\":", json_quote(account.address), ",\"uid\":", account.uid, ",\"gid\":", account.gid,
               ",\"home\":", json_quote(account.home), ",\"disabled\":", boolean(account.has_flag(conf::disabled_flag)),
               ",\"refuses_mail\":", boolean(account.has_flag(conf::no_mail_flag)),
               ",\"password\":", json_quote(scheme_of(account, credential)),
               account.system_user().empty() ? "" : concat(",\"system_user\":", json_quote(account.system_user())),
               ",\"scram\":", boolean(credential && !credential->verifier.empty()), ',', limits_fields(logins.limits),
               ",\"app_passwords_only\":", boolean(logins.app_passwords_only), ",\"groups\":[");
    std::string_view comma;
    for (const std::string& group : account.groups()) {
        util::append(out, comma, json_quote(group));
        comma = ",";
    }
    out += "],\"aliases\":[";
    comma = "";
    for (const conf::Account* alias : book.aliases_of(account.address)) {
        util::append(out, comma, "{\"alias\":", json_quote(alias->address),
                     ",\"login\":", boolean(alias->has_flag(conf::login_flag)),
                     ",\"send\":", boolean(alias->has_flag(conf::send_flag)), "}");
        comma = ",";
    }
    out += "],\"app_passwords\":[";
    comma = "";
    for (const conf::AppPassword& app : logins.apps) {
        util::append(out, comma, app_json(account.address, app, uses));
        comma = ",";
    }
    return out + "]}\n";
}

std::string accounts_text(const Book& book, std::string_view domain)
{
    std::string out;
    for (const conf::Account& account : book.accounts())
        if (is_in(account, domain))
            util::append(out, account.address, state_of(account), "\n");
    return out;
}

std::string accounts_json(const Book& book, std::string_view domain, const conf::LastUses& uses)
{
    std::string out;
    for (const conf::Account& account : book.accounts())
        if (is_in(account, domain))
            out += account_json(book, account, uses);
    return out;
}

std::string limits_text(const conf::Logins& logins)
{
    std::string out =
        concat("protocols: ", conf::protocols_text(logins.limits), "\nnetworks: ", conf::networks_text(logins.limits),
               "\napp passwords only: ", logins.app_passwords_only, "\n");
    for (const std::string& word : logins.limits.unknown)
        util::append(out, "not known to this release, so that nobody logs in: ", util::printable(word, 100), "\n");
    return out;
}

std::string limits_json(const std::string& account, const conf::Logins& logins)
{
    return concat("{\"account\":", json_quote(account), ',', limits_fields(logins.limits), ",\"app_passwords_only\":",
                  boolean(logins.app_passwords_only), "}\n");
}

std::string aliases_text(const Book& book, std::string_view account)
{
    std::vector<std::vector<std::string>> rows = {{"alias", "account", "login", "send"}};
    for (const conf::Account& entry : book.accounts())
        if (entry.is_alias() && (account.empty() || entry.target == account))
            rows.push_back({entry.address, entry.target, entry.has_flag(conf::login_flag) ? "yes" : "no",
                            entry.has_flag(conf::send_flag) ? "yes" : "no"});
    return rows.size() > 1 ? tools::table_of(rows) : "";
}

std::string aliases_json(const Book& book, std::string_view account)
{
    std::string out;
    for (const conf::Account& entry : book.accounts())
        if (entry.is_alias() && (account.empty() || entry.target == account))
            util::append(out, "{\"alias\":", json_quote(entry.address), ",\"account\":", json_quote(entry.target),
                         ",\"login\":", boolean(entry.has_flag(conf::login_flag)),
                         ",\"send\":", boolean(entry.has_flag(conf::send_flag)), "}\n");
    return out;
}

std::string groups_text(const Book& book, std::string_view group)
{
    std::vector<std::vector<std::string>> rows = {{"group", "account"}};
    for (auto& [name, account] : members(book, group))
        rows.push_back({name, account});
    return rows.size() > 1 ? tools::table_of(rows) : "";
}

std::string groups_json(const Book& book, std::string_view group)
{
    std::string out;
    for (auto& [name, account] : members(book, group))
        util::append(out, "{\"group\":", json_quote(name), ",\"account\":", json_quote(account), "}\n");
    return out;
}

std::string app_passwords_text(const std::string& account, const conf::Logins& logins, const conf::LastUses& uses)
{
    std::vector<std::vector<std::string>> rows = {{"name", "created", "last used", "by", "from", "protocols", "networks"}};
    for (const conf::AppPassword& app : logins.apps) {
        const conf::LastUse* use = use_of(uses, account, app);
        rows.push_back({app.name, tools::time_text(app.created), use ? tools::time_text(use->time) : "never",
                        use ? use->protocol : "-", use ? use->client_address : "-", conf::protocols_text(app.limits),
                        conf::networks_text(app.limits)});
    }
    return rows.size() > 1 ? tools::table_of(rows) : "";
}

std::string app_passwords_json(const std::string& account, const conf::Logins& logins, const conf::LastUses& uses)
{
    std::string out;
    for (const conf::AppPassword& app : logins.apps)
        util::append(out, app_json(account, app, uses), "\n");
    return out;
}

}  // namespace ternuser
