// A letter's lines come out the same in whatever pieces they come.
#include "errands/letter.h"
#include "libutil/check.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (bool quote : {false, true}) {
        std::string whole, pieces;
        errands::LetterFilter at_once(quote), bytewise(quote);
        at_once.feed(bytes, whole);
        at_once.finish(whole);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytewise.feed(bytes.substr(i, 1), pieces);
        bytewise.finish(pieces);
        CHECK(whole == pieces);
        CHECK(whole.find("\r\n") == std::string::npos || bytes.find("\r\r\n") != std::string_view::npos || bytes.ends_with('\r'));
        CHECK(bytes.empty() || (!whole.empty() && whole.back() == '\n'));
        if (quote)
            CHECK(!whole.starts_with("From ") && whole.find("\nFrom ") == std::string::npos);
    }
    return 0;
}
