// cidr:, regexp: and pcre: rules, and what they are asked: the first line of the input.
#include "libconf/table.h"
#include "libconf/match_list.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto [key, rules] = util::split_first(text, '\n');
    for (const char* type : {"cidr:{", "regexp:{", "pcre:{"}) {
        auto table = conf::open_table(util::concat(type, rules, '}'));
        if (table)
            (void)(*table)->lookup(key);
    }
    auto address = conf::IpAddress::parse(key);
    // No paths: a fuzzer reads no files.
    std::string_view word = rules.substr(0, 100);
    bool file = word.find('/') == 0 || word.find("!/") == 0 || word.find(":/") != std::string_view::npos;
    auto networks = conf::Networks::parse({std::string(file ? "" : word)});
    if (address && networks)
        (void)networks->contains(*address);
    return 0;
}
