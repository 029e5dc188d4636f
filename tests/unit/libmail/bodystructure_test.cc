// Structures and sections against the answers of another server, under $TESTDATA.
//
// Its answers are taken where the RFC leaves one choice.  It says more than RFC 9051 allows for: TEXT,
// HEADER and ".1" of parts that are no message; audio and images typed as text with line counts;
// NIL for an absent encoding, 0 for the lines of an embedded message; invented addresses; and it
// reads base64 messages as if they were plain (then a section is no substring of the message).
#include "libmail/imap_render.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdio>
#include <cstdlib>

namespace {

struct Pair {
    std::string message;
    std::string answers;
};

std::vector<std::pair<std::string, Pair>> load()
{
    std::vector<std::pair<std::string, Pair>> pairs;
    const char* root = std::getenv("TESTDATA");
    if (!root) {
        std::fprintf(stderr, "bodystructure_test: TESTDATA is not set: skipped\n");
        return pairs;
    }
    for (std::string_view name : {"000", "002", "003", "005", "006", "007", "008", "012", "013", "015"}) {
        std::string path = util::concat(root, "/imap/stalwart-bodystructure/", name);
        auto message = util::sys::read_file(path + ".txt", 1U << 20);
        auto answers = util::sys::read_file(path + ".imap", 1U << 20);
        if (message.ok() && answers.ok())
            pairs.emplace_back(name, Pair{message.take(), answers.take()});
    }
    return pairs;
}

std::string without(std::string_view text, char unwanted)
{
    std::string out(text);
    std::erase(out, unwanted);
    return out;
}

// "(a b" in lower case without any white space between tokens that could differ.
std::string squeezed(std::string_view text)
{
    std::string out;
    bool quoted = false;
    for (char c : text) {
        quoted ^= c == '"';
        if (!util::is_space(c) || quoted)
            out += util::to_lower(c);
    }
    return out;
}

}  // namespace

TEST(structures_agree)
{
    for (const auto& [name, pair] : load()) {
        if (name != "005" && name != "006" && name != "013")
            continue;
        std::string answer = without(pair.answers, '\r');
        std::size_t end = answer.find("\n\nBODYSTRUCTURE");
        ck_assert_msg(end != std::string::npos, "%s", name.c_str());
        std::string expected = squeezed(std::string_view(answer).substr(5, end - 5));
        std::string actual = squeezed(mail::render_body_structure(pair.message, mail::parse_mime(pair.message), false));
        EQ(actual, expected);
    }
}
END_TEST

TEST(sections_agree)
{
    std::size_t compared = 0;
    for (const auto& [name, pair] : load()) {
        mail::MimeTreeView tree = mail::parse_mime(pair.message);
        const std::string& text = pair.answers;
        for (std::size_t at = text.find("\nBODY["); at != std::string::npos; at = text.find("\nBODY[", at + 1)) {
            std::size_t line_end = text.find('\n', at + 1);
            std::string_view line = util::trim(std::string_view(text).substr(at + 6, line_end - at - 6));
            std::size_t close = line.find(']');
            std::size_t brace = line.find(" {", close);
            if (close == std::string_view::npos || brace != close + 1 || line.substr(0, close).find_first_of(" M") != std::string_view::npos)
                continue;
            auto section = mail::parse_section(line.substr(0, close));
            OK(section);
            auto size = util::parse_unsigned(line.substr(brace + 2, line.size() - brace - 3));
            OK(size);
            auto content = mail::section_content(pair.message, tree, *section);
            if (!content || (name == "008" && !section->part.empty() && section->part[0] == 2))
                continue;
            EQ(without(*content, '\r'), without(std::string_view(text).substr(line_end + 1, *size), '\r'));
            ++compared;
        }
    }
    if (compared > 0)
        std::fprintf(stderr, "bodystructure_test: %zu sections agree\n", compared);
}
END_TEST

SUITE(bodystructure, structures_agree, sections_agree)
