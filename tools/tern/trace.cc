// tern trace and tern tail.
#include "tools/tern/trace.h"

#include "libqueue/queue_id.h"
#include "libutil/standard_fds.h"
#include "libutil/time.h"
#include "tools/common/log_files.h"
#include "tools/common/queue_access.h"
#include "tools/tern/start.h"
#include "tools/tern/trace_report.h"

#include <climits>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

namespace tern {

namespace {

constexpr std::string_view trace_usage =
    "usage: tern [-c directory] trace [-j] [-n messages] [-S since] [-U until] [-F file] ... address|queue-id|message-id|time\n";
constexpr std::uint64_t max_messages = 10'000;

struct TraceOptions {
    TraceQuestion question;
    bool json = false;
    std::vector<std::string> files;
};

util::Result<TraceQuestion> parse_question(std::string_view word, std::int64_t now)
{
    TraceQuestion question;
    if (queue::is_queue_id(word)) {
        question.queue_id = word;
        return question;
    }
    if (word.find('@') != std::string_view::npos) {
        bool bracketed = word.front() == '<' && word.back() == '>';
        question.address = bracketed ? word.substr(1, word.size() - 2) : word;
        return question;
    }
    auto time = tools::parse_time_words(word, now);
    if (!time)
        return util::invalid(util::concat(util::printable(word, 100), " is neither address, queue id, message-id nor time"));
    question.time = *time;
    return question;
}

util::Result<TraceOptions> parse(int count, char** words)
{
    TraceOptions options;
    std::int64_t now = util::wall_now().time_since_epoch().count();
    TraceQuestion limits;
    constexpr int json = 1000;
    const option long_options[] = {{"json", no_argument, nullptr, json}, {}};
    optind = 0;  // a second command line
    opterr = 0;
    int letter;
    while ((letter = ::getopt_long(count, words, ":jn:S:U:F:", long_options, nullptr)) != -1) {
        switch (letter) {
        case json:
        case 'j':
            options.json = true;
            break;
        case 'n':
            limits.limit =
                static_cast<std::size_t>(std::max<std::uint64_t>(1, TRY(util::parse_unsigned(optarg, max_messages))));
            break;
        case 'S':
            limits.since = TRY(tools::parse_time_words(optarg, now)).from;
            break;
        case 'U':
            limits.until = TRY(tools::parse_until(optarg, now));
            break;
        case 'F':
            options.files.emplace_back(optarg);
            break;
        case ':':
            return util::invalid(util::concat('-', char(optopt), " wants a word after it"));
        default:
            return util::invalid("unknown option");
        }
    }
    if (optind + 1 != count)
        return util::invalid("trace takes one address, queue id, message-id or time");
    options.question = TRY(parse_question(words[optind], now));
    options.question.limit = limits.limit;
    options.question.since = limits.since;
    options.question.until = limits.until;
    return options;
}

util::Result<void> read_all(Tracer& tracer, const std::vector<std::string>& files)
{
    tools::LogLine parsed;
    std::string storage;
    do {
        for (const std::string& file : files)
            TRY(tools::read_log_file(file, [&](std::string_view line) {
                if (tools::parse_log_line(line, parsed, storage))
                    tracer.line(parsed);
                return true;
            }));
    } while (tracer.end_pass());
    return {};
}

// Those of the ids that are in the queue; nothing when that cannot be known.
std::optional<QueuedStates> find_queued(const conf::Common& common, std::vector<std::string> ids)
{
    QueuedStates states;
    if (ids.empty())
        return states;
    auto complaint = [](std::string_view text) { complain(0, text); };
    auto queue = tools::QueueAccess::open(common, complaint);
    if (!queue) {
        complain(0, util::concat("what is in the queue cannot be known: ", queue.error().text));
        return {};
    }
    auto listed = queue->list(
        queue::all_queues, [&](const ipc::QueueItem& item) {
            QueuedState& state = states[item.queue_id];
            if (!item.continued)
                state.item = item;
            state.recipients.insert(state.recipients.end(), item.recipients.begin(), item.recipients.end());
        },
        complaint, std::move(ids));
    if (!listed) {
        complain(0, util::concat("what is in the queue cannot be known: ", listed.error().text));
        return {};
    }
    return states;
}

int report(const Tracer& tracer, const conf::Common& common, const TraceOptions& options)
{
    auto messages = tracer.messages();
    std::vector<std::string> ids;
    for (const TracedMessage* message : messages)
        ids.push_back(message->id);
    // A message whose lines are gone with an old log may still wait.
    if (ids.empty() && !options.question.queue_id.empty())
        ids.push_back(options.question.queue_id);
    auto queued = find_queued(common, ids);
    TracedMessage unlogged;
    unlogged.id = options.question.queue_id;
    if (messages.empty() && queued && queued->contains(unlogged.id))
        messages.push_back(&unlogged);
    for (const TraceEvent& refusal : tracer.refusals())
        util::print_out(options.json ? refusal_to_json(refusal) : refusal_to_text(refusal));
    for (const TracedMessage* message : messages) {
        const QueuedState* state = nullptr;
        if (queued)
            if (auto found = queued->find(message->id); found != queued->end())
                state = &found->second;
        bool known = queued.has_value();
        util::print_out(options.json ? trace_to_json(*message, state, known) : trace_to_text(*message, state, known));
    }
    if (tracer.left_out() > 0)
        complain(0, util::concat(tracer.left_out(), " older messages are left out (-n, -S and -U choose)"));
    if (messages.empty() && tracer.refusals().empty())
        return complain(EX_UNAVAILABLE, "neither the log nor the queue knows of that");
    return EX_OK;
}

}  // namespace

int trace(const std::string& config_directory, int count, char** words)
{
    auto options = parse(count, words);
    if (!options) {
        complain(0, options.error().text);
        print(STDERR_FILENO, trace_usage);
        return EX_USAGE;
    }
    conf::Common common;
    if (auto loaded = conf::load_common(common, config_directory); !loaded)
        return complain(EX_CONFIG, loaded.error().text);
    std::vector<std::string> skipped;
    if (options->files.empty()) {
        if (common.maillog_file->empty())
            return complain(EX_CONFIG, "maillog_file is not set: the log is the system's; name its file with -F");
        auto found = tools::find_log_files(*common.maillog_file, skipped);
        if (!found)
            return complain(EX_NOINPUT, found.error().text);
        options->files = found.take();
    }
    for (const std::string& file : skipped)
        complain(0, util::concat(file, " is compressed, and left out"));
    Tracer tracer(options->question);
    if (auto read = read_all(tracer, options->files); !read)
        return complain(EX_NOINPUT, read.error().text);
    return report(tracer, common, *options);
}

// ternlog(1) does it.
int tail(const std::string& config_directory, int count, char** words)
{
    char path[PATH_MAX];
    ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    std::string_view whole(path, length > 0 && length < PATH_MAX ? static_cast<std::size_t>(length) : 0);
    std::string program = util::concat(whole.substr(0, whole.rfind('/') + 1), "ternlog");
    std::vector<std::string> arguments = {"ternlog", "-c", config_directory, "-n", "10"};
    arguments.insert(arguments.end(), words + 1, words + count);
    std::vector<char*> pointers;
    for (std::string& argument : arguments)
        pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(program.c_str(), pointers.data());
    return complain(EX_OSFILE, util::system_error(program, errno).text);
}

}  // namespace tern
