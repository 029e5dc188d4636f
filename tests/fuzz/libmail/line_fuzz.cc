// Line codecs: pieces give what the whole gives, and what was stuffed comes back.
#include "libmail/line.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

namespace {

std::string read_dots(std::string_view input, mail::BareLineEnds bare, std::size_t step, std::size_t& used, bool& finished)
{
    mail::DotReader reader(bare);
    std::string out;
    used = 0;
    while (used < input.size() && !reader.finished())
        used += reader.feed(input.substr(used, step), out);
    finished = reader.finished();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    std::size_t step = data[0] % 16 + 1;
    std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
    for (auto bare : {mail::BareLineEnds::Keep, mail::BareLineEnds::Normalize}) {
        std::size_t used = 0, used_whole = 0;
        bool finished = false, finished_whole = false;
        std::string pieces = read_dots(input, bare, step, used, finished);
        std::string whole = read_dots(input, bare, input.size() + 1, used_whole, finished_whole);
        CHECK(pieces == whole && used == used_whole && finished == finished_whole);
        // The end is CRLF.CRLF, and nothing before `used` is.
        std::size_t end = input.starts_with(".\r\n") ? 3 : input.find("\r\n.\r\n");
        CHECK(finished == (end != std::string_view::npos));
        CHECK(!finished || used == (end == 3 && input.starts_with(".\r\n") ? 3 : end + 5));
    }
    mail::DotWriter writer;
    std::string wire;
    for (std::size_t at = 0; at < input.size(); at += step)
        writer.feed(input.substr(at, step), wire);
    writer.finish(wire);
    std::size_t used = 0;
    bool finished = false;
    std::string back = read_dots(wire, mail::BareLineEnds::Keep, step, used, finished);
    CHECK(finished && used == wire.size());
    CHECK(back == input || back == util::concat(input, "\r\n"));

    for (bool bare_cr : {false, true}) {
        mail::CrlfWriter pieces(bare_cr), whole(bare_cr);
        std::string a, b;
        for (std::size_t at = 0; at < input.size(); at += step)
            pieces.feed(input.substr(at, step), a);
        pieces.finish(a);
        whole.feed(input, b);
        whole.finish(b);
        CHECK(a == b);
        CHECK(a.empty() || a.ends_with("\r\n"));
    }
    return 0;
}
