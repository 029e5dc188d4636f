// The command line of ternmap(1): postmap's letters.
#include "libutil/text.h"
#include "tools/ternmap/map.h"

#include <unistd.h>

namespace ternmap {

namespace {

// A person may name a file by where it is from here; parameters may not.
std::string with_whole_path(std::string_view table)
{
    static constexpr std::string_view with_files[] = {"hash",   "btree",  "lmdb", "texthash",
                                                      "accounts", "cidr", "pcre", "regexp"};
    auto [type, what] = util::split_first(table, ':');
    bool file = false;
    for (std::string_view known : with_files)
        file = file || type == known;
    char here[4096];
    if (!file || what.empty() || what.front() == '/' || what.front() == '{' || !::getcwd(here, sizeof here))
        return std::string(table);
    return util::concat(type, ':', here, '/', what);
}

}  // namespace

util::Result<Options> parse_options(int count, char** words)
{
    Options options;
    using What = Options::What;
    int letter, modes = 0;
    optind = 1;
    opterr = 0;
    while ((letter = ::getopt(count, words, ":ad:fiq:rsw")) != -1) {
        switch (letter) {
        case 'a': options.aliases = true; break;
        case 'd': options.what = What::Delete; options.key = optarg; ++modes; break;
        case 'f': options.keep_case = true; break;
        case 'i': options.what = What::Add; ++modes; break;
        case 'q': options.what = What::Query; options.key = optarg; ++modes; break;
        case 'r': options.replace = true; break;
        case 's': options.what = What::List; ++modes; break;
        case 'w': options.quiet = true; break;
        case ':': return util::invalid(util::concat("-", char(optopt), " wants a word after it"));
        default: return util::invalid(util::concat("unknown option -", char(optopt)));
        }
    }
    for (int i = optind; i < count; ++i)
        options.tables.push_back(with_whole_path(words[i]));
    if (modes > 1)
        return util::invalid("only one of -d, -i, -q and -s can be given");
    if (options.tables.empty())
        return util::invalid("no table is named");
    return options;
}

std::string usage()
{
    return "usage: ternmap [-afrw] type:path ...\n"
           "       ternmap -i [-afrw] type:path ... < text\n"
           "       ternmap -q key | -q - type:name ...\n"
           "       ternmap -d key | -d - [-f] type:path ...\n"
           "       ternmap -s type:path ...\n";
}

}  // namespace ternmap
