// The process skeleton: start, configuration, privileges.
#include "libipc/check_mode.h"
#include "libipc/process_state.h"
#include "libipc/programs.h"
#include "libipc/table_lookup.h"
#include "libnet/tls_sni.h"
#include "libutil/log.h"
#include "libutil/memory.h"
#include "libutil/sanitizer.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

namespace server {

namespace {

// How long an answer of tables(8) is waited for at most.
constexpr util::Duration remote_table_timeout = std::chrono::seconds(30);

// What a handler shares with the code it interrupts: set by SIGTERM; by the first end_in_time();
// $master_stop_time.
volatile std::sig_atomic_t termination_wanted = 0;
volatile std::sig_atomic_t ending = 0;
volatile std::sig_atomic_t stop_seconds = 10;

void want_termination(int)
{
    termination_wanted = 1;
    end_in_time();
}

util::Result<void> handle_signals()
{
    ::signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = want_termination;  // without SA_RESTART: a read that waits must end
    if (::sigaction(SIGTERM, &action, nullptr) < 0)
        return util::system_error("sigaction", errno);
    return {};
}

// Nobody of the same uid may trace the process or read its memory.
void forbid_tracing()
{
    ::prctl(PR_SET_DUMPABLE, util::sanitizer::on ? 1 : 0, 0, 0, 0);  // the leak check traces itself
}

util::Sandbox::Mode sandbox_mode(conf::SandboxMode mode)
{
    switch (mode) {
    case conf::SandboxMode::Off:
        return util::Sandbox::Mode::No;
    case conf::SandboxMode::On:
        return util::Sandbox::Mode::Yes;
    case conf::SandboxMode::Require:
        return util::Sandbox::Mode::Require;
    }
    return util::Sandbox::Mode::Require;
}

util::Result<void> become(const Identity& identity, std::span<const gid_t> groups)
{
    if (::setgroups(groups.size(), groups.data()) < 0)
        return util::system_error("setgroups", errno);
    if (::setresgid(identity.gid, identity.gid, identity.gid) < 0)
        return util::system_error("setresgid", errno);
    if (::setresuid(identity.uid, identity.uid, identity.uid) < 0)
        return util::system_error("setresuid", errno);
    if (identity.uid != 0 && ::setuid(0) == 0)
        return util::permanent("root's privileges could be taken back");
    return {};
}

}  // namespace

util::Result<Arguments> Arguments::parse(int argc, char** argv)
{
    Arguments arguments;
    int option;
    ::optind = 0;  // GNU: start anew
    ::opterr = 0;
    while ((option = ::getopt(argc, argv, "+n:t:c:o:v")) != -1) {
        switch (option) {
        case 'n':
            arguments.service = optarg;
            break;
        case 't':
            arguments.type = optarg;
            break;
        case 'c':
            arguments.config_directory = optarg;
            break;
        case 'o':
            arguments.overrides.emplace_back(optarg);
            break;
        case 'v':
            ++arguments.verbose;
            break;
        default:
            return util::invalid(util::concat("unknown option -", static_cast<char>(optopt)));
        }
    }
    for (int i = optind; i < argc; ++i)
        arguments.rest.emplace_back(argv[i]);
    if (arguments.service.empty() || arguments.config_directory.empty())
        return util::invalid("this program is started by master(8)");
    return arguments;
}

int run(std::string_view program, int argc, char** argv, util::Result<int> (*daemon_main)(Arguments))
{
    util::keep_freed_memory();
    util::log::to_stderr(util::concat("tern/", program));
    auto arguments = Arguments::parse(argc, argv);
    auto status = arguments ? daemon_main(arguments.take()) : util::Result<int>(arguments.take_error());
    if (!status)
        util::log::fatal(status.error().text);
    return *status;
}

void end_in_time()
{
    if (ending == 0)  // master(8) repeats its signal
        ::alarm(static_cast<unsigned>(stop_seconds));
    ending = 1;
}

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process::~Process() = default;

const Arguments& Process::arguments() const { return state_->arguments; }
const conf::Common& Process::common() const { return state_->common; }
const std::string& Process::config_directory() const { return state_->arguments.config_directory; }
bool Process::unprivileged() const { return state_->facts.unprivileged; }
std::uint64_t Process::data_limit() const { return *state_->config.data_limit; }
int Process::landlock_abi_limit() const { return static_cast<int>(*state_->config.landlock_abi_limit); }
const std::vector<int>& Process::listeners() const { return state_->listeners; }
bool Process::master_is_gone() const { return state_->orphaned || ::getppid() != state_->master; }
bool Process::stop_requested() { return termination_wanted != 0; }

util::Result<Process> Process::start(std::string_view program, Arguments arguments, conf::Section& config)
{
    return start(program, std::move(arguments), {&config});
}

util::Result<Process> Process::start(std::string_view program, Arguments arguments,
                                     std::initializer_list<conf::Section*> sections)
{
    const char* text = std::getenv("TERN_CHILD");
    if (!text)
        return util::invalid("this program is started by master(8)");
    auto state = std::make_unique<State>();
    state->program = program;
    if (text == check_mode) {
        state->arguments = std::move(arguments);
        report_problems(state->read(sections, true));
    }
    state->facts = TRY(Facts::decode(text));
    state->master = ::getppid();
    ::unsetenv("TERN_CHILD");
    unsigned beyond = first_listener + state->facts.listeners;
    TRY(util::sys::close_from(static_cast<int>(beyond)));
    for (unsigned fd = log_descriptor; fd < beyond; ++fd)
        TRY(util::sys::set_close_on_exec(static_cast<int>(fd), true));
    for (unsigned i = 0; i < state->facts.listeners; ++i)
        state->listeners.push_back(static_cast<int>(first_listener + i));
    state->arguments = std::move(arguments);
    util::log::to_socket(util::concat("tern/", program), log_descriptor);
    if (state->arguments.verbose > 0)
        util::log::set_level(util::log::Level::Verbose);
    util::sanitizer::keep_reports();
    forbid_tracing();
    ::umask(077);
    TRY(handle_signals());
    state->control.reset(control_descriptor);
    state->certificates.reset(certificates_descriptor);
    state->scoreboard = TRY(Scoreboard::map(util::UniqueFd(scoreboard_descriptor)));
    TRY(state->load(sections));
    util::log::to_socket(util::concat(*state->common.syslog_name, "/", program), log_descriptor);
    conf::set_remote_lookup(ipc::remote_tables(private_socket(state->common, "tables"),
                                               std::min<util::Duration>(*state->common.ipc_timeout, remote_table_timeout)));
    return Process(std::move(state));
}

conf::Problems Process::State::read(std::initializer_list<conf::Section*> sections, bool checking)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load(arguments.config_directory, problems);
    for (const std::string& assignment : arguments.overrides)
        settings.override_with(assignment, problems);
    std::vector<conf::Section*> all{&common, &config};
    all.insert(all.end(), sections.begin(), sections.end());
    settings.fill(all, problems);
    for (const conf::Section* section : all)
        if (checking)
            section->check(settings, problems);
    return problems;
}

