// ternsuper(1): the queue's maintenance: deletes, holds, releases, expires and requeues messages, checks the
// queue's files.  It asks qmgr(8); while that is down it works on the files.
#include "libqueue/queue_id.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "tools/common/queue_access.h"
#include "tools/ternsuper/options.h"
#include "tools/ternsuper/requeue.h"
#include "tools/ternsuper/structure.h"

#include <cstdio>
#include <sysexits.h>
#include <unistd.h>

namespace ternsuper {
namespace {

constexpr std::string_view usage =
    "usage: ternsuper [-psv] [-c config_directory] [-d|-e|-f|-h|-H|-r queue_id|ALL|-] ... [queue ...]\n";
constexpr std::size_t max_line = 1000;  // of standard input

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "ternsuper: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

struct Kind {
    ipc::QueueChange::Kind kind;
    std::string_view done;  // Postfix's words
};

Kind kind_of(char letter)
{
    using enum ipc::QueueChange::Kind;
    switch (letter) {
    case 'd':
        return {Remove, "Deleted"};
    case 'e':
        return {Expire, "Force-expired"};
    case 'f':
        return {ExpireRelease, "Force-expired and released"};
    case 'h':
        return {Hold, "Placed on hold"};
    case 'H':
        return {Release, "Released from hold"};
    default:
        return {Remove, "Requeued"};
    }
}

class Run {
public:
    Run(const Options& options, const conf::Common& common, tools::QueueAccess& queue)
        : options_(options), common_(common), queue_(queue)
    {
    }

    int run()
    {
        if (options_.structure || options_.purge)
            look_through();
        for (const Action& action : options_.actions)
            if (auto done = act(action); !done)
                fail(done.error());
        return status_;
    }

private:
    void fail(const util::Error& error, std::string_view about = {})
    {
        status_ = complain(tools::QueueAccess::status_of(error), util::concat(about, about.empty() ? "" : ": ", error.text));
    }

    void look_through()
    {
        auto directory = queue::Directory::open(*common_.queue_directory);
        if (!directory)
            return fail(directory.error());
        Structure structure(*directory, options_.queues != 0 ? options_.queues : queue::waiting_queues,
                            [](std::string_view text) { complain(0, text); });
        if (options_.structure)
            if (auto checked = structure.check(); !checked)
                return fail(checked.error());
        if (options_.purge)
            if (auto purged = structure.purge(); !purged)
                return fail(purged.error());
        const StructureReport& report = structure.report();
        if (options_.structure)
            complain(0, util::concat("Checked: ", report.checked, " good, ", report.damaged, " damaged, ", report.strange,
                                     " strange, ", report.unreadable, " unreadable, ", report.busy, " in delivery"));
        if (options_.purge)
            complain(0, util::concat("Purged: ", report.purged, report.purged == 1 ? " file" : " files"));
        if (report.unreadable > 0)
            status_ = EX_IOERR;
        else if (report.damaged + report.strange > 0)
            status_ = EX_DATAERR;
    }

    util::Result<void> act(const Action& action)
    {
        Kind kind = kind_of(action.letter);
        count_ = 0;
        util::Result<void> done;
        if (action.id == "-")
            done = act_on_input(action.letter);
        else if (action.id == "ALL")
            done = act_on_all(action.letter);
        else
            act_on(action.letter, action.id);
        if (count_ > 0)
            complain(0, util::concat(kind.done, ": ", count_, count_ == 1 ? " message" : " messages"));
        return done;
    }

    util::Result<void> act_on_all(char letter)
    {
        if (letter != 'r') {
            ipc::QueueChange order;
            order.all = true;
            order.kind = kind_of(letter).kind;
            order.queues = options_.queues;
            count_ = TRY(queue_.change(order));
            return {};
        }
        std::vector<std::string> ids;
        TRY(queue_.list(
            options_.queues != 0 ? options_.queues : queue::waiting_queues,
            [&](const ipc::QueueItem& item) {
                if (!item.continued)
                    ids.push_back(item.queue_id);
            },
            [](std::string_view text) { complain(0, text); }));
        for (const std::string& id : ids)
            act_on(letter, id);
        return {};
    }

    util::Result<void> act_on_input(char letter)
    {
        std::string pending;
        for (;;) {
            char buffer[16 * 1024];
            std::size_t got = TRY(util::sys::read(STDIN_FILENO, buffer));
            pending.append(buffer, got);
            std::size_t start = 0;
            for (std::size_t end; (end = pending.find('\n', start)) != std::string::npos; start = end + 1)
                act_on_line(letter, std::string_view(pending).substr(start, end - start));
            pending.erase(0, start);
            if (pending.size() > max_line)
                return util::invalid("a line of standard input is too long");
            if (got == 0) {
                act_on_line(letter, pending);
                return {};
            }
        }
    }

    void act_on_line(char letter, std::string_view line)
    {
        std::string id(util::trim(line));
        if (id.empty())
            return;
        if (queue::is_queue_id(id))
            act_on(letter, id);
        else
            status_ = complain(EX_DATAERR, util::concat(util::printable(id, 60), " is no queue id"));
    }

    void act_on(char letter, const std::string& id)
    {
        auto done = letter == 'r' ? requeue(id) : change(letter, id);
        if (!done)
            return fail(done.error(), id);
        ++count_;
        if (options_.verbose)
            complain(0, util::concat(id, ": ", kind_of(letter).done, *done));
    }

    // What else there is to say.
    util::Result<std::string> change(char letter, const std::string& id)
    {
        ipc::QueueChange order;
        order.queue_id = id;
        order.kind = kind_of(letter).kind;
        order.queues = options_.queues;
        TRY(queue_.change(order));
        return std::string();
    }

    util::Result<std::string> requeue(const std::string& id)
    {
        if (!requeuer_)
            requeuer_.emplace(TRY(Requeuer::open(common_, queue_)));
        return util::concat(" as ", TRY(requeuer_->requeue(id, options_.queues)));
    }

    const Options& options_;
    const conf::Common& common_;
    tools::QueueAccess& queue_;
    std::optional<Requeuer> requeuer_;
    std::uint64_t count_ = 0;
    int status_ = EX_OK;
};

int run(int argc, char** argv)
{
    auto options = parse_options(argc, argv);
    if (!options) {
        complain(0, options.error().text);
        std::fputs(usage.data(), stderr);
        return EX_USAGE;
    }
    if (options->config_directory.empty())
        options->config_directory = conf::built_in_config_directory;
    conf::Common common;
    if (auto loaded = conf::load_common(common, options->config_directory); !loaded)
        return complain(EX_CONFIG, loaded.error().text);
    auto queue = tools::QueueAccess::open(common, [](std::string_view text) { complain(0, text); });
    if (!queue)
        return complain(tools::QueueAccess::status_of(queue.error()), queue.error().text);
    return Run(*options, common, *queue).run();
}

}  // namespace
}  // namespace ternsuper

int main(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("ternsuper");
    return ternsuper::run(argc, argv);
}
