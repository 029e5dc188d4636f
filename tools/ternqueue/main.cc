// ternqueue(1): shows the mail queue and has mail tried again, by asking qmgr(8); while that is down, who may
// read the queue's directories works on them.
#include "libqueue/queue_id.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/time.h"
#include "tools/common/queue_access.h"
#include "tools/ternqueue/listing.h"
#include "tools/ternqueue/shape.h"

#include <cstdio>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

namespace ternqueue {
namespace {

constexpr std::string_view usage =
    "usage: ternqueue [-c config_directory] -p | -j | -f | -i queue_id | -s site |\n"
    "                 -h queue_id | -H queue_id | -d queue_id\n"
    "       ternqueue [-c config_directory] --shape [-j] [--by-sender] [queue ...]\n";

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    char action = 0;
    std::string argument;
    bool shape = false;
    bool by_sender = false;
    bool json = false;
    std::vector<std::string> queues;
};

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "ternqueue: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

bool parse(int argc, char** argv, Options& options)
{
    constexpr int shape = 1000, by_sender = 1001;
    const option long_options[] = {{"shape", no_argument, nullptr, shape}, {"by-sender", no_argument, nullptr, by_sender}, {}};
    int letter;
    while ((letter = ::getopt_long(argc, argv, "c:pjfi:s:h:H:d:", long_options, nullptr)) != -1) {
        if (letter == 'c') {
            options.config_directory = ::optarg;
        } else if (letter == shape) {
            options.shape = true;
        } else if (letter == by_sender) {
            options.by_sender = true;
        } else {
            if (letter == '?' || options.action != 0)
                return false;
            options.action = static_cast<char>(letter);
            options.argument = ::optarg ? ::optarg : "";
        }
    }
    for (; ::optind < argc; ++::optind)
        options.queues.emplace_back(argv[::optind]);
    options.json = options.action == 'j';
    if (options.shape)
        return options.action == 0 || options.json;
    return options.action != 0 && !options.by_sender && options.queues.empty();
}

bool takes_id(char action) { return action == 'i' || action == 'h' || action == 'H' || action == 'd'; }

util::Result<void> list(tools::QueueAccess& queue, const Options& options)
{
    Listing listing(options.json);
    TRY(queue.list(queue::waiting_queues, [&](const ipc::QueueItem& item) { listing.add(item); },
                   [](std::string_view text) { complain(0, text); }));
    listing.finish();
    return {};
}

util::Result<void> show_shape(tools::QueueAccess& queue, const Options& options, ipc::QueueSet queues)
{
    Shape shape(util::wall_now().time_since_epoch().count(), options.by_sender);
    TRY(queue.list(
        queues, [&](const ipc::QueueItem& item) { shape.add(item); }, [](std::string_view text) { complain(0, text); }));
    util::print_out(options.json ? shape.to_json() : shape.to_text());
    return {};
}

util::Result<void> serve(tools::QueueAccess& queue, const Options& options, ipc::QueueSet queues)
{
    using Kind = ipc::QueueChange::Kind;
    if (options.shape)
        return show_shape(queue, options, queues);
    switch (options.action) {
    case 'p':
    case 'j':
        return list(queue, options);
    case 'f':
        TRY(queue.flush({}));
        return {};
    case 'i':
        TRY(queue.flush({options.argument, ""}));
        return {};
    case 's':
        util::print_out(util::concat(TRY(queue.flush({"", options.argument})), " messages are tried now\n"));
        return {};
    default:
        ipc::QueueChange order;
        order.queue_id = options.argument;
        order.kind = options.action == 'h' ? Kind::Hold : options.action == 'H' ? Kind::Release : Kind::Remove;
        TRY(queue.change(order));
        return {};
    }
}

int run(const Options& options)
{
    if (takes_id(options.action) && !queue::is_queue_id(options.argument))
        return complain(EX_USAGE, util::concat(util::printable(options.argument), " is no queue id"));
    auto queues = queue::parse_queues(options.queues);
    if (!queues)
        return complain(EX_USAGE, queues.error().text);
    if (*queues == 0)
        queues = static_cast<ipc::QueueSet>(queue::set_of(queue::Place::Incoming) | queue::active_queue);
    conf::Common common;
    if (auto loaded = conf::load_common(common, options.config_directory); !loaded)
        return complain(EX_CONFIG, loaded.error().text);
    auto queue = tools::QueueAccess::open(common, [](std::string_view text) { complain(0, text); });
    if (!queue)
        return complain(tools::QueueAccess::status_of(queue.error()), queue.error().text);
    auto done = serve(*queue, options, *queues);
    return done ? EX_OK : complain(tools::QueueAccess::status_of(done.error()), done.error().text);
}

}  // namespace
}  // namespace ternqueue

int main(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("ternqueue");
    ternqueue::Options options;
    if (!ternqueue::parse(argc, argv, options)) {
        std::fputs(ternqueue::usage.data(), stderr);
        return EX_USAGE;
    }
    int status = ternqueue::run(options);
    return util::end_output("ternqueue", status);
}
