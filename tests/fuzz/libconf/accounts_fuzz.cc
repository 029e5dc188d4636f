// The public accounts file: what is read is written back as the same accounts.
#include "libconf/accounts_file.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto accounts = conf::parse_accounts(text);
    if (accounts) {
        auto written = conf::format_accounts(*accounts);
        CHECK(written.ok());
        auto again = conf::parse_accounts(*written);
        CHECK(again.ok() && *again == *accounts);
    }
    auto account = conf::parse_account_line(text.substr(0, text.find('\n')));
    if (account && !account->address.starts_with('@')) {
        auto line = conf::format_account_line(*account);
        CHECK(line.ok());
        CHECK(*conf::parse_account_line(*line) == *account);
    }
    return 0;
}
