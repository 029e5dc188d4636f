// The text of tables, in both forms, and inline tables.
#include "libconf/table.h"
#include "libconf/text_table.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (auto form : {conf::TextForm::Map, conf::TextForm::Alias}) {
        conf::Problems problems;
        conf::read_text_table(text, "table", form, [](conf::TextEntry entry) {
            CHECK(!entry.key.empty() && !entry.value.empty() && entry.line > 0);
        }, problems);
    }
    for (const char* type : {"inline:{", "unionmap:{", "pipemap:{static:", "static:"}) {
        auto table = conf::open_table(util::concat(type, text, type[0] == 's' ? "" : "}"));
        if (table)
            (void)(*table)->lookup("key");
    }
    (void)conf::open_table(text);
    return 0;
}
