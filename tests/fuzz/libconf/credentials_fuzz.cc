// The credentials file: what is read can be written again.
#include "libconf/credentials_file.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string text(conf::credentials_version_line);
    text.append(reinterpret_cast<const char*>(data), size);
    auto all = conf::parse_credentials(text);
    if (all.ok()) {
        auto again = conf::format_credentials(*all);
        CHECK(again.ok() && *again == text);
    }
    return 0;
}
