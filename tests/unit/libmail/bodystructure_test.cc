// Structures and sections against the answers of another server, under $TESTDATA.
//
// All structures are compared; where they differ, Comparison says what the RFC has to say about it.  Of
// the sections, those that the other server gives beyond RFC 9051 are left out: TEXT, HEADER and ".1"
// of parts that are no message, and what it finds in a message that is encoded in base64.
#include "libmail/imap_render.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <algorithm>
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

// A parenthesized list, or a string, number or NIL.  Case is folded: the data writes "7bit" for the
// "7BIT" of the field's default.
struct Node {
    bool list = false;
    std::string text;
    std::vector<Node> items;

    bool is(std::string_view value) const { return !list && text == value; }
    bool operator==(const Node&) const = default;
};

Node parse_node(std::string_view& rest)
{
    rest = util::trim(rest);
    Node node;
    if (rest.starts_with('(')) {
        node.list = true;
        rest.remove_prefix(1);
        for (rest = util::trim(rest); !rest.empty() && rest.front() != ')'; rest = util::trim(rest))
            node.items.push_back(parse_node(rest));
        rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
        return node;
    }
    bool quoted = rest.starts_with('"');
    std::size_t end = quoted ? 1 : 0;
    while (end < rest.size() &&
           (quoted ? rest[end] != '"' : !util::is_space(rest[end]) && rest[end] != '(' && rest[end] != ')'))
        end += quoted && rest[end] == '\\' ? 2 : 1;
    end = std::min(end + quoted, rest.size());
    node.text = util::lower(rest.substr(0, end));
    rest.remove_prefix(end);
    return node;
}

// One message's structure against the other server's.  Where they differ, the RFC must say that ours
// is right; `argued` counts how often it had to.
class Comparison {
public:
    Comparison(std::string name, std::size_t& argued) : name_(std::move(name)), argued_(argued) {}

    void part(const Node& ours, const Node& theirs);

private:
    void differ(const char* what, const Node& ours, const Node& theirs)
    {
        ck_abort_msg("%s, %s: ours %s, theirs %s", name_.c_str(), what, ours.list ? "(..)" : ours.text.c_str(),
                     theirs.list ? "(..)" : theirs.text.c_str());
    }
    void same(const char* what, const Node& ours, const Node& theirs)
    {
        if (ours != theirs)
            differ(what, ours, theirs);
    }
    void parameters(const Node& ours, const Node& theirs);
    void text(const char* what, const Node& ours, const Node& theirs);
    void envelope(const Node& ours, const Node& theirs);
    void extension(const Node& ours, std::size_t ours_at, const Node& theirs, std::size_t theirs_at);

    std::string name_;
    std::size_t& argued_;
};

// Encoded words stay as they are in the message (RFC 9051 §7.5.2); theirs are decoded and encoded anew.
void Comparison::text(const char* what, const Node& ours, const Node& theirs)
{
    bool encoded = ours.text.find("=?koi8-r?") != std::string::npos && theirs.text.starts_with("\"=?utf-8?");
    argued_ += encoded;
    if (!encoded)
        same(what, ours, theirs);
}

void Comparison::parameters(const Node& ours, const Node& theirs)
{
    if (!ours.list || !theirs.list || ours.items.size() != theirs.items.size())
        return same("parameters", ours, theirs);
    for (std::size_t i = 0; i < ours.items.size(); ++i)
        text("parameter", ours.items[i], theirs.items[i]);
}

void Comparison::envelope(const Node& ours, const Node& theirs)
{
    EQ(ours.items.size(), 10U);
    EQ(theirs.items.size(), 10U);
    // RFC 9051 §7.5.2: the date is the Date field's text; theirs has the right day of the week instead.
    if (ours.items[0].is("\"mon, 13 aug 1998 17:42:41 +1000\"") && theirs.items[0].is("\"thu, 13 aug 1998 17:42:41 +1000\""))
        ++argued_;
    else
        same("date", ours.items[0], theirs.items[0]);
    text("subject", ours.items[1], theirs.items[1]);
    for (std::size_t i = 2; i < 8; ++i) {
        const Node& list = theirs.items[i];
        // "(mailbox in US-ASCII)" is a comment: there is no address (RFC 5322 §3.4), hence NIL.
        bool invented = list.list && list.items.size() == 1 && list.items[0].items.size() == 4 &&
                        list.items[0].items[2].is("\"unknown\"") && list.items[0].items[3].is("\"localhost\"");
        // The comment of "A1 Gore (The Enforcer) <..>" is no part of its phrase (RFC 5322 §3.4).
        bool comment = list.list && ours.items[i].list && list.items[0].items[0].is("\"a1 gore (the enforcer)\"") &&
                       ours.items[i].items[0].items[0].is("\"a1 gore\"");
        argued_ += invented || comment;
        if (invented)
            EQ(ours.items[i].text, "nil");
        else if (!comment)
            same("addresses", ours.items[i], list);
    }
    same("in-reply-to", ours.items[8], theirs.items[8]);
    same("message-id", ours.items[9], theirs.items[9]);
}

