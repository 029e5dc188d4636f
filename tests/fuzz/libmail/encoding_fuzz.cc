// Transfer encodings, mailbox names, charsets, case folding.
#include "libmail/casefold.h"
#include "libmail/charset.h"
#include "libmail/encoding.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    (void)mail::decode_base64_lenient(input);
    (void)mail::decode_quoted_printable(input);
    CHECK(mail::decode_base64_lenient(mail::encode_base64_lines(input)) == input);
    CHECK(mail::decode_base64_lenient(input, 5).size() <= 5);
    if (input.find('\n') == std::string_view::npos)
        CHECK(mail::decode_quoted_printable(mail::encode_quoted_printable(input)) == input);
    // One name, one form.
    if (auto name = mail::decode_modified_utf7(input); name.ok())
        CHECK(mail::encode_modified_utf7(*name) == input);
    if (util::is_utf8(input))
        CHECK(*mail::decode_modified_utf7(mail::encode_modified_utf7(input)) == input);
    for (std::string_view charset : {"utf-8", "us-ascii", "iso-8859-15", "utf-16", "utf-16le", "utf-7", "koi8-r", "unknown"})
        CHECK(util::is_utf8(mail::to_utf8(input, charset)));
    // A broken character, shift or escape takes no line end with it.
    auto lines = std::count(input.begin(), input.end(), '\n');
    for (std::string_view charset : {"gb18030", "big5", "uhc", "shift_jis", "euc-jp", "iso-2022-jp", "iso-2022-kr"}) {
        std::string text = mail::to_utf8(input, charset);
        CHECK(util::is_utf8(text));
        CHECK(std::count(text.begin(), text.end(), '\n') == lines);
    }
    auto [charset, text] = util::split_first(input, '\n');
    CHECK(util::is_utf8(mail::to_utf8(text, charset)));
    std::string folded = mail::fold_case(input);
    CHECK(mail::collation_key(input).size() == folded.size());
    CHECK(mail::contains_folded(input, folded));
    return 0;
}
