// master(8): start, reload, certificates.
#include "master/master.h"

#include "libutil/log.h"
#include "libutil/sandbox.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "master/directories.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace master {

namespace {

constexpr auto log_start_time = std::chrono::seconds(10);
// A burst of lines waits here while the log daemon writes; the kernel doubles it for its own needs.
constexpr int log_buffer_size = 4 * 1024 * 1024;

void log_warnings(const conf::Problems& problems)
{
    for (const conf::Problem& problem : problems.all()) {
        std::string place = problem.line > 0 ? util::concat(problem.file, ":", problem.line) : problem.file;
        if (problem.warning)
            util::log::warning(place, place.empty() ? "" : ": ", problem.text);
    }
}

}  // namespace

Master::Master(Options options, util::EventLoop loop)
    : options_(std::move(options)), loop_(std::move(loop)), unprivileged_(::geteuid() != 0),
      surroundings_{.loop = loop_, .config_directory = options_.config_directory},
      control_pause_(loop_, [this] { control_watch_.want(util::Watch::Read); }),
      certificate_timer_(loop_, [this] { check_certificates(); }),
      phase_timer_(loop_, [this] { next_phase(); }),
      repeat_timer_(loop_, [this] { stop_services(); }),
      ready_timer_(loop_, [this] { report_ready(); })
{
    surroundings_.unprivileged = unprivileged_;
    surroundings_.verbose = options_.verbose;
}

util::Result<std::unique_ptr<Master>> Master::start(Options options, conf::Problems& problems)
{
    auto plan = Plan::load(options.config_directory, ::geteuid() != 0, problems);
    check_programs(*plan, problems);
    if (problems.any())
        return util::invalid("the configuration has errors");
    auto loop = TRY(util::EventLoop::create());
    std::unique_ptr<Master> master(new Master(std::move(options), std::move(loop)));
    TRY(prepare_directories(*plan, master->unprivileged_));
    master->plan_ = std::move(plan);
    TRY(master->lock_instance());
    TRY(master->open_log());
    TRY(master->open_control());
    std::map<std::string, std::vector<std::string>> keys;
    Sockets opened = TRY(master->open_missing(*master->plan_, keys));
    master->watch_signals();
    util::log::to_socket(util::concat(*master->plan_->common.syslog_name, "/master"), master->log_to_.get());
    util::log::info("daemon started -- version ", TERN_VERSION, ", configuration ", master->options_.config_directory);
    if (master->unprivileged_)
        util::log::warning("started without root: all daemons run as uid ", ::geteuid(),
                           ", so neither they nor the users' mail are protected from each other");
    else if (util::Sandbox::kernel_landlock_abi() == 0)
        util::log::warning("this kernel has no Landlock: daemons are kept apart by their uids only");
    log_warnings(problems);
    master->apply(std::move(master->plan_), std::move(opened), std::move(keys));
    master->ready_timer_.start(std::chrono::milliseconds(1));
    return master;
}

util::Result<void> Master::lock_instance()
{
    std::string path = plan_->pid_file();
    auto fd = TRY(util::sys::open(path, O_RDWR | O_CREAT, 0644));
    if (!TRY(util::sys::try_lock_exclusive(fd.get()))) {
        auto holder = util::sys::read_fd(fd.get(), 100);
        return util::permanent(util::concat("the mail system is already running", holder ? " as process " : "",
                                            holder ? util::trim(*holder) : ""));
    }
    TRY(util::sys::ftruncate(fd.get(), 0));
    // On a full disk the mail system starts all the same: tern(1) finds it by its lock and its control socket.
    if (auto written = util::sys::write_all(fd.get(), util::concat(::getpid(), "\n")); !written)
        util::log::warning(path, ": the process number is not there to read: ", written.error().text);
    pid_file_ = std::move(fd);
    return {};
}