util::Result<void> Process::State::load(std::initializer_list<conf::Section*> sections)
{
    conf::Problems problems = read(sections);
    // Warnings master(8) has logged once for all.
    for (const conf::Problem& problem : problems.all())
        util::log::write(problem.warning ? util::log::Level::Verbose : util::log::Level::Error, problem.to_text());
    if (problems.any())
        return util::invalid("the configuration has errors");
    stop_seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(*common.master_stop_time).count());
    return {};
}

util::Result<void> Process::read_config(std::initializer_list<conf::Section*> sections)
{
    return state_->load(sections);
}

util::Result<std::string> Process::certificates() const { return state_->certificates_text(); }

util::Result<std::string> Process::State::certificates_text() const
{
    // Not sealed: not from master, which has none.
    if (!util::sys::is_sealed(certificates.get()))
        return std::string();
    // pread: the offset is shared with the other processes that were given this memfd.
    struct stat status = TRY(util::sys::fstat(certificates.get()));
    if (status.st_size > off_t(net::max_certificates_size))
        return util::permanent("the certificates are too large");
    std::string pem(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t got = TRY(util::sys::pread(certificates.get(), pem, 0));
    pem.resize(got);
    return pem;
}

util::Result<void> Process::permit(std::initializer_list<std::string_view> programs_of_peers)
{
    state_->anybody = false;
    for (std::string_view peer : programs_of_peers)
        state_->permitted.push_back(TRY(identity_of(state_->common, peer, state_->facts.unprivileged)).uid);
    return {};
}

util::Result<void> Process::drop_privileges(util::Sandbox& sandbox)
{
    State& state = *state_;
    Identity identity = TRY(identity_of(state.common, state.program, state.facts.unprivileged));
    if (!sandbox.limits_memory())
        sandbox.limit_memory(*state.config.data_limit);
    TRY(sandbox.prepare(sandbox_mode(*state.common.sandbox), landlock_abi_limit()));
    if (!state.facts.unprivileged) {
        Identity queue = TRY(identity_of(state.common, "qmgr", false));
        // The queue's group opens the directory of private sockets and nothing else; qmgr writes to
        // the files that cleanup made, and pickup reads those of terndrop(1), by the group of those.
        std::vector<gid_t> groups{queue.gid};
        if (state.program == "qmgr")
            groups.push_back(TRY(identity_of(state.common, "cleanup", false)).gid);
        if (state.program == "pickup")
            groups.push_back(TRY(resolve_group(*state.common.setgid_group)));
        TRY(become(identity, groups));
    }
    // A change of uid sets both back.
    forbid_tracing();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    auto outcome = TRY(sandbox.enter());
    // master(8) warned once for all.
    for (const std::string& protection : outcome.missing)
        util::log::verbose("sandbox: ", protection);
    return {};
}

}  // namespace server
