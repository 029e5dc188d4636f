// What ternmap(1) does with tables.
#pragma once

#include "libconf/index.h"
#include "libconf/text_table.h"
#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace ternmap {

struct Options {
    enum class What : unsigned char { Build, Add, Query, Delete, List };

    What what = What::Build;
    std::string key;            // of -q and -d; "-": keys come from standard input, one a line
    bool replace = false;       // -r: a second entry of a key replaces the first
    bool quiet = false;         // -w: no warning about it
    bool keep_case = false;     // -f: keys keep their case
    bool aliases = false;       // -a: "name: value" text
    std::vector<std::string> tables;  // type:path
};

// Invalid: a text for a usage message.
util::Result<Options> parse_options(int count, char** words);
std::string usage();

// Output and warnings of a run; `found` is false when a query or deletion found nothing.
struct Outcome {
    std::string out;
    std::vector<std::string> warnings;
    bool found = true;
};

// Makes the index of the text table at the path in "hash:/path", anew or with -i on top of what is
// there from `input`.
util::Result<Outcome> build(const Options& options, std::string_view table, std::string_view input);
util::Result<Outcome> query(const Options& options, std::string_view input);
util::Result<Outcome> remove(const Options& options, std::string_view table, std::string_view input);
util::Result<Outcome> list(std::string_view table);

}  // namespace ternmap
