// Any bytes in any pieces: the framer cuts them the same way, and the scanner reads what it cut.
#include "imapd/engine/append_arguments.h"
#include "imapd/engine/fetch_items.h"
#include "imapd/engine/resync.h"
#include "imapd/engine/search_keys.h"
#include "imapd/engine/sort_keys.h"
#include "imapd/engine/url_content.h"
#include "imapd/engine/url_fetch.h"
#include "imapd/syntax/framer.h"
#include "imapd/syntax/imap_url.h"
#include "imapd/syntax/scanner.h"
#include "libutil/check.h"
#include "libutil/text.h"

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
        if (imapd::engine::parse_fetch_items(fetch, true).ok())
            (void)imapd::engine::parse_fetch_modifiers(fetch, true);
    Scanner search(rest);
    imapd::engine::SearchArguments found;
    found.uid_bounds = true;
    (void)imapd::engine::parse_search(search, found);
    Scanner sort(rest);
    if (imapd::engine::parse_search_return(sort, found).ok() && imapd::engine::parse_sort_criteria(sort).ok() &&
        sort.skip(' '))
        (void)imapd::engine::parse_search_program(sort, found);
    for (bool replace : {false, true}) {
        Scanner whole(command);
        imapd::engine::LiteralUse use{};
        if (whole.tag().ok() && whole.skip(' ') && whole.atom().ok())
            (void)imapd::engine::parse_append(whole, replace, rest.size() % 8, replace ? &use : nullptr);
    }
    if (auto url = imapd::syntax::parse_message_url(rest); url.ok()) {
        CHECK(url->uid != 0 && rest.size() <= imapd::syntax::max_url_length);
        CHECK(url->server ? !url->server->host.empty() && url->server->port != 0 && !url->mailbox.empty() : !url->access);
        CHECK(!url->expires || url->access);
        if (url->access) {
            // Behind the rump there is the token and nothing else.
            auto tail = rest.substr(url->access->rump);
            CHECK(url->access->mechanism.empty() ? tail.empty()
                                                 : tail == util::concat(":", url->access->mechanism, ":", url->access->token));
            CHECK(url->access->token.empty() == url->access->mechanism.empty());
        }
        (void)imapd::engine::parse_url_section(url->section);
    }
    if (Scanner urls(command); urls.tag().ok() && urls.skip(' ') && urls.atom().ok())
        if (auto requests = imapd::engine::parse_url_fetch(urls); requests.ok())
            for (const auto& request : *requests) {
                // What is said for it to another process means the same there.
                auto again = imapd::engine::url_fetch_text(request);
                Scanner second(again);
                CHECK(second.skip_word("URLFETCH"));
                auto read = imapd::engine::parse_url_fetch(second);
                CHECK(read.ok() && read->size() == 1 && read->front().url == request.url &&
                      read->front().content == request.content && read->front().structure == request.structure);
            }
    Scanner utf8(rest, imapd::syntax::Form::Utf8);
    if (utf8.mailbox().ok())
        (void)imapd::engine::parse_select_parameters(utf8);
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
