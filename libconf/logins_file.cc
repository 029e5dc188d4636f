// The secret logins file.
#include "libconf/logins_file.h"

#include "libutil/sys.h"

#include <algorithm>
#include <array>

namespace conf {

using util::concat;
using util::Result;

namespace {

constexpr std::array<std::string_view, 4> protocol_names = {"imap", "pop3", "submission", "sieve"};

bool is_word(std::string_view text)
{
    return !text.empty() && std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; });
}

// "name=value"; false: the word is not of this name.
bool value_of(std::string_view word, std::string_view name, std::string_view& value)
{
    if (!word.starts_with(name) || word.size() <= name.size() || word[name.size()] != '=')
        return false;
    value = word.substr(name.size() + 1);
    return true;
}

Result<bool> take_limit(LoginLimits& limits, std::string_view word)
{
    std::string_view value;
    if (value_of(word, "protocols", value)) {
        auto protocols = parse_login_protocols(value);
        // One that a later release knows: nobody is let in by a guess.
        if (!protocols.ok())
            return false;
        limits.protocols = protocols.take();
        return true;
    }
    if (value_of(word, "networks", value)) {
        limits.networks = TRY(parse_login_networks(value));
        return true;
    }
    return false;
}

Result<void> take_app_word(AppPassword& app, std::string_view word)
{
    std::string_view value;
    if (value_of(word, "sha256", value)) {
        app.digest = TRY(util::unhex(value));
        if (app.digest.size() != 32)
            return util::invalid("sha256= wants 64 hexadecimal digits");
    } else if (value_of(word, "scram", value)) {
        app.verifier = value;
    } else if (value_of(word, "created", value)) {
        app.created = std::int64_t(TRY(util::parse_unsigned(value, INT64_MAX)));
    } else {
        bool known = TRY(take_limit(app.limits, word));
        if (!known)
            app.limits.unknown.emplace_back(word);
    }
    return {};
}

Result<void> take_app(LoginsByAccount& all, std::string_view account, const std::vector<std::string_view>& words)
{
    if (words.size() < 3)
        return util::invalid("an app password's name is missing");
    AppPassword app;
    app.name = words[2];
    TRY(check_app_password_name(app.name));
    for (std::size_t i = 3; i < words.size(); ++i)
        TRY(take_app_word(app, words[i]));
    if (app.digest.empty())
        return util::invalid("sha256= is missing");
    Logins& logins = all[std::string(account)];
    if (logins.find(app.name))
        return util::invalid(concat("a second app password ", app.name));
    if (logins.apps.size() == max_app_passwords)
        return util::invalid(concat("more than ", max_app_passwords, " app passwords"));
    auto place = std::ranges::upper_bound(logins.apps, app.name, {}, &AppPassword::name);
    logins.apps.insert(place, std::move(app));
    return {};
}

Result<void> take_line(LoginsByAccount& all, std::string_view line)
{
    if (line.size() > max_logins_line)
        return util::invalid(concat("more than ", max_logins_line, " bytes"));
    auto words = util::split(line, ' ');
    if (!std::ranges::all_of(words, is_word) || words.size() < 2)
        return util::invalid("words with one blank between them are wanted: what, an address, and what it has");
    std::string_view account = words[1];
    if (util::lower(account) != account)
        return util::invalid("the address is not in lower case");
    if (words[0] == "app")
        return take_app(all, account, words);
    if (words[0] != "limits")
        return util::invalid("neither limits nor app");
    if (words.size() == 2)
        return util::invalid("limits without any");
    Logins& logins = all[std::string(account)];
    if (!logins.limits.none() || logins.app_passwords_only)
        return util::invalid(concat("second limits of ", account));
    for (std::size_t i = 2; i < words.size(); ++i) {
        if (words[i] == "app-passwords-only") {
            logins.app_passwords_only = true;
            continue;
        }
        bool known = TRY(take_limit(logins.limits, words[i]));
        if (!known)
            logins.limits.unknown.emplace_back(words[i]);
    }
    return {};
}

