// tern(1): starts, stops and asks an instance.
//
//   tern [-c CONFIG_DIRECTORY] [-v] start | start-fg | stop | reload | status [-j] | check | set-permissions
//   tern [-c CONFIG_DIRECTORY] trace ... | tail ... | who [-j] | kick WHOM | stats [-j | --prometheus] | dns ...
//   tern [-c CONFIG_DIRECTORY] unblock WHOM | srs new-secret | srs forward|reverse ADDRESS
#include "libutil/handle.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tools/tern/dns.h"
#include "tools/tern/srs.h"
#include "tools/tern/start.h"
#include "tools/tern/stats.h"
#include "tools/tern/trace.h"
#include "tools/tern/unblock.h"
#include "tools/tern/who.h"

#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

namespace {

using tern::Instance;
using tern::print;
using namespace std::chrono_literals;

constexpr int not_running = 1;
constexpr auto stop_poll_interval = 20ms;

void say(std::string_view text) { print(STDERR_FILENO, util::concat("tern: ", text, "\n")); }

int usage()
{
    print(STDERR_FILENO,
          "usage: tern [-c /config/directory] [-v] start|start-fg|stop|reload|status [-j]|check|set-permissions\n"
          "       tern [-c /config/directory] trace [-j] [-n messages] [-S since] [-U until] address|queue-id|message-id|time\n"
          "       tern [-c /config/directory] tail [-f] [word ...]\n"
          "       tern [-c /config/directory] who [-j] | kick account|session | stats [-j | --prometheus | --listen where]\n"
          "       tern [-c /config/directory] dns [-j] type name\n"
          "       tern [-c /config/directory] unblock network|account|all\n"
          "       tern [-c /config/directory] srs new-secret|forward address|reverse address\n");
    return EX_USAGE;
}

// Of a question to master that had no answer.
int status_of(const util::Error& error) { return error.code == EACCES ? EX_NOPERM : EX_TEMPFAIL; }

int stop(const Instance& instance)
{
    auto running = instance.running();
    if (!running) {
        say(running.error().text);
        return EX_NOPERM;
    }
    if (!*running) {
        say("the mail system is not running");
        return not_running;
    }
    auto answer = instance.ask(server::ControlCommand::stop);
    if (!answer && (**running == 0 || ::kill(**running, SIGTERM) < 0)) {
        say(answer.error().text);
        return EX_NOPERM;
    }
    // Master bounds the time itself ($master_stop_time); its lock goes last.
    for (;;) {
        auto still = instance.running();
        if (still && !*still)
            return 0;
        std::timespec pause{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(stop_poll_interval).count()};
        ::nanosleep(&pause, nullptr);
    }
}

int reload(const Instance& instance)
{
    auto answer = instance.ask(server::ControlCommand::reload);
    if (!answer) {
        auto running = instance.running();
        say(running && !*running ? "the mail system is not running" : answer.error().text);
        return running && !*running ? not_running : status_of(answer.error());
    }
    print(STDERR_FILENO, answer->text);
    if (!answer->ok)
        say("nothing changed: the old configuration stays in force");
    return answer->ok ? 0 : EX_CONFIG;
}

std::string to_text(const server::ControlAnswer& answer)
{
    std::string out =
        util::concat("the mail system is running as process ", answer.pid, " since ", answer.running_seconds, " s\n");
    std::size_t width = 7;
    for (const auto& service : answer.services)
        width = std::max(width, service.name.size());
    auto row = [&](std::string_view name, std::string_view type, std::string_view rest) {
        util::append(out, name, std::string(width + 2 - name.size(), ' '), type,
                     std::string(type.size() < 8 ? 8 - type.size() : 1, ' '), rest, "\n");
    };
    row("service", "type", "processes (busy) of limit, started, program");
    for (const auto& service : answer.services)
        row(service.name, service.type,
            util::concat(
                service.processes, " (", service.busy, ") of ", service.limit, ", ", service.started, ", ", service.command,
                service.draining > 0 ? util::concat(", ", service.draining, " finishing under the old configuration") : "",
                service.throttled ? ", throttled: it died at its start" : ""));
    return out;
}

std::string to_json(const server::ControlAnswer& answer)
{
    std::string out = util::concat("{\"running\":true,\"pid\":", answer.pid, ",\"running_seconds\":", answer.running_seconds,
                                   ",\"services\":[");
    bool first = true;
    for (const auto& service : answer.services) {
        util::append(out, first ? "" : ",", "{\"name\":", util::json_quote(service.name),
                     ",\"type\":", util::json_quote(service.type), ",\"command\":", util::json_quote(service.command),
                     ",\"processes\":", service.processes, ",\"busy\":", service.busy, ",\"draining\":", service.draining,
                     ",\"limit\":", service.limit, ",\"started\":", service.started,
                     ",\"throttled\":", service.throttled ? "true" : "false", "}");
        first = false;
    }
    return out + "]}\n";
}

int status(const Instance& instance, bool json)
{
    auto running = instance.running();
    if (!running) {
        say(running.error().text);
        return EX_NOPERM;
    }
    if (!*running) {
        if (json)
            util::print_out("{\"running\":false}\n");
        else
            say("the mail system is not running");
        return not_running;
    }
    auto answer = instance.ask(server::ControlCommand::status);
    if (!answer) {
        say(answer.error().text);
        return status_of(answer.error());
    }
    util::print_out(json ? to_json(*answer) : to_text(*answer));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    util::open_standard_fds();
    std::string directory(conf::built_in_config_directory);
    bool verbose = false;
    bool json = false;
    int option;
    while ((option = ::getopt(argc, argv, "+c:vj")) != -1) {
        if (option == 'c')
            directory = optarg;
        else if (option == 'v')
            verbose = true;
        else if (option == 'j')
            json = true;
        else
            return usage();
    }
    if (optind >= argc)
        return usage();
    std::string_view command = argv[optind++];
    // The rest is theirs.
    bool has_words = command == "who" || command == "kick" || command == "stats" || command == "dns" || command == "unblock" ||
                     command == "srs";
    if (command == "trace")
        return util::end_output("tern", tern::trace(directory, argc - optind + 1, argv + optind - 1));
    if (command == "tail")
        return tern::tail(directory, argc - optind + 1, argv + optind - 1);
    // "status -j" reads better than "-j status": both work.
    if (optind < argc && command == "status" && std::string_view(argv[optind]) == "-j") {
        json = true;
        ++optind;
    }
    if (optind != argc && !has_words)
        return usage();
    // Programs get an absolute name: they do not run where we stand.
    if (util::Handle<char, ::free> absolute{::realpath(directory.c_str(), nullptr)})
        directory = absolute.get();
    auto instance = Instance::open(directory);
    if (!instance) {
        say(instance.error().text);
        return EX_CONFIG;
    }
    if (command == "start")
        return tern::start(*instance, verbose);
    if (command == "start-fg")
        return tern::start_in_foreground(*instance, verbose);
    if (command == "who")
        return util::end_output("tern", tern::who(*instance, argc - optind + 1, argv + optind - 1));
    if (command == "stats")
        return util::end_output("tern", tern::stats(*instance, argc - optind + 1, argv + optind - 1));
    if (command == "dns")
        return util::end_output("tern", tern::dns(*instance, argc - optind + 1, argv + optind - 1));
    if (command == "srs")
        return util::end_output("tern", tern::srs(*instance, argc - optind + 1, argv + optind - 1));
    if (command == "kick")
        return tern::kick(*instance, argc - optind + 1, argv + optind - 1);
    if (command == "unblock")
        return tern::unblock(*instance, argc - optind + 1, argv + optind - 1);
    if (command == "stop")
        return stop(*instance);
    if (command == "reload")
        return reload(*instance);
    if (command == "status")
        return util::end_output("tern", status(*instance, json));
    if (command == "check")
        return tern::check(*instance);
    if (command == "set-permissions")
        return tern::set_permissions(*instance);
    return usage();
}
