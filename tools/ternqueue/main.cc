// ternqueue(1): shows and changes the mail queue, by asking qmgr(8); while that is down, who may read
// the queue's directories works on them.
#include "libconf/common.h"
#include "libipc/connection.h"
#include "libipc/identity.h"
#include "libqueue/listing.h"
#include "libqueue/queue_id.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "tools/ternqueue/listing.h"

#include <cstdio>
#include <sysexits.h>
#include <unistd.h>

namespace ternqueue {
namespace {

using namespace std::chrono_literals;

constexpr util::Duration answer_timeout = 300s;
constexpr std::string_view usage =
    "usage: ternqueue [-c config_directory] -p | -j | -f | -i queue_id | -s site |\n"
    "                 -h queue_id | -H queue_id | -d queue_id\n";

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    char action = 0;
    std::string argument;
};

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "ternqueue: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

bool parse(int argc, char** argv, Options& options)
{
    int letter;
    while ((letter = ::getopt(argc, argv, "c:pjfi:s:h:H:d:")) != -1) {
        if (letter == 'c') {
            options.config_directory = ::optarg;
            continue;
        }
        if (letter == '?' || options.action != 0)
            return false;
        options.action = static_cast<char>(letter);
        options.argument = ::optarg ? ::optarg : "";
    }
    return options.action != 0 && ::optind == argc;
}

bool takes_id(char action) { return action == 'i' || action == 'h' || action == 'H' || action == 'd'; }

util::Result<void> send_request(ipc::Connection& qmgr, const Options& options)
{
    using Kind = ipc::QueueChange::Kind;
    switch (options.action) {
    case 'p':
    case 'j':
        return qmgr.send(ipc::QueueList{});
    case 'f':
        return qmgr.send(ipc::QueueFlush{});
    case 'i':
        return qmgr.send(ipc::QueueFlush{options.argument, ""});
    case 's':
        return qmgr.send(ipc::QueueFlush{"", options.argument});
    default:
        return qmgr.send(ipc::QueueChange{options.argument, options.action == 'h' ? Kind::Hold
                                                            : options.action == 'H' ? Kind::Release
                                                                                    : Kind::Remove});
    }
}

util::Result<ipc::QueueEnd> ask(ipc::Connection& qmgr, const Options& options)
{
    TRY(send_request(qmgr, options));
    Listing listing(options.action == 'j');
    for (;;) {
        ipc::Packet packet = TRY(qmgr.receive());
        if (packet.name() == ipc::QueueItem::message_name) {
            listing.add(TRY(ipc::decode<ipc::QueueItem>(packet)));
            continue;
        }
        auto end = TRY(ipc::decode<ipc::QueueEnd>(packet));
        if ((options.action == 'p' || options.action == 'j') && end.error.empty())
            listing.finish();
        return end;
    }
}

util::Result<void> list_files(const queue::Directory& directory, bool json)
{
    Listing listing(json);
    for (queue::Place place : {queue::Place::Incoming, queue::Place::Deferred, queue::Place::Hold}) {
        for (const std::string& name : TRY(directory.list(place))) {
            if (!queue::is_queue_id(name))
                continue;
            auto items = queue::list_file(directory, place, name);
            if (!items)
                complain(0, util::concat(name, ": ", items.error().text));
            else
                for (const ipc::QueueItem& item : *items)
                    listing.add(item);
        }
    }
    listing.finish();
    return {};
}

util::Result<void> change_file(const queue::Directory& directory, char action, const std::string& id)
{
    for (queue::Place place : queue::all_places) {
        if (!directory.stat(place, id).ok())
            continue;
        if (action == 'd')
            return directory.remove(place, id);
        bool held = place == queue::Place::Hold;
        if (action == 'h')
            return held ? util::Result<void>() : directory.move(id, place, queue::Place::Hold);
        if (held)
            return directory.move(id, place, queue::Place::Incoming);
        return util::not_found("not on hold");
    }
    return util::not_found("no such message");
}

// Without qmgr.
util::Result<void> work_alone(const conf::Common& common, const Options& options)
{
    auto directory = TRY(queue::Directory::open(*common.queue_directory));
    if (options.action == 'p' || options.action == 'j')
        return list_files(directory, options.action == 'j');
    if (options.action == 'h' || options.action == 'H' || options.action == 'd')
        return change_file(directory, options.action, options.argument);
    return util::temporary("mail waits until the system is up");
}

int run(const Options& options)
{
    if (takes_id(options.action) && !queue::is_queue_id(options.argument))
        return complain(EX_USAGE, util::concat(util::printable(options.argument), " is no queue id"));
    conf::Common common;
    if (auto loaded = conf::load_common(common, options.config_directory); !loaded)
        return complain(EX_CONFIG, loaded.error().text);
    auto qmgr = ipc::Connection::connect(server::public_socket(common, "qmgr"), answer_timeout);
    if (!qmgr) {
        complain(0, util::concat("the mail system is down: ", qmgr.error().text));
        auto done = work_alone(common, options);
        return done ? EX_OK : complain(EX_UNAVAILABLE, done.error().text);
    }
    auto end = ask(*qmgr, options);
    if (!end)
        return complain(EX_UNAVAILABLE, end.error().text);
    if (!end->error.empty())
        return complain(end->error.starts_with("you may not") ? EX_NOPERM : EX_UNAVAILABLE, end->error);
    if (options.action == 's')
        util::print_out(util::concat(end->count, " messages are tried now\n"));
    return EX_OK;
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