// MD5 is what Content-MD5 says (RFC 9051 §7.5.2, RFC 1864), and no message here has it; theirs is
// calculated.  Disposition, language and location follow.
void Comparison::extension(const Node& ours, std::size_t ours_at, const Node& theirs, std::size_t theirs_at)
{
    EQ(ours.items.size() - ours_at, theirs.items.size() - theirs_at);
    if (ours_at == ours.items.size())
        return;
    EQ(ours.items[ours_at].text, "nil");
    argued_ += theirs.items[theirs_at].text.size() == 34;
    const Node& disposition = ours.items[ours_at + 1];
    if (disposition.list && theirs.items[theirs_at + 1].list) {
        same("disposition", disposition.items[0], theirs.items[theirs_at + 1].items[0]);
        parameters(disposition.items[1], theirs.items[theirs_at + 1].items[1]);
    } else {
        same("disposition", disposition, theirs.items[theirs_at + 1]);
    }
    for (std::size_t i = 2; ours_at + i < ours.items.size(); ++i)
        same("language or location", ours.items[ours_at + i], theirs.items[theirs_at + i]);
}

void Comparison::part(const Node& ours, const Node& theirs)
{
    THAT(ours.list && theirs.list && !ours.items.empty() && !theirs.items.empty());
    if (ours.items[0].list) {
        EQ(ours.items.size(), theirs.items.size());
        for (std::size_t i = 0; i < ours.items.size(); ++i) {
            if (ours.items[i].list && ours.items[i].items[0].list == theirs.items[i].items[0].list &&
                i + 1 < ours.items.size() && (ours.items[i].items[0].list || ours.items[i].items.size() > 6))
                part(ours.items[i], theirs.items[i]);
            else
                same("multipart", ours.items[i], theirs.items[i]);
        }
        return;
    }
    bool message = ours.items[0].is("\"message\"") && ours.items[1].is("\"rfc822\"");
    std::size_t ours_at = 7;
    std::size_t theirs_at = 7;
    if (!ours.items[0].is("\"text\"") && !message && theirs.items[0].is("\"text\"")) {
        // audio/basic and image/jpeg are what the Content-Type fields say (RFC 2045 §5): without a
        // charset, and lines are counted of text only (RFC 9051 §7.5.2).
        THAT(ours.items[0].is("\"audio\"") || ours.items[0].is("\"image\""));
        EQ(ours.items[2].text, "nil");
        theirs_at = 8;
        ++argued_;
    } else {
        same("type", ours.items[0], theirs.items[0]);
        parameters(ours.items[2], theirs.items[2]);
    }
    same("subtype", ours.items[1], theirs.items[1]);
    same("id", ours.items[3], theirs.items[3]);
    text("description", ours.items[4], theirs.items[4]);
    // body-fld-enc is a string and never NIL (RFC 9051 §9); without the field it is 7BIT (RFC 2045 §6.1).
    bool missing = theirs.items[5].is("nil") && ours.items[5].is("\"7bit\"");
    argued_ += missing;
    if (!missing)
        same("encoding", ours.items[5], theirs.items[5]);
    same("octets", ours.items[6], theirs.items[6]);
    if (message) {
        if (ours.items[5].is("\"base64\"")) {
            // RFC 2046 §5.2.1 permits 7bit, 8bit and binary only for message/rfc822; a server that
            // decodes it describes parts that BODY[2.1] could never give (it counts bytes as sent).
            EQ(name_, "008");
            ++argued_;
        } else {
            envelope(ours.items[7], theirs.items[7]);
            part(ours.items[8], theirs.items[8]);
        }
        // RFC 9051 §7.5.2: the size of the message in lines; theirs is always 0.
        THAT(!ours.items[9].is("0") && theirs.items[9].is("0"));
        ++argued_;
        ours_at = theirs_at = 10;
    } else if (ours.items[0].is("\"text\"")) {
        same("lines", ours.items[7], theirs.items[7]);
        ours_at = theirs_at = 8;
    }
    extension(ours, ours_at, theirs, theirs_at);
}

}  // namespace

TEST(structures_agree)
{
    std::size_t compared = 0;
    std::size_t argued = 0;
    for (const auto& [name, pair] : load()) {
        mail::MimeTreeView tree = mail::parse_mime(pair.message);
        std::string answers = "\n\n" + without(pair.answers, '\r');
        for (bool extended : {false, true}) {
            std::string_view begin = extended ? "\n\nBODYSTRUCTURE (" : "\n\nBODY (";
            std::size_t at = answers.find(begin);
            ck_assert_msg(at != std::string::npos, "%s", name.c_str());
            std::string_view expected = std::string_view(answers).substr(at + begin.size() - 1);
            std::string made = mail::render_body_structure(pair.message, tree, extended);
            std::string_view actual = made;
            Node ours = parse_node(actual);
            THAT(actual.empty());
            Comparison(name, argued).part(ours, parse_node(expected));
            ++compared;
        }
    }
    if (compared > 0) {
        EQ(compared, 20U);
        std::fprintf(stderr, "bodystructure_test: %zu structures agree, %zu differences are argued\n", compared, argued);
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
            if (close == std::string_view::npos || brace != close + 1 ||
                line.substr(0, close).find_first_of(" M") != std::string_view::npos)
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
