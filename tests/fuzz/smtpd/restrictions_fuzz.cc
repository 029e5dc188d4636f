// Lists of restrictions and answers of access tables.
#include "libutil/check.h"
#include "smtpd/access.h"
#include "smtpd/restriction_list.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    // No tables: opening one looks at the disk.
    auto list = smtpd::parse_restrictions(text, {"mine"}, false);
    CHECK(!list.ok() || list->size() <= smtpd::max_restrictions);
    auto action = smtpd::parse_access(text);
    CHECK(action.code == 0 || (action.code >= 400 && action.code < 600));
    CHECK(action.text.size() <= text.size());
    for (const auto& keys : {smtpd::domain_keys(text, smtpd::Parents::ByDot), smtpd::address_keys(text),
                             smtpd::mail_keys({std::string(text), "a.example"}, "+-", "<>", smtpd::Parents::Plain)})
        CHECK(!keys.empty() && keys.size() <= 2 * size + 8);
    return 0;
}