void append_limits(std::string& line, const LoginLimits& limits)
{
    if (!limits.protocols.empty())
        util::append(line, " protocols=", protocols_text(limits));
    if (!limits.networks.empty())
        util::append(line, " networks=", networks_text(limits));
    for (const std::string& word : limits.unknown)
        util::append(line, ' ', word);
}

std::string app_line(std::string_view account, const AppPassword& app)
{
    std::string line = concat("app ", account, ' ', app.name, " sha256=", util::hex(app.digest));
    if (!app.verifier.empty())
        util::append(line, " scram=", app.verifier);
    if (app.created != 0)
        util::append(line, " created=", app.created);
    append_limits(line, app.limits);
    return line;
}

}  // namespace

// --- limits ------------------------------------------------------------------------------------------

bool LoginLimits::operator==(const LoginLimits& other) const
{
    return protocols == other.protocols && unknown == other.unknown && networks_text(*this) == networks_text(other);
}

std::string LoginLimits::why_not(std::string_view protocol, std::string_view client_address) const
{
    if (!unknown.empty())
        return concat("a limit that is not known: ", util::printable(unknown.front(), 60));
    if (!protocols.empty() && std::ranges::find(protocols, protocol) == protocols.end())
        return concat("not permitted by ", protocol);
    if (networks.empty())
        return {};
    auto address = IpAddress::parse(client_address);
    bool inside =
        address.ok() && std::ranges::any_of(networks, [&](const Network& network) { return network.contains(*address); });
    return inside ? std::string() : concat("not permitted from ", util::printable(client_address, 60));
}

Result<std::vector<std::string>> parse_login_protocols(std::string_view text)
{
    std::vector<std::string> protocols;
    if (text == "all")
        return protocols;
    for (std::string_view word : util::split(text, ',')) {
        word = util::trim(word);
        if (std::ranges::find(protocol_names, word) == protocol_names.end())
            return util::invalid(
                concat("\"", util::printable(word, 40), "\" is no protocol: imap, pop3, submission, sieve or all"));
        if (std::ranges::find(protocols, word) == protocols.end())
            protocols.emplace_back(word);
    }
    std::ranges::sort(protocols);
    return protocols;
}

Result<std::vector<Network>> parse_login_networks(std::string_view text)
{
    std::vector<Network> networks;
    if (text == "all")
        return networks;
    for (std::string_view word : util::split(text, ',')) {
        if (networks.size() == max_login_networks)
            return util::invalid(concat("more than ", max_login_networks, " networks"));
        auto network = Network::parse(util::trim(word));
        if (!network.ok())
            return network.take_error();
        networks.push_back(*network);
    }
    return networks;
}

std::string protocols_text(const LoginLimits& limits)
{
    std::string text;
    for (const std::string& protocol : limits.protocols)
        util::append(text, text.empty() ? "" : ",", protocol);
    return text.empty() ? "all" : text;
}

std::string networks_text(const LoginLimits& limits)
{
    std::string text;
    for (const Network& network : limits.networks)
        util::append(text, text.empty() ? "" : ",", network.to_text());
    return text.empty() ? "all" : text;
}

// --- app passwords -----------------------------------------------------------------------------------

Result<void> check_app_password_name(std::string_view name)
{
    bool good = !name.empty() && name.size() <= max_app_password_name && !name.starts_with('-') &&
                std::ranges::all_of(name, [](char c) { return util::is_alnum(c) || c == '.' || c == '_' || c == '-'; });
    if (!good)
        return util::invalid(concat('"', util::printable(name, 80),
                                    "\" is no name for an app password: letters, digits and . _ - are, ", max_app_password_name,
                                    " at most, with no hyphen first"));
    return {};
}

