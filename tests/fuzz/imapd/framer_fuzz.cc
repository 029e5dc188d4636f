// Any bytes in any pieces: the framer cuts them the same way, and the scanner reads what it cut.
#include "imapd/engine/fetch_items.h"
#include "imapd/engine/search_keys.h"
#include "imapd/syntax/framer.h"
#include "imapd/syntax/scanner.h"
#include "libutil/check.h"

#include <cstdint>

namespace {

using imapd::syntax::Framer;
using imapd::syntax::Scanner;

void read_arguments(std::string_view command)
{
    Scanner scanner(command);
    if (!scanner.tag().ok() || !scanner.space().ok() || !scanner.atom().ok() || !scanner.space().ok())
        return;
    auto rest = scanner.rest();
    (void)Scanner(rest).mailbox();
    (void)Scanner(rest).list_mailbox();
    (void)Scanner(rest).astring();
    Scanner fetch(rest);
    if (fetch.sequence_set().ok() && fetch.skip(' '))
        (void)imapd::engine::parse_fetch_items(fetch, false);
    Scanner search(rest);
    (void)imapd::engine::parse_search(search);
}

// What was cut, as text.
std::string cut(std::string_view bytes, std::size_t piece)
{
    Framer framer({.line = 300, .skip = 1000});
    std::string out;
    while (!bytes.empty()) {
        framer.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (;;) {
            auto event = framer.next();
            if (event == Framer::Event::NeedInput)
                break;
            out += char('0' + int(event));
            if (event == Framer::Event::Fatal)
                return out;
            if (event == Framer::Event::Literal) {
                if (framer.literal().size <= 200)
                    framer.accept_literal();
                else if (!framer.refuse_literal())
                    return out;
                continue;
            }
            if (event == Framer::Event::Command) {
                out += framer.command();
                CHECK(framer.command().size() <= 300 + 200 * 100);
                read_arguments(framer.command());
            }
            framer.release();
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (size > 20'000)
        return 0;
    auto at_once = cut(bytes, bytes.size() + 1);
    CHECK(cut(bytes, 1) == at_once);
    CHECK(cut(bytes, 7) == at_once);
    return 0;
}
