// A whole message: the MIME tree's offsets, rendering, sections, header values.
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstdint>

namespace {

void check_tree(std::string_view message, const mail::MimeTreeView& tree)
{
    CHECK(tree.root().header == 0 && tree.root().end == message.size());
    for (std::uint32_t i = 0; i < tree.parts.size(); ++i) {
        const mail::Part& part = tree.parts[i];
        CHECK(part.header <= part.body && part.body <= part.end && part.end <= message.size());
        CHECK(part.body_lines == mail::count_lines(message.substr(part.body, part.end - part.body)));
        std::size_t at = part.body;
        for (std::uint32_t child = part.first_child; child != mail::Part::none; child = tree.parts[child].next_sibling) {
            CHECK(child > i && tree.parts[child].parent == i);
            CHECK(tree.parts[child].header >= at && tree.parts[child].end <= part.end);
            at = tree.parts[child].end;
        }
        CHECK(part.kind != mail::Part::Kind::Message || part.first_child != mail::Part::none);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view message(reinterpret_cast<const char*>(data), size);
    mail::MimeTreeView tree = mail::parse_mime(message);
    check_tree(message, tree);
    mail::RenderedMessage rendered = mail::render_message(message);
    CHECK(util::is_utf8(rendered.preview));
    CHECK(rendered.header_size == mail::header_size(message));
    for (std::string_view name : {"", "HEADER", "TEXT", "1", "1.MIME", "1.1.HEADER", "2.TEXT", "1.2.1"})
        if (auto content = mail::section_content(message, tree, *mail::parse_section(name)))
            CHECK(content->size() <= size);
    for (const mail::Part& part : tree.parts)
        (void)mail::decoded_content(message, part);

    mail::HeaderReader reader(message);
    mail::FieldView field;
    while (reader.next(field)) {
        CHECK(util::is_utf8(mail::decode_header_text(field.value)));
        (void)mail::message_ids(field.value, 10);
    }
    return 0;
}