std::string app_secret(std::string_view text)
{
    // With its hyphens it is a fourth longer; what is much longer is not looked at.
    if (text.size() > 2 * app_secret_size)
        return {};
    std::string secret;
    for (char c : text)
        if (c != '-' && c != ' ')
            secret += util::to_lower(c);
    bool good = secret.size() == app_secret_size &&
                std::ranges::all_of(secret, [](char c) { return app_secret_alphabet.find(c) != std::string_view::npos; });
    return good ? secret : std::string();
}

std::string show_app_secret(std::string_view secret)
{
    std::string text;
    for (std::size_t i = 0; i < secret.size(); i += 4)
        util::append(text, text.empty() ? "" : "-", secret.substr(i, 4));
    return text;
}

const AppPassword* Logins::find(std::string_view name) const
{
    auto found = std::ranges::find(apps, name, &AppPassword::name);
    return found == apps.end() ? nullptr : &*found;
}

// --- the file ----------------------------------------------------------------------------------------

Result<LoginsByAccount> parse_logins(std::string_view text)
{
    if (!text.starts_with(logins_version_line))
        return util::invalid("it does not begin with \"# tern logins 1\"");
    text.remove_prefix(logins_version_line.size());
    LoginsByAccount all;
    for (int number = 2; !text.empty(); ++number) {
        std::size_t end = text.find('\n');
        // A file that was cut short has lost limits.
        if (end == std::string_view::npos)
            return util::invalid(concat("line ", number, ": the end is missing"));
        auto taken = take_line(all, text.substr(0, end));
        if (!taken.ok())
            return taken.take_error().in(concat("line ", number));
        text.remove_prefix(end + 1);
    }
    // "protocols=all" says what is so without it.
    std::erase_if(all, [](const auto& entry) { return entry.second.none(); });
    return all;
}

Result<std::string> format_logins(const LoginsByAccount& logins)
{
    std::string text(logins_version_line);
    for (const auto& entry : logins) {
        const Logins& one = entry.second;
        LoginsByAccount again;
        auto add = [&](const std::string& line) -> Result<void> {
            TRY(take_line(again, line));
            util::append(text, line, '\n');
            return {};
        };
        if (!one.limits.none() || one.app_passwords_only) {
            std::string line = concat("limits ", entry.first);
            append_limits(line, one.limits);
            TRY(add(one.app_passwords_only ? line + " app-passwords-only" : line));
        }
        for (const AppPassword& app : one.apps)
            TRY(add(app_line(entry.first, app)));
        // What the reader would not give back must not be written.
        if (!one.none() && (again.size() != 1 || !(again.begin()->second == one)))
            return util::invalid(
                concat("what is to be stored of ", util::printable(entry.first, 100), " does not fit the file's form"));
    }
    return text;
}

Result<LoginsByAccount> read_logins(const std::string& path)
{
    auto text = util::sys::read_file(path, max_logins_size);
    if (!text.ok() && text.error().kind == util::Kind::NotFound)
        return LoginsByAccount();
    if (!text.ok())
        return text.take_error();
    auto logins = parse_logins(*text);
    if (!logins.ok())
        return logins.take_error().in(path);
    return logins;
}

Result<bool> LoginsReader::update()
{
    file_.look_now();
    auto changed = file_.changed();
    bool missing = !changed.ok() && changed.error().kind == util::Kind::NotFound;
    if (!changed.ok() && !missing)
        return util::temporary(concat(file_.path(), ": ", changed.error().text));
    if (missing ? missing_ : !*changed)
        return false;
    logins_.clear();
    all_have_verifiers_ = true;
    missing_ = missing;
    if (missing)
        return true;
    auto logins = read_logins(file_.path());
    if (!logins.ok()) {
        file_.forget();
        return util::temporary(logins.take_error().text);
    }
    logins_ = logins.take();
    for (const auto& entry : logins_)
        for (const AppPassword& app : entry.second.apps)
            all_have_verifiers_ = all_have_verifiers_ && !app.verifier.empty();
    return true;
}

const Logins& LoginsReader::find(std::string_view account) const
{
    auto found = logins_.find(account);
    return found == logins_.end() ? nothing_ : found->second;
}

}  // namespace conf
