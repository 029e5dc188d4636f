// Real messages: those under $TESTDATA (mime, realmail, spam), which are no part of the project.
// Without it the tests say so and pass.
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libmail/line.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tests/unit/cpu_time.h"
#include "tests/unit/suite.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>

using mail::MimeTreeView;
using mail::Part;

namespace {

void for_each_file(const std::string& path, const std::function<void(const std::string&, std::string)>& visit)
{
    auto content = util::sys::read_file(path, 64U << 20);
    if (content.ok()) {
        visit(path, content.take());
        return;
    }
    auto directory = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    auto names = directory.ok() ? util::sys::list_directory(directory->get())
                                : util::Result<std::vector<std::string>>(directory.take_error());
    if (names.ok())
        for (const std::string& name : *names)
            for_each_file(path + "/" + name, visit);
}

// Calls `visit` with every file of the corpora, as it is and with its line ends made CRLF.
std::size_t for_each_message(const std::function<void(const std::string&, std::string_view)>& visit)
{
    const char* root = std::getenv("TESTDATA");
    if (!root) {
        std::fprintf(stderr, "corpus_test: TESTDATA is not set: skipped\n");
        return 0;
    }
    std::size_t count = 0;
    for (const char* folder : {"/mime", "/realmail", "/spam", "/dsn"})
        for_each_file(std::string(root) + folder, [&](const std::string& path, std::string content) {
            mail::CrlfWriter writer;
            std::string normal;
            writer.feed(content, normal);
            writer.finish(normal);
            visit(path, content);
            visit(path, normal);
            ++count;
        });
    return count;
}

// Reads one IMAP value (list, string, NIL, number) and answers where it ends; npos if it is none.
std::size_t value_end(std::string_view text, std::size_t at, int depth)
{
    constexpr std::size_t bad = std::string_view::npos;
    if (at >= text.size() || depth > 400)
        return bad;
    if (text[at] == '"') {
        for (++at; at < text.size() && text[at] != '"'; ++at)
            if (text[at] == '\\' ? ++at >= text.size() || (text[at] != '"' && text[at] != '\\')
                                 : static_cast<unsigned char>(text[at]) >= 128 || text[at] == '\r' || text[at] == '\n')
                return bad;
        return at < text.size() ? at + 1 : bad;
    }
    if (text[at] == '{') {
        std::size_t close = text.find('}', at);
        auto size = util::parse_unsigned(text.substr(at + 1, close - at - 1));
        if (close == bad || !size.ok() || text.substr(close + 1, 2) != "\r\n" || close + 3 + *size > text.size())
            return bad;
        return text.substr(close + 3, *size).find('\0') == bad ? close + 3 + *size : bad;
    }
    if (text[at] == '(') {
        for (++at; at != bad && at < text.size() && text[at] != ')';) {
            at = value_end(text, at, depth + 1);
            if (at != bad && at < text.size() && text[at] == ' ')
                ++at;
        }
        return at < text.size() ? at + 1 : bad;
    }
    if (text.substr(at, 3) == "NIL")
        return at + 3;
    std::size_t end = at;
    while (end < text.size() && util::is_digit(text[end]))
        ++end;
    return end > at ? end : bad;
}

bool is_one_value(std::string_view text)
{
    return value_end(text, 0, 0) == text.size();
}

// Children lie within their parents, one after the other; header and body adjoin; line counts hold.
void check_tree(std::string_view message, const MimeTreeView& tree)
{
    THAT(tree.root().header == 0 && tree.root().end == message.size());
    for (std::uint32_t i = 0; i < tree.parts.size(); ++i) {
        const Part& part = tree.parts[i];
        THAT(part.header <= part.body && part.body <= part.end && part.end <= message.size());
        EQ(part.body_lines, mail::count_lines(message.substr(part.body, part.end - part.body)));
        std::size_t at = part.body;
        for (std::uint32_t child = part.first_child; child != Part::none; child = tree.parts[child].next_sibling) {
            THAT(child > i && tree.parts[child].parent == i);
            THAT(tree.parts[child].header >= at && tree.parts[child].end <= part.end);
            at = tree.parts[child].end;
        }
        if (part.kind == Part::Kind::Message) {
            const Part& inner = tree.parts[part.first_child];
            THAT(inner.header == part.body && inner.end == part.end && inner.next_sibling == Part::none);
        }
    }
}

void check_sections(std::string_view message, const MimeTreeView& tree)
{
    auto content = [&](std::string_view name) {
        auto section = mail::parse_section(name);
        OK(section);
        return mail::section_content(message, tree, *section);
    };
    EQ(*content(""), message);
    EQ(*content("HEADER") + *content("TEXT"), message);
    EQ(content("HEADER")->size(), mail::header_size(message));
    EQ(*content("HEADER.FIELDS.NOT"), mail::select_fields(*content("HEADER"), {}, true));
    THAT(content("1").has_value() || tree.root().kind == Part::Kind::Multipart);
    if (tree.root().kind == Part::Kind::Leaf)
        EQ(*content("1"), *content("TEXT"));
}

}  // namespace

TEST(every_message_is_parsed_and_rendered)
{
    std::size_t bytes = 0;
    double slowest = 0;
    std::size_t count = for_each_message([&](const std::string& path, std::string_view message) {
        double start = test::cpu_seconds();
        mail::RenderedMessage rendered = mail::render_message(message);
        double took = test::cpu_seconds() - start;
        // 1 MB/s and a second to spare: what anything quadratic would not hold on a busy machine either.
        ck_assert_msg(took < 1 + double(message.size()) / 1e6, "%s took %f s", path.c_str(), took);
        slowest = std::max(slowest, took);
        bytes += message.size();
        for (const std::string* text : {&rendered.envelope, &rendered.body_structure, &rendered.body})
            ck_assert_msg(is_one_value(*text), "%s: %s", path.c_str(), text->c_str());
        THAT(util::is_utf8(rendered.preview));
        THAT(rendered.preview.size() <= 4 * mail::preview_length);
        MimeTreeView tree = mail::parse_mime(message);
        check_tree(message, tree);
        check_sections(message, tree);
        mail::HeaderReader reader(message);
        mail::FieldView field;
        std::size_t at = 0;
        while (reader.next(field)) {
            EQ(field.offset, at);
            at += field.text.size();
            THAT(util::is_utf8(mail::decode_header_text(field.value)));
        }
        THAT(reader.size() - at <= 2);
    });
    if (count > 0)
        std::fprintf(stderr, "corpus_test: %zu files, %zu bytes, the slowest took %f s\n", count, bytes, slowest);
}
END_TEST

// What a line in pieces gives must be what it gives whole.
TEST(every_message_survives_the_dots)
{
    for_each_message([](const std::string&, std::string_view message) {
        mail::DotWriter writer;
        std::string wire;
        for (std::size_t at = 0; at < message.size(); at += 1000)
            writer.feed(message.substr(at, 1000), wire);
        writer.finish(wire);
        mail::DotReader reader;
        std::string back;
        std::size_t used = 0;
        while (used < wire.size() && !reader.finished())
            used += reader.feed(std::string_view(wire).substr(used, 777), back);
        THAT(reader.finished());
        EQ(used, wire.size());
        THAT(back == message || back == std::string(message) + "\r\n");
    });
}
END_TEST

SUITE(corpus, every_message_is_parsed_and_rendered, every_message_survives_the_dots)
