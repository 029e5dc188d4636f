// The command line of ternsuper(1).
#include "tools/ternsuper/options.h"

#include "libqueue/change.h"
#include "libqueue/queue_id.h"
#include "libutil/text.h"

#include <algorithm>
#include <unistd.h>

namespace ternsuper {

namespace {

util::Result<void> check(const Options& options)
{
    for (const Action& action : options.actions) {
        if (action.id == "ALL" || action.id == "-" || queue::is_queue_id(action.id))
            continue;
        bool small = util::equal_nocase(action.id, "ALL");
        return util::invalid(util::concat('-', action.letter, ' ', util::printable(action.id, 60),
                                          small ? ": for all messages write ALL" : " is no queue id"));
    }
    if (std::ranges::count(options.actions, "-", &Action::id) > 1)
        return util::invalid("standard input can be read once");
    if (options.actions.empty() && !options.purge && !options.structure)
        return util::invalid("nothing to do");
    return {};
}

}  // namespace

util::Result<Options> parse_options(int count, char** words)
{
    Options options;
    int letter;
    optind = 1;
    opterr = 0;
    while ((letter = ::getopt(count, words, ":c:d:e:f:h:H:r:psv")) != -1) {
        switch (letter) {
        case 'c':
            options.config_directory = optarg;
            break;
        case 'p':
            options.purge = true;
            break;
        case 's':
            options.structure = true;
            break;
        case 'v':
            options.verbose = true;
            break;
        case ':':
            return util::invalid(util::concat('-', char(optopt), " wants a word after it"));
        case '?':
            return util::invalid(util::concat("unknown option -", char(optopt)));
        default:
            options.actions.push_back({char(letter), optarg});
        }
    }
    std::vector<std::string> names(words + optind, words + count);
    options.queues = TRY(queue::parse_queues(names));
    TRY(check(options));
    return options;
}

}  // namespace ternsuper
