// The logins file: what is read is written back as the same.  And app passwords' secrets as clients send them.
#include "libconf/logins_file.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto all = conf::parse_logins(util::concat(conf::logins_version_line, bytes));
    if (all.ok()) {
        auto written = conf::format_logins(*all);
        CHECK(written.ok());
        auto again = conf::parse_logins(*written);
        CHECK(again.ok() && *again == *all);
        for (const auto& entry : *all)
            (void)entry.second.limits.why_not("imap", "192.0.2.1");
    }
    std::string secret = conf::app_secret(bytes);
    if (!secret.empty())
        CHECK(conf::app_secret(conf::show_app_secret(secret)) == secret);
    return 0;
}
