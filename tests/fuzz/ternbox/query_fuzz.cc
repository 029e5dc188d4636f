// Queries of ternbox: lines are the words.  What is made fits a line of IMAP.
#include "libutil/check.h"
#include "libutil/text.h"
#include "tools/ternbox/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::vector<std::string> words;
    for (auto line : util::split({reinterpret_cast<const char*>(data), size}, '\n'))
        words.emplace_back(line);
    auto query = ternbox::parse_query(words, 1'764'500'000);
    if (!query.ok())
        return 0;
    CHECK(!query->program.empty() && query->program.size() <= ternbox::max_query_size);
    CHECK(query->program.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    return 0;
}
