// tern stats: asks who knows.
#include "tools/tern/stats.h"

#include "libipc/connection.h"
#include "libqueue/directory.h"
#include "libqueue/queue_id.h"
#include "libutil/standard_fds.h"
#include "libutil/time.h"
#include "tools/tern/start.h"
#include "tools/tern/stats_server.h"
#include "tools/tern/who.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

using MetricKind = ipc::Metric::Kind;

constexpr auto stats_timeout = std::chrono::seconds(30);

// The names are enough: an id tells when its message came.
util::Result<void> add_queues(const std::string& queue_directory, std::vector<ipc::Metric>& metrics)
{
    auto directory = TRY(queue::Directory::open(queue_directory));
    std::int64_t now = util::wall_now().time_since_epoch().count();
    std::vector<ipc::Metric> ages;
    for (queue::Place place : queue::all_places) {
        std::uint64_t count = 0;
        std::int64_t oldest = now;
        for (const std::string& name : TRY(directory.list(place))) {
            if (!queue::is_queue_id(name))
                continue;
            ++count;
            oldest = std::min(oldest, queue::time_of(name));
        }
        std::string queue(queue::name_of(place));
        metrics.push_back({"queue_messages", "queue", queue, count, MetricKind::Gauge});
        ages.push_back(
            {"queue_oldest_seconds", "queue", queue, static_cast<std::uint64_t>(now - oldest), MetricKind::Gauge, true});
    }
    std::ranges::move(ages, std::back_inserter(metrics));
    return {};
}

util::Result<void> add_daemon(const std::string& socket, std::vector<ipc::Metric>& metrics)
{
    auto daemon = TRY(ipc::Connection::connect(socket, stats_timeout));
    auto answer = TRY(daemon.call<ipc::Statistics>(ipc::StatisticsWanted{}));
    std::ranges::move(answer.metrics, std::back_inserter(metrics));
    return {};
}

util::Result<void> add_services(const Instance& instance, std::vector<ipc::Metric>& metrics)
{
    auto status = TRY(instance.ask(server::ControlCommand::status));
    std::vector<ipc::Metric> busy, started;
    for (const server::ServiceStatus& service : status.services) {
        std::string id = util::concat(service.name, "/", service.type);
        metrics.push_back({"processes", "service", id, service.processes, MetricKind::Gauge});
        busy.push_back({"processes_busy", "service", id, service.busy, MetricKind::Gauge});
        started.push_back({"processes_started_total", "service", id, service.started});
    }
    std::ranges::move(busy, std::back_inserter(metrics));
    std::ranges::move(started, std::back_inserter(metrics));
    metrics.push_back({"running_seconds", "", "", static_cast<std::uint64_t>(std::max<std::int64_t>(status.running_seconds, 0)),
                       MetricKind::Gauge});
    return {};
}

util::Result<void> add_sessions(const Instance& instance, std::vector<ipc::Metric>& metrics)
{
    std::map<std::string, std::uint64_t> sessions = {{"smtp", 0}, {"imap", 0}, {"pop3", 0}};
    std::size_t mailboxes = TRY(count_sessions(instance, sessions));
    for (const auto& [service, count] : sessions)
        metrics.push_back({"sessions", "service", service, count, MetricKind::Gauge});
    metrics.push_back({"mailboxes", "", "", mailboxes, MetricKind::Gauge});
    return {};
}

util::Result<std::vector<ipc::Metric>> gather(const Instance& instance)
{
    std::vector<ipc::Metric> metrics;
    TRY(add_queues(instance.queue_directory(), metrics));
    TRY(add_daemon(instance.queue_directory() + "/public/qmgr", metrics));
    TRY(add_daemon(instance.private_socket("auth"), metrics));
    TRY(add_sessions(instance, metrics));
    TRY(add_services(instance, metrics));
    return metrics;
}

}  // namespace

int stats(const Instance& instance, int count, char** words)
{
    std::string_view form = count > 1 ? words[1] : "";
    if (form == "--listen" && count == 3)
        return serve_stats(instance, words[2],
                           [&]() -> util::Result<std::string> { return stats_to_prometheus(TRY(gather(instance))); });
    if (count > 2 || (count == 2 && form != "-j" && form != "--prometheus"))
        return complain(
            EX_USAGE, "usage: tern [-c /config/directory] stats [-j | --prometheus | --listen path|127.0.0.1:port|[::1]:port]");
    auto running = instance.running();
    if (running && !*running)
        return complain(1, "the mail system is not running");
    auto metrics = gather(instance);
    if (!metrics) {
        bool forbidden = metrics.error().code == EACCES || metrics.error().code == EPERM;
        return complain(forbidden ? EX_NOPERM : EX_TEMPFAIL, metrics.error().text);
    }
    util::print_out(form == "-j"             ? stats_to_json(*metrics)
                    : form == "--prometheus" ? stats_to_prometheus(*metrics)
                                             : stats_to_text(*metrics));
    return EX_OK;
}

}  // namespace tern