util::Result<void> Master::open_log()
{
    // Two that are each other's peers: the kernel then has no limit on how many lines may wait, only
    // on their bytes.
    auto pair = TRY(util::sys::socket_pair(SOCK_DGRAM));
    ::setsockopt(pair.second.get(), SOL_SOCKET, SO_SNDBUF, &log_buffer_size, sizeof log_buffer_size);
    ::setsockopt(pair.second.get(), SOL_SOCKET, SO_SNDBUFFORCE, &log_buffer_size, sizeof log_buffer_size);
    int on = 1;
    ::setsockopt(pair.first.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    // The kernel notes when each line was sent: log(8) looks at them later, in batches.
    ::setsockopt(pair.first.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    TRY(util::sys::set_nonblocking(pair.first.get(), true));
    log_from_ = std::move(pair.first);
    log_to_ = std::move(pair.second);
    surroundings_.log_to = log_to_.get();
    return {};
}

void Master::watch_signals()
{
    signals_.emplace_back(loop_, SIGCHLD, [this] { children_ended(); });
    signals_.emplace_back(loop_, SIGTERM, [this] { begin_stop(); });
    signals_.emplace_back(loop_, SIGINT, [this] { begin_stop(); });
    signals_.emplace_back(loop_, SIGHUP, [this] {
        auto result = reload();
        for (std::string_view line : util::split(result.text, '\n')) {
            if (!line.empty() && !result.ok)
                util::log::error(line);
        }
    });
}

// --- configuration ---------------------------------------------------------------------------------

util::Result<Sockets> Master::open_missing(const Plan& plan, std::map<std::string, std::vector<std::string>>& keys) const
{
    Sockets opened;
    for (const ServicePlan& service : plan.services) {
        auto endpoints = endpoints_of(plan, service);
        if (!endpoints)
            return endpoints.take_error().in(util::concat(service.entry.file, ":", service.entry.first_line));
        auto& mine = keys[service.entry.id()];
        for (const Endpoint& endpoint : *endpoints) {
            if (!sockets_.contains(endpoint.key) && !opened.contains(endpoint.key)) {
                auto fd = open_endpoint(endpoint);
                if (!fd)
                    return fd.take_error().in(util::concat(service.entry.file, ":", service.entry.first_line));
                if (!fd->valid())
                    continue;  // a family that this kernel does not have
                opened[endpoint.key] = fd.take();
            }
            mine.push_back(endpoint.key);
        }
        if (mine.size() > server::max_listeners)
            return util::invalid(util::concat(service.entry.id(), ": more than ", server::max_listeners, " addresses"));
    }
    return opened;
}

std::vector<int> Master::descriptors(const std::vector<std::string>& keys) const
{
    std::vector<int> out;
    for (const std::string& key : keys)
        out.push_back(sockets_.at(key).get());
    return out;
}

void Master::build_environment()
{
    auto& environment = surroundings_.environment;
    environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    std::vector<std::string> words = *plan_->config.import_environment;
    if (util::sanitizer::on)
        words.push_back(util::sanitizer::reports_variable);
#if defined(TERN_FAULTS)
    words.push_back("TERN_FAULT_FILE");
#endif
    for (const std::string& word : words) {
        if (word.find('=') != std::string::npos)
            environment.push_back(word);
        else if (const char* value = std::getenv(word.c_str()))
            environment.push_back(util::concat(word, "=", value));
    }
}

void Master::apply(std::unique_ptr<Plan> plan, Sockets opened, std::map<std::string, std::vector<std::string>> keys)
{
    plan_ = std::move(plan);
    sockets_.merge(opened);
    build_environment();
    surroundings_.stress_time = *plan_->config.stress_time;
    surroundings_.throttle_time = *plan_->config.service_throttle_time;
    if (auto set = certificates_.set({*plan_->config.tls_chain_files, *plan_->config.tls_server_sni_maps}, plan_->certificates);
        !set)
        util::log::warning("certificates: ", set.error().text);
    surroundings_.certificates = certificates_.fd();
    certificate_timer_.start(*plan_->config.tls_chain_check_time);

    auto old = std::move(services_);
    services_.clear();
    std::vector<Service*> fresh;
    for (const ServicePlan& service : plan_->services) {
        std::string id = service.entry.id();
        std::vector<int> listeners = service.always ? std::vector<int>{log_from_.get()} : descriptors(keys[id]);
        if (service.always && options_.foreground)
            listeners.push_back(STDOUT_FILENO);
        auto found = old.find(id);
        if (found != old.end()) {
            found->second->reconfigure(service, std::move(listeners));
            services_[id] = std::move(found->second);
            old.erase(found);
        } else {
            services_[id] = std::make_unique<Service>(surroundings_, service, std::move(listeners));
            fresh.push_back(services_[id].get());
        }
    }
    for (auto& [id, service] : old) {
        service->stop(false);
        if (!service->empty())
            retired_.push_back(std::move(service));
    }
    // Sockets that nobody wants any more, after those who watched them are told.
    std::erase_if(sockets_, [&](const auto& entry) {
        bool wanted = std::ranges::any_of(
            keys, [&](const auto& service) { return std::ranges::find(service.second, entry.first) != service.second.end(); });
        if (!wanted)
            close_listener(entry.first, entry.second);
        return !wanted;
    });
    for (Service* service : fresh)
        service->begin();
}

server::ControlAnswer Master::reload()
{
    notifier_.reloading();
    auto answer = take_over_configuration();
    if (phase_ == Phase::Running)
        notifier_.ready();
    return answer;
}

server::ControlAnswer Master::take_over_configuration()
{
    server::ControlAnswer answer;
    answer.pid = ::getpid();
    if (phase_ != Phase::Running) {
        answer.text = "the mail system is stopping";
        return answer;
    }
    conf::Problems problems;
    auto plan = Plan::load(options_.config_directory, unprivileged_, problems);
    check_programs(*plan, problems);
    answer.text = problems.to_text();
    auto refuse = [&](std::string_view reason) {
        util::log::error("reload refused, the old configuration stays: ", reason);
        return std::move(answer);
    };
    if (problems.any())
        return refuse(problems.result().error().text);
    if (*plan->common.queue_directory != *plan_->common.queue_directory || plan->pid_file() != plan_->pid_file()) {
        answer.text += "queue_directory and process_id_directory cannot change while the mail system runs\n";
        return refuse("queue_directory or process_id_directory changed");
    }
    std::map<std::string, std::vector<std::string>> keys;
    auto prepared = prepare_directories(*plan, unprivileged_);
    auto opened = prepared ? open_missing(*plan, keys) : util::Result<Sockets>(prepared.take_error());
    if (!opened) {
        util::append(answer.text, opened.error().text, "\n");
        return refuse(opened.error().text);
    }
    log_warnings(problems);
    apply(std::move(plan), opened.take(), std::move(keys));
    util::log::info("reload -- version ", TERN_VERSION, ", configuration ", options_.config_directory);
    answer.ok = true;
    return answer;
}

void Master::check_certificates()
{
    certificate_timer_.start(*plan_->config.tls_chain_check_time);
    if (!certificates_.refresh())
        return;
    surroundings_.certificates = certificates_.fd();
    for (auto& [id, service] : services_)
        service->certificates_changed();
}

// --- run ---------------------------------------------------------------------------------------------

void Master::run() { loop_.run(); }

void Master::report_ready()
{
    bool log_ready = services_.at("log/unix")->is_ready();
    bool late = util::now() - started_ > log_start_time;
    if (!log_ready && !late && !services_.at("log/unix")->is_throttled()) {
        ready_timer_.start(std::chrono::milliseconds(5));
        return;
    }
    constexpr std::string_view no_log = "the log daemon does not start; see above, and maillog_file\n";
    if (options_.report_to >= 0)
        report(log_ready ? "ready\n" : no_log);
    else if (!log_ready)
        util::log::error(util::trim(no_log));
    if (!log_ready)
        return begin_stop();
    notifier_.ready();
}

// To tern(1), which waits for it.
void Master::report(std::string_view text)
{
    if (::write(options_.report_to, text.data(), text.size()) < 0)
        util::log::warning("nobody waits for master's start any more");
    ::close(options_.report_to);
    options_.report_to = -1;
    // Standard error was the terminal of whoever started us.
    if (!options_.foreground) {
        util::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        if (null.valid())
            ::dup2(null.get(), STDERR_FILENO);
        util::sanitizer::keep_reports();
    }
}

void Master::children_ended()
{
    int status = 0;
    pid_t pid;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        for (auto& [id, service] : services_) {
            if (service->owns(pid))
                service->child_ended(pid, status);
        }
        for (auto& service : retired_) {
            if (service->owns(pid))
                service->child_ended(pid, status);
        }
    }
    std::erase_if(retired_, [](const auto& service) { return service->empty(); });
    if (phase_ != Phase::Running)
        next_phase();
}

}  // namespace master
