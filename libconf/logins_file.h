// The secret logins file: what limits the log-ins of accounts, and their app passwords.
//
//   # tern logins 1
//   limits alice@example.org protocols=imap,submission networks=192.0.2.0/24,2001:db8::/32 app-passwords-only
//   app alice@example.org phone sha256=9f86.. scram=SCRAM-SHA-256$60000:.. created=1796000000 protocols=imap
//
// The first line is the version.  An account without lines has no limits and no app passwords.  Behind
// the address (and an app password's name) stand words in any order; a word that is not known is kept,
// and what it stands at lets nobody in: it may be a limit of a later release.  Readable by the owner of
// auth(8) only; never changed in place: ternuser(1) writes a new one and renames it.
#pragma once

#include "libconf/network.h"
#include "libconf/watched_file.h"
#include "libutil/text.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr std::string_view logins_version_line = "# tern logins 1\n";
constexpr std::size_t max_logins_line = 16'384;          // bytes, without the end of the line
constexpr std::size_t max_logins_size = 1'000'000'000;   // bytes of the file
constexpr std::size_t max_login_networks = 100;          // of an account, or of an app password
constexpr std::size_t max_app_passwords = 100;           // of an account
constexpr std::size_t max_app_password_name = 64;        // bytes

// From where, and by which protocols; empty: from everywhere, by all.
struct LoginLimits {
    std::vector<std::string> protocols;
    std::vector<Network> networks;
    std::vector<std::string> unknown;   // words that this release does not know

    bool none() const { return protocols.empty() && networks.empty() && unknown.empty(); }
    // Why these forbid a log-in by that protocol from that address; empty: they do not.  An address that
    // is none is in no network.
    std::string why_not(std::string_view protocol, std::string_view client_address) const;
    bool operator==(const LoginLimits&) const;
};

// "imap,pop3,submission" or "all"; Invalid: another word, none at all.
util::Result<std::vector<std::string>> parse_login_protocols(std::string_view text);
// "192.0.2.0/24,2001:db8::/32" or "all".  Invalid: what is no network, or too many.
util::Result<std::vector<Network>> parse_login_networks(std::string_view text);
// As these two read them.
std::string protocols_text(const LoginLimits& limits);
std::string networks_text(const LoginLimits& limits);

struct AppPassword {
    std::string name;        // letters, digits and . _ -
    std::string digest;      // SHA-256 of the secret (app_secret()), 32 bytes
    std::string verifier;    // SCRAM-SHA-256$.., with the salt of the account's other verifiers; or empty
    std::int64_t created = 0;   // seconds since 1970
    LoginLimits limits;

    bool operator==(const AppPassword&) const = default;
};

// Invalid: empty, too long, other characters.
util::Result<void> check_app_password_name(std::string_view name);

// What an app password's digest is made of: the secret as it was given, without the hyphens and blanks
// in it that people need, and in lower case.  Empty when the text cannot be one: it has another length,
// or other characters.
constexpr std::size_t app_secret_size = 28;   // of 32 characters: 140 bits
constexpr std::string_view app_secret_alphabet = "abcdefghijkmnpqrstuvwxyz23456789";   // without l, o, 0, 1
static_assert(app_secret_alphabet.size() == 32);   // a random byte falls on each as often
std::string app_secret(std::string_view text);
// For people: in groups of four.
std::string show_app_secret(std::string_view secret);

struct Logins {
    LoginLimits limits;
    bool app_passwords_only = false;
    std::vector<AppPassword> apps;   // by name

    bool none() const { return limits.none() && !app_passwords_only && apps.empty(); }
    const AppPassword* find(std::string_view name) const;
    bool operator==(const Logins&) const = default;
};
using LoginsByAccount = std::map<std::string, Logins, std::less<>>;

// All of a file's text.  Invalid: what is wrong, with the line.
util::Result<LoginsByAccount> parse_logins(std::string_view text);
// Accounts without anything are left out.  Invalid: a line would be over the limit, a name that the form cannot hold.
util::Result<std::string> format_logins(const LoginsByAccount& logins);
// A missing file is an empty one.
util::Result<LoginsByAccount> read_logins(const std::string& path);

// Lookups, for as long as a process lives.
class LoginsReader {
public:
    explicit LoginsReader(std::string path) : file_(std::move(path)) {}

    // Reads the file anew if it was replaced since; true if it was.  A missing file is an empty one.
    // Temporary: it cannot be read, or is malformed: then find() must not be believed.
    util::Result<bool> update();
    // Never null.
    const Logins& find(std::string_view account) const;
    // Has every app password a SCRAM verifier?
    bool all_have_verifiers() const { return all_have_verifiers_; }

private:
    WatchedFile file_;
    LoginsByAccount logins_;
    Logins nothing_;
    bool all_have_verifiers_ = true;
    bool missing_ = false;
};

}  // namespace conf
