// The file of last uses: what is read is written back as the same.
#include "libconf/last_uses_file.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string text(conf::last_uses_version_line);
    text.append(reinterpret_cast<const char*>(data), size);
    auto uses = conf::parse_last_uses(text);
    CHECK(conf::parse_last_uses(conf::format_last_uses(uses)) == uses);
    return 0;
}
