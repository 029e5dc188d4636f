// Any line of a log file: it is of one of the two forms, which then say the same, or of none.
#include "tools/common/log_line.h"

#include "libutil/result.h"
#include "libutil/text.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::string storage, more;
    tools::LogLine line, again;
    (void)tools::parse_log_time(bytes);
    (void)tools::names_address(bytes, "a@b");
    if (!tools::parse_log_line(bytes, line, storage))
        return 0;
    (void)tools::log_field(line.rest, "to");
    CHECK(line.text.ends_with(line.rest));
    std::string text = tools::log_line_to_text(line), json = tools::log_line_to_json(line);
    CHECK(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }));
    CHECK(json.find('\n') == std::string::npos && util::is_utf8(json));
    if (json.size() <= tools::max_log_line) {
        CHECK(tools::parse_log_line(json, again, more));
        CHECK(!util::is_utf8(bytes) ||
              (again.text == line.text && again.id == line.id && again.service == line.service && again.pid == line.pid));
    }
    return 0;
}
