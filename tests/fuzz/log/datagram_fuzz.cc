// Any datagram from a process of the suite: it becomes one line, or is refused.
#include "log/format.h"

#include "libutil/text.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto line = logger::parse_datagram(bytes);
    if (!line.ok())
        return 0;
    logger::Formatter formatter("host");
    for (bool json : {false, true}) {
        std::string out;
        if (json)
            formatter.json(out, *line, util::from_unix_seconds(0));
        else
            formatter.text(out, *line, util::from_unix_seconds(0));
        CHECK(std::ranges::count(out, '\n') == 1 && out.back() == '\n');
        CHECK(!json || util::is_utf8(out));
    }
    CHECK(!logger::Formatter::syslog(*line, 16).empty());
    return 0;
}
