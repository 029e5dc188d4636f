// Content decoding: the same whatever the pieces are, and never a line end but CRLF.
#include "libutil/check.h"
#include "smtpd/content.h"

#include <algorithm>

namespace {

struct Result {
    std::string out;
    std::size_t used = 0;
    bool done = false;
    bool operator==(const Result&) const = default;
};

Result decode(std::string_view input, smtpd::ContentRules rules, std::size_t step)
{
    smtpd::DataDecoder decoder(rules);
    Result result;
    while (result.used < input.size() && !decoder.done())
        result.used += decoder.decode(input.substr(result.used, step), result.out);
    result.done = decoder.done();
    return result;
}

void check_lines(std::string_view out)
{
    for (std::size_t i = 0; i < out.size(); ++i) {
        CHECK(out[i] != '\n' || (i > 0 && out[i - 1] == '\r'));
        CHECK(out[i] != '\r' || (i + 1 < out.size() && out[i + 1] == '\n'));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0)
        return 0;
    std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    smtpd::ContentRules rules{.bare_newline = smtpd::BareNewline(data[0] & 3), .replace_stray_cr = true};
    Result whole = decode(input, rules, input.size() + 1);
    CHECK(whole == decode(input, rules, 1));
    CHECK(whole == decode(input, rules, 3));
    check_lines(whole.out);
    // An end that is not CRLF.CRLF is one only for those who asked for it.
    if (whole.done && rules.bare_newline != smtpd::BareNewline::No) {
        std::string_view taken = input.substr(0, whole.used);
        CHECK(taken == ".\r\n" || taken.ends_with("\r\n.\r\n"));
    }
    smtpd::ChunkDecoder one(rules), two(rules);
    std::string a, b;
    one.decode(input, a);
    for (std::size_t i = 0; i < input.size(); ++i)
        two.decode(input.substr(i, 1), b);
    one.finish(a);
    two.finish(b);
    CHECK(a == b);
    check_lines(a);
    return 0;
}
