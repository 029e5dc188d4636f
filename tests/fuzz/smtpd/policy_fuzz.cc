// The policy delegation protocol: an answer becomes one line or an error, an argument a server or an error.
#include "libutil/check.h"
#include "libutil/text.h"
#include "smtpd/access.h"
#include "smtpd/policy_protocol.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (auto action = smtpd::parse_policy_answer(input); action.ok()) {
        CHECK(!action->empty());
        CHECK(util::is_utf8(*action));
        CHECK(std::none_of(action->begin(), action->end(),
                           [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }));
        (void)smtpd::parse_access(*action);
    }
    if (auto spec = smtpd::parse_policy_spec(input); spec.ok())
        CHECK(spec->local ? !spec->path.empty() : !spec->port.empty());
    smtpd::PolicyRequest request;
    request.add("recipient", input);
    std::string text = request.take();
    CHECK(std::count(text.begin(), text.end(), '\n') == 2 && text.ends_with("\n\n"));
    return 0;
}
