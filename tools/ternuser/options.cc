// The command line.
#include "tools/ternuser/options.h"

#include "libconf/quota.h"
#include "libutil/text.h"

#include <algorithm>

namespace ternuser {

const std::string_view usage_text =
    "usage: ternuser [-c /config/directory] add|passwd NAME@DOMAIN [--password-stdin] [--scheme SCHEME] [--take-home]\n"
    "       ternuser [-c /config/directory] add NAME@DOMAIN --system USER\n"
    "       ternuser [-c /config/directory] del|enable NAME@DOMAIN | disable NAME@DOMAIN [--refuse-mail]\n"
    "       ternuser [-c /config/directory] list [-j] [DOMAIN] | show [-j] NAME@DOMAIN\n"
    "       ternuser [-c /config/directory] limits NAME@DOMAIN [--protocols LIST] [--networks LIST] [--app-passwords-only yes|no]\n"
    "       ternuser [-c /config/directory] alias add ALIAS@DOMAIN NAME@DOMAIN [--login] [--send] | alias del ALIAS@DOMAIN\n"
    "       ternuser [-c /config/directory] alias list [-j] [NAME@DOMAIN]\n"
    "       ternuser [-c /config/directory] app-password add|del NAME@DOMAIN NAME [--protocols LIST] [--networks LIST]\n"
    "       ternuser [-c /config/directory] app-password list [-j] NAME@DOMAIN\n"
    "       ternuser [-c /config/directory] group add|del NAME@DOMAIN GROUP | group list [-j] [GROUP]\n"
    "       ternuser [-c /config/directory] quota [-j] [NAME@DOMAIN | @DOMAIN]\n"
    "       ternuser [-c /config/directory] quota [-j] NAME@DOMAIN [--storage SIZE] [--messages N] [--mailboxes N]\n"
    "       ternuser [-c /config/directory] quota [-j] @DOMAIN [--storage SIZE] [--messages N]\n"
    "                [--each-storage SIZE] [--each-messages N] [--each-mailboxes N]\n";

namespace {

struct Shape {
    std::string_view words;      // "alias add"
    Command command;
    std::size_t least, most;     // of the words behind it
    std::string_view operands;
    std::string_view options;    // between blanks
};

constexpr Shape shapes[] = {
    {"add", Command::Add, 1, 1, "one NAME@DOMAIN", " --password-stdin --scheme --take-home --system "},
    {"passwd", Command::Passwd, 1, 1, "one NAME@DOMAIN", " --password-stdin --scheme "},
    {"del", Command::Del, 1, 1, "one NAME@DOMAIN", " "},
    {"disable", Command::Disable, 1, 1, "one NAME@DOMAIN", " --refuse-mail "},
    {"enable", Command::Enable, 1, 1, "one NAME@DOMAIN", " "},
    {"list", Command::List, 0, 1, "one domain at most", " -j "},
    {"show", Command::Show, 1, 1, "one NAME@DOMAIN", " -j "},
    {"limits", Command::Limits, 1, 1, "one NAME@DOMAIN", " -j --protocols --networks --app-passwords-only "},
    {"alias add", Command::AliasAdd, 2, 2, "ALIAS@DOMAIN and the account's NAME@DOMAIN", " --login --send "},
    {"alias del", Command::AliasDel, 1, 1, "one ALIAS@DOMAIN", " "},
    {"alias list", Command::AliasList, 0, 1, "one NAME@DOMAIN at most", " -j "},
    {"app-password add", Command::AppAdd, 2, 2, "NAME@DOMAIN and a name for the password", " -j --protocols --networks "},
    {"app-password del", Command::AppDel, 2, 2, "NAME@DOMAIN and the password's name", " "},
    {"app-password list", Command::AppList, 1, 1, "one NAME@DOMAIN", " -j "},
    {"group add", Command::GroupAdd, 2, 2, "NAME@DOMAIN and a group", " "},
    {"group del", Command::GroupDel, 2, 2, "NAME@DOMAIN and a group", " "},
    {"group list", Command::GroupList, 0, 1, "one group at most", " -j "},
    {"quota", Command::Quota, 0, 1, "one NAME@DOMAIN or @DOMAIN at most",
     " -j --storage --messages --mailboxes --each-storage --each-messages --each-mailboxes "},
};

constexpr std::string_view quota_options[] = {"--storage", "--messages", "--mailboxes", "--each-storage", "--each-messages",
                                              "--each-mailboxes"};

bool is_quota_option(std::string_view option)
{
    return std::ranges::find(quota_options, option) != std::end(quota_options);
}

bool takes_value(std::string_view option)
{
    return is_quota_option(option) || option == "-c" || option == "--scheme" || option == "--system" ||
           option == "--protocols" || option == "--networks" || option == "--app-passwords-only";
}

util::Result<bool> parse_flag(std::string_view option, std::string_view value)
{
    if (value != "yes" && value != "no")
        return util::invalid(util::concat(option, " takes yes or no"));
    return value == "yes";
}

util::Result<void> take_option(Options& options, std::string_view option, std::string_view value)
{
    if (is_quota_option(option)) {
        Options::QuotaChange change;
        if (value != "default") {
            auto number = option.ends_with("storage") ? conf::parse_quota_size(value) : conf::parse_quota_number(value);
            if (!number.ok())
                return number.take_error().in(option);
            change.value = *number;
        }
        options.quota[std::string(option.substr(2))] = change;
    } else if (option == "-c")
        options.directory = value;
    else if (option == "--scheme")
        options.scheme = TRY(parse_scheme(value));
    else if (option == "--protocols")
        options.protocols = TRY(conf::parse_login_protocols(value));
    else if (option == "--networks")
        options.networks = TRY(conf::parse_login_networks(value));
    else if (option == "--app-passwords-only")
        options.app_passwords_only = TRY(parse_flag(option, value));
    else if (option == "-j")
        options.json = true;
    else if (option == "--password-stdin")
        options.password_stdin = true;
    else if (option == "--system")
        options.system_user = value;
    else if (option == "--take-home")
        options.take_home = true;
    else if (option == "--refuse-mail")
        options.refuse_mail = true;
    else if (option == "--login")
        options.login = true;
    else if (option == "--send")
        options.send = true;
    else
        return util::invalid(util::concat("unknown option ", util::printable(option, 40)));
    return {};
}

util::Result<const Shape*> find_shape(std::vector<std::string_view>& words)
{
    if (words.empty())
        return util::invalid("what is to be done?");
    std::string first(words[0]);
    bool two = first == "alias" || first == "app-password" || first == "group";
    if (two && words.size() == 1)
        return util::invalid(util::concat(first, " add, del or list?"));
    std::string command = two ? util::concat(first, ' ', words[1]) : first;
    auto found = std::ranges::find(shapes, std::string_view(command), &Shape::words);
    if (found == std::end(shapes))
        return util::invalid(util::concat("unknown command ", util::printable(command, 60)));
    words.erase(words.begin(), words.begin() + (two ? 2 : 1));
    return &*found;
}

}  // namespace

util::Result<Options> parse_options(int argc, char** argv)
{
    Options options;
    std::vector<std::string> given;
    for (int i = 1; i < argc; ++i) {
        std::string_view word = argv[i];
        if (word == "--json")
            word = "-j";
        if (!word.starts_with('-')) {
            options.words.push_back(word);
            continue;
        }
        std::string_view value;
        if (takes_value(word)) {
            if (i + 1 == argc)
                return util::invalid(util::concat(word, " lacks its argument"));
            value = argv[++i];
        }
        TRY(take_option(options, word, value));
        if (word != "-c")
            given.emplace_back(word);
    }
    const Shape* shape = TRY(find_shape(options.words));
    options.command = shape->command;
    if (options.words.size() < shape->least || options.words.size() > shape->most)
        return util::invalid(util::concat(shape->words, " takes ", shape->operands));
    for (const std::string& option : given)
        if (shape->options.find(util::concat(' ', option, ' ')) == std::string_view::npos)
            return util::invalid(util::concat(shape->words, " takes no ", option));
    if (options.command == Command::Quota && !options.quota.empty()) {
        if (options.words.empty())
            return util::invalid("quota wants to know whose: NAME@DOMAIN or @DOMAIN");
        bool domain = options.words[0].starts_with('@');
        for (const auto& change : options.quota)
            if (domain ? change.first == "mailboxes" : change.first.starts_with("each-"))
                return util::invalid(util::concat("--", change.first,
                                                  domain ? " is for an account: of those of a domain say --each-mailboxes"
                                                         : " is for a domain: @DOMAIN"));
    }
    bool system = std::ranges::find(given, "--system") != given.end();
    if (system && (options.password_stdin || options.take_home || std::ranges::find(given, "--scheme") != given.end()))
        return util::invalid("a user of the system has a password and a uid already: --system stands alone");
    if (system && options.system_user.empty())
        return util::invalid("--system wants the name of a user");
    return options;
}

}  // namespace ternuser
