// ternlog(1): lines of the mail log, by time, daemon, message, address, status, level and words; tern(1)'s tail.
#include "libconf/common.h"
#include "libqueue/queue_id.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tools/common/log_files.h"
#include "tools/common/time_words.h"
#include "tools/ternlog/filter.h"

#include <cstdio>
#include <ctime>
#include <deque>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

namespace ternlog {
namespace {

constexpr std::string_view usage =
    "usage: ternlog [-fj] [-c config_directory] [-n lines] [-S since] [-U until] [-d daemon] [-i queue_id]\n"
    "               [-a address] [-s status] [-l level] [-F file] ... [word ...]\n";
constexpr std::uint64_t max_tail = 1'000'000;
constexpr std::size_t flush_size = 64 * 1024;
constexpr std::int64_t poll_nanoseconds = 200'000'000;

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    std::vector<std::string> files;
    Filter filter;
    bool follow = false;
    bool json = false;
    std::optional<std::size_t> tail;
};

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "ternlog: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

util::Result<void> take_option(int letter, const char* value, Options& options)
{
    std::int64_t now = util::wall_now().time_since_epoch().count();
    Filter& filter = options.filter;
    switch (letter) {
    case 'c':
        options.config_directory = value;
        break;
    case 'F':
        options.files.emplace_back(value);
        break;
    case 'f':
        options.follow = true;
        break;
    case 'j':
        options.json = true;
        break;
    case 'n':
        options.tail = static_cast<std::size_t>(TRY(util::parse_unsigned(value, max_tail)));
        break;
    case 'S':
        filter.since = TRY(tools::parse_time_words(value, now)).from;
        break;
    case 'U':
        filter.until = TRY(tools::parse_until(value, now));
        break;
    case 'd':
        filter.daemons.emplace_back(value);
        break;
    case 'i':
        if (!queue::is_queue_id(value) && std::string_view(value) != "NOQUEUE")
            return util::invalid(util::concat(util::printable(value, 60), " is no queue id"));
        filter.ids.emplace_back(value);
        break;
    case 'a':
        filter.addresses.emplace_back(value);
        break;
    case 's':
        filter.statuses.emplace_back(value);
        break;
    case 'l':
        filter.levels.emplace_back(value);
        break;
    case ':':
        return util::invalid(util::concat('-', char(optopt), " wants a word after it"));
    default:
        return util::invalid(util::concat("unknown option -", char(optopt)));
    }
    return {};
}

util::Result<Options> parse(int argc, char** argv)
{
    Options options;
    opterr = 0;
    int letter;
    while ((letter = ::getopt(argc, argv, ":c:fjn:S:U:d:i:a:s:l:F:")) != -1)
        TRY(take_option(letter, optarg, options));
    for (; optind < argc; ++optind)
        options.filter.add_word(argv[optind]);
    if (options.follow && options.files.size() > 1)
        return util::invalid("-f follows one file");
    if (options.follow && !options.tail)
        options.tail = 10;
    return options;
}

class Output {
public:
    explicit Output(const Options& options) : options_(options) {}
    ~Output() { flush(); }

    void take(std::string_view line)
    {
        if (!tools::parse_log_line(line, parsed_, storage_) || !options_.filter.matches(parsed_))
            return;
        util::append(out_, options_.json ? tools::log_line_to_json(parsed_) : tools::log_line_to_text(parsed_), '\n');
        if (options_.tail && !options_.follow)
            keep_last();
        else if (out_.size() >= flush_size)
            flush();
    }
    void flush()
    {
        for (const std::string& line : last_)
            util::print_out(line);
        last_.clear();
        util::print_out(out_);
        out_.clear();
    }

private:
    // Of those that match, the last.
    void keep_last()
    {
        last_.push_back(std::move(out_));
        out_.clear();
        if (last_.size() > *options_.tail)
            last_.pop_front();
    }

    const Options& options_;
    tools::LogLine parsed_;
    std::string storage_;
    std::string out_;
    std::deque<std::string> last_;
};

util::Result<void> follow(const std::string& path, const Options& options, Output& output)
{
    auto follower = TRY(tools::LogFollower::open(path, *options.tail));
    for (;;) {
        TRY(follower.read([&](std::string_view line) { output.take(line); }));
        output.flush();
        timespec pause{0, poll_nanoseconds};
        ::nanosleep(&pause, nullptr);
    }
}

util::Result<void> show(const std::vector<std::string>& files, const Options& options)
{
    Output output(options);
    if (options.follow)
        return follow(files.back(), options, output);
    for (const std::string& file : files)
        TRY(tools::read_log_file(file, [&](std::string_view line) {
            output.take(line);
            return true;
        }));
    return {};
}

int run(Options& options)
{
    std::vector<std::string> skipped;
    if (options.files.empty()) {
        conf::Common common;
        if (auto loaded = conf::load_common(common, options.config_directory); !loaded)
            return complain(EX_CONFIG, loaded.error().text);
        if (common.maillog_file->empty())
            return complain(EX_CONFIG, "maillog_file is not set: the log is the system's; name its file with -F");
        auto found = tools::find_log_files(*common.maillog_file, skipped);
        if (!found)
            return complain(EX_NOINPUT, found.error().text);
        options.files = found.take();
    }
    for (const std::string& file : skipped)
        complain(0, util::concat(file, " is compressed, and left out"));
    auto shown = show(options.files, options);
    return shown ? EX_OK : complain(EX_NOINPUT, shown.error().text);
}

}  // namespace
}  // namespace ternlog

int main(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("ternlog");
    auto options = ternlog::parse(argc, argv);
    if (!options) {
        ternlog::complain(0, options.error().text);
        std::fputs(ternlog::usage.data(), stderr);
        return EX_USAGE;
    }
    return util::end_output("ternlog", ternlog::run(*options));
}
