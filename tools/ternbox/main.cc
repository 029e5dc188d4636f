// ternbox(1): looks after the mail store of one user.
//
// What touches the store runs in a child process under the user's uid, locked into the store's
// directory; what reads and writes other files runs with the caller's rights.
#include "libconf/common.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternbox/commands.h"
#include "tools/ternbox/expire.h"
#include "tools/ternbox/mbox.h"
#include "tools/ternbox/messages.h"
#include "tools/ternbox/reach.h"
#include "tools/ternbox/times.h"
#include "tools/ternbox/user.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace ternbox {
namespace {

struct Arguments {
    std::string config_directory{conf::built_in_config_directory};
    Patience patience;
    std::string command;
    std::string user;
    std::vector<std::string> rest;
    std::string format = "maildir";
    std::string mailbox;
    bool deleted = false;
    bool json = false;
    bool now = false;
    std::int64_t since = INT64_MIN;
    std::optional<std::int64_t> at;
};

int usage()
{
    constexpr std::string_view text =
        "usage: ternbox [-c directory] [-t] [-w seconds] command user [...]\n"
        "  list user [-d]                         mailboxes; -d: deleted mail\n"
        "  check user                             read and verify everything\n"
        "  rebuild user                           make the snapshot anew from the log\n"
        "  index user [-n | -d]                   complete the search index; -n: anew; -d: remove it\n"
        "  export user [-f format] path [mailbox ...]\n"
        "  import user [-f format] [-m mailbox] path\n"
        "  adopt user path                        a Dovecot Maildir with its uids\n"
        "  undelete user [-m mailbox] [-s time]   put deleted mail back\n"
        "  restore user [-m mailbox] -a time      what was there then and is deleted now\n"
        "  limit user [mailbox storage messages]  limits of a mailbox: 1G or none, 1000 or none\n"
        "  purge user [-n]                        forget deleted mail; -n: give its space back now\n"
        "  search [-j] user query                 which messages; -j: JSON, here and below\n"
        "  fetch [-j] user fields query           what is in them\n"
        "  move|copy [-j] user mailbox query\n"
        "  delete|expunge [-j] user query         into the Trash; for good\n"
        "  flags [-j] user add|remove|replace flags query\n"
        "  mailbox [-j] user list|status [pattern ...]\n"
        "  mailbox user create|delete|subscribe|unsubscribe name ...\n"
        "  mailbox user rename name new-name\n"
        "  acl [-j] user list [pattern ...]       who may do what in which mailboxes\n"
        "  acl user set mailbox identifier [+|-]rights\n"
        "  acl user delete mailbox identifier\n"
        "  expire [-j] user                       remove old mail as mailbox_expire says\n";
    (void)util::sys::write_all(STDERR_FILENO, text);
    return EX_USAGE;
}

int status_of(const util::Error& error)
{
    switch (error.kind) {
    case util::Kind::Invalid:
        return EX_DATAERR;
    case util::Kind::NotFound:
        return EX_NOUSER;
    case util::Kind::Temporary:
        return EX_TEMPFAIL;
    default:
        return EX_UNAVAILABLE;
    }
}

// Options may stand before the command and behind it.
std::optional<Arguments> parse(int argc, char** argv)
{
    Arguments arguments;
    int option = 0;
    ::opterr = 0;
    std::vector<std::string> words;
    while (::optind < argc) {
        // The words of a query may look like options.
        bool over = words.size() >= 2 && is_session_command(words.front());
        option = over ? -1 : ::getopt(argc, argv, "+a:c:df:jm:ns:tw:");
        if (option == -1) {
            if (::optind < argc)
                words.emplace_back(argv[::optind++]);
            continue;
        }
        switch (option) {
        case 'a':
            if (!(arguments.at = parse_time(::optarg)))
                return std::nullopt;
            break;
        case 'c':
            arguments.config_directory = ::optarg;
            break;
        case 'd':
            arguments.deleted = true;
            break;
        case 'f':
            arguments.format = ::optarg;
            break;
        case 'j':
            arguments.json = true;
            break;
        case 'm':
            arguments.mailbox = ::optarg;
            break;
        case 'n':
            arguments.now = true;
            break;
        case 's': {
            auto since = parse_time(::optarg);
            if (!since)
                return std::nullopt;
            arguments.since = *since;
            break;
        }
        case 't':
            arguments.patience.take = true;
            break;
        case 'w': {
            auto seconds = util::parse_unsigned(::optarg, 86'400);
            if (!seconds.ok())
                return std::nullopt;
            arguments.patience.wait = std::chrono::seconds(*seconds);
            break;
        }
        default:
            return std::nullopt;
        }
    }
    if (words.size() < 2 || (arguments.format != "maildir" && arguments.format != "mbox"))
        return std::nullopt;
    arguments.command = words[0];
    arguments.user = words[1];
    arguments.rest.assign(words.begin() + 2, words.end());
    return arguments;
}

using Work = std::function<util::Result<int>(store::Store&, int fd)>;

// In the child: opens the store and does the work.
int work_on_store(const Arguments& arguments, const User& user, bool ignore_snapshot, const Work& work, int fd)
{
    store::Options options;
    options.create = arguments.command == "import" || arguments.command == "adopt";
    options.ignore_snapshot = ignore_snapshot;
    // Housekeeping is the mailbox process's; here nothing is forgotten unasked.
    options.undelete_time = util::Duration::max();
    options.undelete_limit = UINT64_MAX;
    auto opened = store::Store::open(user.directory, options, arguments.patience.wait);
    if (!opened.ok()) {
        util::log::error(opened.error().text,
                         opened.error().kind == util::Kind::Temporary ? " (option -t tells it to leave)" : "");
        return status_of(opened.error());
    }
    auto done = work(**opened, fd);
    if (!done.ok()) {
        util::log::error(done.error().text);
        return status_of(done.error());
    }
    return *done;
}

util::Result<void> no_talk(int)
{
    return {};
}

template <typename WriterType>
util::Result<void> write_files(const std::string& path, int fd)
{
    auto writer = TRY(WriterType::create(path));
    while (auto item = TRY(receive_item(fd))) {
        if (item->kind == Item::Kind::End)
            return writer.finish();
        TRY(writer.take(*item));
    }
    return util::temporary("the export is not complete");
}

util::Result<void> read_files(const Arguments& arguments, bool adopt, std::vector<std::string>& problems, int fd)
{
    TakeItem take = [fd](const Item& item) { return send_item(fd, item); };
    const std::string& path = arguments.rest[0];
    if (arguments.format == "maildir") {
        TRY(read_maildir(path, {.with_uids = adopt, .into = arguments.mailbox}, take, problems));
    } else if (!arguments.mailbox.empty()) {
        TRY(read_mbox(path, arguments.mailbox, take));
    } else {
        TRY(read_mbox_tree(path, take));
    }
    Item end;
    end.kind = Item::Kind::End;
    return send_item(fd, end);
}

int bring_in(const Arguments& arguments, const User& user)
{
    bool adopt = arguments.command == "adopt";
    std::vector<std::string> problems;
    int status = run_as(
        user,
        [&](int fd) {
            return work_on_store(arguments, user, false,
                                 [&](store::Store& store, int from) { return receive_mail(store, adopt, from); }, fd);
        },
        [&](int fd) {
            auto sent = read_files(arguments, adopt, problems, fd);
            if (!sent.ok() && sent.error().code != EPIPE)
                util::log::error(sent.error().text);
            return sent;
        });
    for (const auto& problem : problems)
        util::log::warning(problem);
    return status == 0 && !problems.empty() ? 1 : status;
}

// An account without a store is no mistake: there is nothing to show, check or give back.
bool say_no_mail(const Arguments& arguments, const User& user)
{
    if (arguments.user.starts_with('/') || !is_unused(user))
        return false;
    util::print_out(util::concat("no mail yet: nothing was delivered to ", arguments.user, ", and nobody has logged in\n"));
    return true;
}

int status_of_command(const util::Result<int>& done)
{
    if (!done.ok()) {
        util::log::error(done.error().text);
        return status_of(done.error());
    }
    return *done == EX_USAGE ? usage() : *done;
}

// Over IMAP, beside the user's own clients.
int run_over_session(const Arguments& arguments, const User& user)
{
    if (user.account.empty() && arguments.command == "acl")   // names without domain get the owner's
        return status_of_command(util::invalid("acl wants the address of the account, not a path"));
    auto way = Way::find(arguments.config_directory, user, user.account, arguments.patience);
    if (!way.ok())
        return status_of_command(way.take_error());
    ImapSession session(way->take_client());
    return status_of_command(run_session_command(
        session, {.command = arguments.command, .account = user.account, .words = arguments.rest, .json = arguments.json,
                  .now = std::time(nullptr)}));
}

int run(const Arguments& arguments, const User& user)
{
    if (is_session_command(arguments.command))
        return say_no_mail(arguments, user) ? 0 : run_over_session(arguments, user);
    if (arguments.command == "expire" && arguments.rest.empty())
        return say_no_mail(arguments, user) ? 0
                                            : status_of_command(expire(arguments.config_directory, user, arguments.user,
                                                                       arguments.patience, arguments.json));
    auto simple = [&](const Work& work, bool ignore_snapshot = false) {
        if (say_no_mail(arguments, user))
            return 0;
        return run_as(user, [&](int fd) { return work_on_store(arguments, user, ignore_snapshot, work, fd); }, no_talk);
    };
    const std::string& command = arguments.command;
    std::size_t words = arguments.rest.size();
    if (command == "list" && words == 0)
        return simple([&](store::Store& store, int) { return arguments.deleted ? list_deleted(store) : list(store); });
    if (command == "check" && words == 0)
        return simple([](store::Store& store, int) { return check(store); });
    if (command == "rebuild" && words == 0)
        return simple([](store::Store& store, int) { return check(store); }, true);
    if (command == "index" && words == 0 && !(arguments.deleted && arguments.now)) {
        auto what = arguments.deleted ? IndexWork::Remove : arguments.now ? IndexWork::Anew : IndexWork::Complete;
        return simple([&](store::Store& store, int) { return index(store, user.directory, what); });
    }
    if (command == "undelete" && words == 0)
        return simple([&](store::Store& store, int) {
            return restore(store, {.mailbox = arguments.mailbox, .since = arguments.since});
        });
    if (command == "restore" && words == 0 && arguments.at)
        return simple([&](store::Store& store, int) {
            return restore(store, {.mailbox = arguments.mailbox, .since = *arguments.at, .existed_at = *arguments.at});
        });
    if (command == "purge" && words == 0)
        return simple([&](store::Store& store, int) { return purge(store, arguments.now); });
    if (command == "limit" && words == 0)
        return simple([](store::Store& store, int) { return show_limits(store); });
    if (command == "limit" && words == 3)
        return simple(
            [&](store::Store& store, int) { return limit(store, arguments.rest[0], arguments.rest[1], arguments.rest[2]); });
    if (command == "export" && words >= 1) {
        if (say_no_mail(arguments, user))
            return 0;
        std::vector<std::string> mailboxes(arguments.rest.begin() + 1, arguments.rest.end());
        return run_as(
            user,
            [&](int fd) {
                return work_on_store(arguments, user, false,
                                     [&](store::Store& store, int to) { return send_mail(store, mailboxes, to); }, fd);
            },
            [&](int fd) {
                auto written = arguments.format == "mbox" ? write_files<MboxWriter>(arguments.rest[0], fd)
                                                          : write_files<MaildirWriter>(arguments.rest[0], fd);
                return written;
            });
    }
    if ((command == "import" || (command == "adopt" && arguments.format == "maildir")) && words == 1)
        return bring_in(arguments, user);
    return usage();
}

}  // namespace
}  // namespace ternbox

int main(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("ternbox");
    ::signal(SIGPIPE, SIG_IGN);
    auto arguments = ternbox::parse(argc, argv);
    if (!arguments)
        return ternbox::usage();
    auto user = ternbox::find_user(arguments->config_directory, arguments->user);
    if (!user.ok()) {
        util::log::error(user.error().text);
        return ternbox::status_of(user.error());
    }
    if (arguments->command == "import" || arguments->command == "adopt") {
        auto made = ternbox::make_home(arguments->config_directory, *user);
        if (!made.ok()) {
            util::log::error(made.error().text);
            return ternbox::status_of(made.error());
        }
    }
    if (arguments->patience.take) {
        auto asked = ternbox::ask_to_leave(*user);
        if (!asked.ok() && asked.error().kind != util::Kind::NotFound) {
            util::log::error(asked.error().text);
            return ternbox::status_of(asked.error());
        }
    }
    return util::end_output("ternbox", ternbox::run(*arguments, *user));
}
