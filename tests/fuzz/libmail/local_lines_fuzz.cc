// A message's lines come out the same in whatever pieces they come.
#include "libmail/local_form.h"
#include "libutil/check.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (unsigned bits = 0; bits < 4; ++bits) {
        mail::LocalForm form;
        form.quote_from = bits & 1;
        form.stuff_dots = bits & 2;
        std::string whole, pieces;
        mail::LocalLines at_once(form), bytewise(form);
        at_once.feed(bytes, whole);
        at_once.finish(whole);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytewise.feed(bytes.substr(i, 1), pieces);
        bytewise.finish(pieces);
        CHECK(whole == pieces);
        CHECK(whole.find("\r\n") == std::string::npos || bytes.find("\r\r\n") != std::string_view::npos ||
              bytes.ends_with('\r'));
        CHECK(bytes.empty() || (!whole.empty() && whole.back() == '\n'));
        if (form.quote_from)
            CHECK(!whole.starts_with("From ") && whole.find("\nFrom ") == std::string::npos);
        if (form.stuff_dots) {
            CHECK(!whole.starts_with(".") || whole.starts_with(".."));
            for (std::size_t at = 0; (at = whole.find("\n.", at)) != std::string::npos; ++at)
                CHECK(whole.compare(at, 3, "\n..") == 0);
        }
    }
    return 0;
}
