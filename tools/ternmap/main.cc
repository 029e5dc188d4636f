// ternmap(1): makes the index files of lookup tables, and asks tables.
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternmap/map.h"

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>

namespace ternmap {

namespace {

constexpr std::size_t max_input = 100'000'000;  // bytes of standard input

void complain(std::string_view text)
{
    (void)util::sys::write_all(STDERR_FILENO, util::concat("ternmap: ", text, '\n'));
}

util::Result<Outcome> run_one(const Options& options, std::string_view table, std::string_view input)
{
    using What = Options::What;
    switch (options.what) {
    case What::Build:
    case What::Add: return build(options, table, input);
    case What::Delete: return remove(options, table, input);
    case What::List: return list(table);
    case What::Query: break;
    }
    return query(options, input);
}

bool report(const util::Result<Outcome>& outcome)
{
    if (!outcome) {
        complain(outcome.error().text);
        return false;
    }
    for (const std::string& warning : outcome->warnings)
        complain(warning);
    util::print_out(outcome->out);
    return outcome->found;
}

int run(const Options& options)
{
    std::string input;
    if (options.what == Options::What::Add || options.key == "-") {
        auto read = util::sys::read_fd(STDIN_FILENO, max_input);
        if (!read) {
            complain(read.error().text);
            return EXIT_FAILURE;
        }
        input = read.take();
    }
    bool good = true;
    if (options.what == Options::What::Query)
        return report(query(options, input)) ? EX_OK : EXIT_FAILURE;
    for (const std::string& table : options.tables)
        good = report(run_one(options, table, input)) && good;
    return good ? EX_OK : EXIT_FAILURE;
}

}  // namespace

}  // namespace ternmap

int main(int count, char** words)
{
    util::open_standard_fds();
    ::umask(022);
    auto options = ternmap::parse_options(count, words);
    if (!options) {
        (void)util::sys::write_all(STDERR_FILENO, util::concat("ternmap: ", options.error().text, '\n', ternmap::usage()));
        return EX_USAGE;
    }
    return util::end_output("ternmap", ternmap::run(*options));
}
