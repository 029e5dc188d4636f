// main.cf: lines, macros, words, values of every type.
#include "libconf/common.h"
#include "libconf/expand.h"
#include "libconf/words.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    conf::Problems problems;
    auto settings = conf::MainCf::parse(text, "main.cf", "/etc/tern", problems);
    conf::Common common;
    settings.fill({&common}, problems);
    for (const auto& [name, setting] : settings.settings()) {
        CHECK(conf::is_parameter_name(name));
        auto expanded = settings.expand(setting.value);
        CHECK(!expanded || expanded->size() <= conf::max_expanded_length);
        (void)conf::mentioned_names(setting.value);
        (void)conf::parse_words(setting.value, conf::list_separators, true);
    }
    (void)problems.to_text();
    return 0;
}
