// ternuser(1): accounts of virtual users.
#include "libconf/main_cf.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternuser/book.h"
#include "tools/ternuser/config.h"
#include "tools/ternuser/password.h"

#include <optional>
#include <sysexits.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace ternuser;

struct Options {
    std::string directory{conf::built_in_config_directory};
    bool json = false;
    bool password_stdin = false;
    Scheme scheme = Scheme::Yescrypt;
    std::vector<std::string_view> words;
};

constexpr std::string_view usage_text =
    "usage: ternuser [-c /config/directory] add|passwd NAME@DOMAIN [--password-stdin] [--scheme SCHEME]\n"
    "       ternuser [-c /config/directory] del|disable|enable NAME@DOMAIN\n"
    "       ternuser [-c /config/directory] list [-j] [DOMAIN]\n"
    "       ternuser [-c /config/directory] show NAME@DOMAIN [-j]\n";

void print(int fd, std::string_view text)
{
    (void)util::sys::write_all(fd, text);
}

// The code of an error in the configuration.
constexpr int configuration = -EX_CONFIG;

bool is_command(std::string_view word)
{
    for (std::string_view known : {"add", "passwd", "del", "disable", "enable", "list", "show"})
        if (word == known)
            return true;
    return false;
}

util::Result<Options> parse(int argc, char** argv)
{
    Options options;
    for (int i = 1; i < argc; ++i) {
        std::string_view word = argv[i];
        bool takes_value = word == "-c" || word == "--scheme";
        if (takes_value && i + 1 == argc)
            return util::invalid(util::concat(word, " lacks its argument"));
        if (word == "-c") {
            options.directory = argv[++i];
        } else if (word == "--scheme") {
            options.scheme = TRY(parse_scheme(argv[++i]));
        } else if (word == "-j") {
            options.json = true;
        } else if (word == "--password-stdin") {
            options.password_stdin = true;
        } else if (word.starts_with('-')) {
            return util::invalid(util::concat("unknown option ", util::printable(word, 40)));
        } else {
            options.words.push_back(word);
        }
    }
    if (options.words.empty())
        return util::invalid("what is to be done?");
    std::string_view command = options.words[0];
    if (!is_command(command))
        return util::invalid(util::concat("unknown command ", util::printable(command, 40)));
    if (command == "list" && options.words.size() > 2)
        return util::invalid("list takes one domain at most");
    if (command != "list" && options.words.size() != 2)
        return util::invalid(util::concat(command, " takes one NAME@DOMAIN"));
    return options;
}

std::string to_json(const conf::Account& account, const conf::Credential* credential)
{
    std::string scheme = "none";
    if (credential && !credential->hash.empty()) {
        std::string_view hash = credential->hash;
        scheme = hash.starts_with(conf::plain_prefix) ? "plain"
                 : hash.starts_with("$y$")            ? "yescrypt"
                 : hash.starts_with("$6$")            ? "sha512"
                 : hash.starts_with("$2")             ? "bcrypt"
                                                      : "other";
    }
    bool scram = credential && !credential->verifier.empty();
    return util::concat("{\"account\":", util::json_quote(account.address), ",\"uid\":", account.uid, ",\"gid\":",
                        account.gid, ",\"home\":", util::json_quote(account.home), ",\"disabled\":",
                        account.has_flag("disabled") ? "true" : "false", ",\"password\":", util::json_quote(scheme),
                        ",\"scram\":", scram ? "true" : "false", "}");
}

std::string to_text(const conf::Account& account)
{
    return util::concat("account: ", account.address, "\nuid: ", account.uid, "\ngid: ", account.gid, "\nhome: ",
                        account.home, "\ndisabled: ", account.has_flag("disabled"), "\n");
}

util::Result<void> list(const Book& book, const Options& options)
{
    std::string domain = options.words.size() > 1 ? "@" + util::lower(options.words[1]) : "";
    std::string out;
    for (const conf::Account& account : book.accounts())
        if (account.address.ends_with(domain)) {
            out += options.json ? to_json(account, book.credential(account.address))
                                : util::concat(account.address, account.has_flag("disabled") ? " (disabled)" : "");
            out += '\n';
        }
    util::print_out(out);
    return {};
}

util::Result<void> run(const Options& options)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load(options.directory, problems);
    conf::Common common;
    Config config;
    settings.fill({&common, &config}, problems);
    if (problems.any())
        return util::Error{util::Kind::Invalid, problems.result().error().text, configuration};
    UidRange range = TRY(parse_uid_range(*config.uid_range));
    std::string_view command = options.words[0];
    if (command == "list") {
        Book book = TRY(Book::open(common, options.directory, range));
        return list(book, options);
    }
    std::string name = TRY(parse_name(options.words[1]));
    // The password first: who types it slowly shall not hold the lock.
    std::optional<conf::Credential> credential;
    if (command == "add" || command == "passwd") {
        std::string password = TRY(read_password(options.password_stdin));
        credential = TRY(make_credential(name, password, options.scheme, std::uint32_t(*config.scram_iterations)));
    }
    Book book = TRY(Book::open(common, options.directory, range));
    if (command == "add")
        return book.add(name, std::move(*credential));
    if (command == "passwd")
        return book.set_credential(std::move(*credential));
    if (command == "del")
        return book.remove(name);
    if (command == "disable" || command == "enable")
        return book.set_disabled(name, command == "disable");
    const conf::Account* account = book.find(name);
    if (!account)
        return util::not_found(util::concat(name, ": no such account"));
    util::print_out(options.json ? to_json(*account, book.credential(name)) + "\n" : to_text(*account));
    return {};
}

}  // namespace

int main(int argc, char** argv)
{
    util::open_standard_fds();
    auto options = parse(argc, argv);
    if (!options.ok()) {
        print(STDERR_FILENO, util::concat("ternuser: ", options.error().text, "\n", usage_text));
        return EX_USAGE;
    }
    auto done = run(*options);
    if (done.ok())
        return util::end_output("ternuser", EX_OK);
    print(STDERR_FILENO, util::concat("ternuser: ", done.error().text, "\n"));
    if (done.error().code == configuration)
        return EX_CONFIG;
    switch (done.error().kind) {
    case util::Kind::Invalid:
        return EX_DATAERR;
    case util::Kind::NotFound:
        return EX_NOUSER;
    case util::Kind::Permanent:
        return EX_NOPERM;
    case util::Kind::Temporary:
        return EX_TEMPFAIL;
    }
    return EX_SOFTWARE;
}
