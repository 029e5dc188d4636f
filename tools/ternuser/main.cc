// ternuser(1): accounts of virtual users.
#include "libconf/last_uses_file.h"
#include "libconf/main_cf.h"
#include "libmail/normal_form.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tools/common/live_sessions.h"
#include "tools/ternuser/book.h"
#include "tools/ternuser/config.h"
#include "tools/ternuser/options.h"
#include "tools/ternuser/password.h"
#include "tools/ternuser/quota.h"
#include "tools/ternuser/show.h"

#include <algorithm>
#include <ctime>
#include <sysexits.h>
#include <unistd.h>

namespace {

using namespace ternuser;

void print(int fd, std::string_view text)
{
    (void)util::sys::write_all(fd, text);
}

void complain(std::string_view text) { print(STDERR_FILENO, util::concat("ternuser: ", text, "\n")); }

constexpr long session_pause_nanoseconds = 100'000'000;

// The code of an error in the configuration.
constexpr int configuration = -EX_CONFIG;

struct Context {
    const Options& options;
    const conf::Common& common;
    const Config& config;
    UidRange range;
    std::string name;   // the first word, where that is an address

    util::Result<Book> open() const { return Book::open(common, options.directory, range); }
    conf::LastUses last_uses() const { return conf::read_last_uses(conf::last_uses_path(*common.data_directory)); }
};

// Those that were opened before a change that forbids them: `end` ends them and says how many.
template <typename End>
util::Result<void> end_sessions(const Context& context, End end)
{
    tools::LiveSessions live(*context.common.queue_directory);
    util::Result<std::uint64_t> ended = end(live);
    if (ended.ok()) {
        // Of an SMTP session whose log-in was answered a moment ago nobody has heard yet.
        timespec pause{0, session_pause_nanoseconds};
        ::nanosleep(&pause, nullptr);
        if (util::Result<std::uint64_t> late = end(live); late.ok())
            *ended = std::max(*ended, *late);   // some of them are still saying goodbye
        else
            ended = late.take_error();
    }
    if (ended.ok() && *ended > 0)
        complain(util::concat(*ended, *ended == 1 ? " live session is ended" : " live sessions are ended"));
    if (ended.ok() || ended.error().kind == util::Kind::NotFound)
        return {};
    return util::temporary(util::concat("the change is made, but live sessions may go on: ", ended.error().text,
                                        "; \"tern kick ", context.name, "\" ends them"));
}

util::Result<void> end_all_sessions(const Context& context)
{
    return end_sessions(context, [&](const tools::LiveSessions& live) { return live.end(context.name); });
}

// By the name of an app password, or by none.
util::Result<void> end_sessions_of(const Context& context, const std::string& app_password)
{
    return end_sessions(context,
                        [&](const tools::LiveSessions& live) { return live.end_opened_with(context.name, app_password); });
}

// Those that could not be opened now.
util::Result<void> end_forbidden_sessions(const Context& context, const conf::Logins& logins)
{
    auto forbidden = [&](const tools::LiveSession& session) {
        return (logins.app_passwords_only && session.app_password.empty()) ||
               !logins.limits.why_not(session.service == "smtp" ? "submission" : session.service, session.client_address)
                    .empty();
    };
    return end_sessions(context, [&](const tools::LiveSessions& live) { return live.end_those(context.name, forbidden); });
}

// With the salt of the app passwords, if there are any.
ScramSalt salt_for(const Book& book, const Context& context, bool with_main)
{
    const conf::Credential* main = with_main ? book.credential(context.name) : nullptr;
    if (auto salt = main ? salt_of(main->verifier) : std::nullopt)
        return *salt;
    for (const conf::AppPassword& app : book.logins(context.name).apps)
        if (auto salt = salt_of(app.verifier))
            return *salt;
    return fresh_salt(std::uint32_t(*context.config.scram_iterations));
}

// The password first: who types it slowly shall not hold the lock.
util::Result<void> set_password(const Context& context, bool add)
{
    const Options& options = context.options;
    if (!options.system_user.empty()) {
        Book book = TRY(context.open());
        return book.add_system(context.name, options.system_user);
    }
    std::string password = TRY(read_password(options.password_stdin));
    if (add) {
        auto credential = TRY(make_credential(context.name, password, options.scheme,
                                              fresh_salt(std::uint32_t(*context.config.scram_iterations))));
        Book book = TRY(context.open());
        return book.add(context.name, std::move(credential), options.take_home);
    }
    {
        Book book = TRY(context.open());
        auto credential = TRY(make_credential(context.name, password, options.scheme, salt_for(book, context, false)));
        TRY(book.set_credential(std::move(credential)));
    }
    return end_sessions_of(context, {});
}

util::Result<void> change_account(const Context& context)
{
    {
        Book book = TRY(context.open());
        if (context.options.command == Command::Enable)
            return book.enable(context.name);
        if (context.options.command == Command::Del)
            TRY(book.remove(context.name));
        else
            TRY(book.disable(context.name, context.options.refuse_mail));
    }
    return end_all_sessions(context);
}

util::Result<void> show(const Context& context)
{
    const Options& options = context.options;
    Book book = TRY(context.open());
    if (options.command == Command::List) {
        std::string domain = options.words.empty() ? "" : util::lower(options.words[0]);
        util::print_out(options.json ? accounts_json(book, domain, context.last_uses()) : accounts_text(book, domain));
        return {};
    }
    if (options.command == Command::GroupList) {
        std::string group = options.words.empty() ? "" : mail::prepare_group(options.words[0]);
        util::print_out(options.json ? groups_json(book, group) : groups_text(book, group));
        return {};
    }
    if (options.command == Command::AliasList) {
        util::print_out(options.json ? aliases_json(book, context.name) : aliases_text(book, context.name));
        return {};
    }
    const conf::Account* account = book.find(context.name);
    if (const conf::Account* alias = account ? nullptr : book.find_alias(context.name))
        return util::not_found(util::concat(context.name, " is an alias of ", alias->target, ", not an account"));
    if (!account)
        return util::not_found(util::concat(context.name, ": no such account; \"ternuser list\" shows those there are"));
    const conf::Logins& logins = book.logins(context.name);
    switch (options.command) {
    case Command::Limits:
        util::print_out(options.json ? limits_json(context.name, logins) : limits_text(logins));
        break;
    case Command::AppList:
        util::print_out(options.json ? app_passwords_json(context.name, logins, context.last_uses())
                                     : app_passwords_text(context.name, logins, context.last_uses()));
        break;
    default:
        util::print_out(options.json ? account_json(book, *account, context.last_uses())
                                     : account_text(book, *account, context.last_uses()));
    }
    return {};
}

// What access control lists gave him before goes with the sessions in which he is others' guest.
util::Result<void> change_group(const Context& context)
{
    std::string group = mail::prepare_group(context.options.words[1]);
    {
        Book book = TRY(context.open());
        if (context.options.command == Command::GroupAdd)
            TRY(book.add_group(context.name, group));
        else
            TRY(book.remove_group(context.name, group));
    }
    tools::LiveSessions live(*context.common.queue_directory);
    auto told = live.groups_changed(context.name);
    if (told.ok() || told.error().kind == util::Kind::NotFound)
        return {};
    return util::temporary(util::concat("the change is made, but live sessions may go on as before: ", told.error().text));
}

conf::Logins changed_logins(conf::Logins logins, const Options& options)
{
    if (options.protocols)
        logins.limits.protocols = *options.protocols;
    if (options.networks)
        logins.limits.networks = *options.networks;
    if (options.app_passwords_only)
        logins.app_passwords_only = *options.app_passwords_only;
    return logins;
}

util::Result<void> set_limits(const Context& context)
{
    const Options& options = context.options;
    if (!options.protocols && !options.networks && !options.app_passwords_only)
        return show(context);
    conf::Logins logins;
    {
        Book book = TRY(context.open());
        logins = changed_logins(book.logins(context.name), options);
        TRY(book.set_logins(context.name, logins));
    }
    return end_forbidden_sessions(context, logins);
}

util::Result<void> change_alias(const Context& context)
{
    const Options& options = context.options;
    Book book = TRY(context.open());
    if (options.command == Command::AliasDel)
        return book.remove_alias(context.name);
    std::string account = TRY(parse_name(options.words[1]));
    return book.add_alias(context.name, account, options.login, options.send);
}

util::Result<void> add_app_password(const Context& context)
{
    const Options& options = context.options;
    std::string name(options.words[1]);
    TRY(conf::check_app_password_name(name));
    conf::LoginLimits limits;
    limits.protocols = options.protocols.value_or(std::vector<std::string>());
    limits.networks = options.networks.value_or(std::vector<conf::Network>());
    Book book = TRY(context.open());
    auto made =
        TRY(make_app_password(name, std::move(limits), util::unix_seconds(util::wall_now()), salt_for(book, context, true)));
    TRY(book.add_app_password(context.name, std::move(made.app)));
    std::string secret = conf::show_app_secret(made.secret);
    util::print_out(options.json ? util::concat("{\"account\":", util::json_quote(context.name), ",\"app_password\":",
                                                util::json_quote(name), ",\"secret\":", util::json_quote(secret), "}\n")
                                 : util::concat(secret, "\n"));
    return {};
}

util::Result<void> remove_app_password(const Context& context)
{
    std::string name(context.options.words[1]);
    {
        Book book = TRY(context.open());
        TRY(book.remove_app_password(context.name, name));
        const conf::Logins& logins = book.logins(context.name);
        if (logins.app_passwords_only && logins.apps.empty())
            complain(util::concat("that was the last one, and ", context.name,
                                  " takes app passwords only: nobody can log in until there is another"));
    }
    return end_sessions_of(context, name);
}

util::Result<void> run(const Options& options)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load(options.directory, problems);
    conf::Common common;
    Config config;
    conf::QuotaConfig defaults;
    settings.fill({&common, &config, &defaults}, problems);
    if (problems.any())
        return util::Error{util::Kind::Invalid, problems.result().error().text, configuration};
    Context context{options, common, config, TRY(parse_uid_range(*config.uid_range)), {}};
    if (options.command == Command::Quota)
        return quota({options, common, defaults, context.range});
    if (options.command != Command::List && options.command != Command::GroupList && !options.words.empty())
        context.name = TRY(parse_name(options.words[0]));
    switch (options.command) {
    case Command::Add:
    case Command::Passwd:
        return set_password(context, options.command == Command::Add);
    case Command::Del:
    case Command::Disable:
    case Command::Enable:
        return change_account(context);
    case Command::Limits:
        return set_limits(context);
    case Command::AliasAdd:
    case Command::AliasDel:
        return change_alias(context);
    case Command::AppAdd:
        return add_app_password(context);
    case Command::AppDel:
        return remove_app_password(context);
    case Command::GroupAdd:
    case Command::GroupDel:
        return change_group(context);
    case Command::Quota:
    case Command::List:
    case Command::GroupList:
    case Command::Show:
    case Command::AliasList:
    case Command::AppList:
        return show(context);
    }
    return {};
}

}  // namespace

int main(int argc, char** argv)
{
    util::open_standard_fds();
    auto options = parse_options(argc, argv);
    if (!options.ok()) {
        complain(options.error().text);
        print(STDERR_FILENO, usage_text);
        return EX_USAGE;
    }
    auto done = run(*options);
    if (done.ok())
        return util::end_output("ternuser", EX_OK);
    complain(done.error().text);
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
