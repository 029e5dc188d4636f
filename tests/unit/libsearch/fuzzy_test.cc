// Words, mistakes in them, and ranking (RFC 6203).
#include "tests/unit/libsearch/fixture.h"

namespace {

using namespace test;

int score(std::string_view needle, std::string_view text)
{
    search::FuzzyText fuzzy(search::folded_needle(needle, {}));
    return search::fuzzy_header_score(text, fuzzy);
}

TEST(words_are_found_in_any_order_and_as_parts)
{
    THAT(score("IMAP break", "broken IMAP: it breaks") > 0);
    THAT(score("IMAP break", "IMAP alone") == 0);
    THAT(score("break", "unbreakable") > 0);
    THAT(score("", "anything") == 100);
    THAT(score("?!", "what?!") > 0);
    THAT(score("?!", "what") == 0);
}
END_TEST

TEST(one_letter_may_be_wrong_in_long_words)
{
    for (std::string_view typed : {"invoice", "invioce", "invoce", "invooice", "imvoice", "invoicd"})
        ck_assert_msg(score(typed, "Your Invoice for May") > 0, "%s", std::string(typed).c_str());
    for (std::string_view typed : {"envoicd", "inv0ic", "nvoce"})
        ck_assert_msg(score(typed, "Your Invoice for May") == 0, "%s", std::string(typed).c_str());
    THAT(score("Helo", "Hello") == 0);
    THAT(score("zebre", "zebra") == 0);   // a half is a trigram at least
    THAT(score("zebres", "zebras") > 0);
    THAT(score("зебре", "зебра") > 0);
    THAT(score("Müller", "an Muller") > 0);
    THAT(score("протокол", "Протакол") > 0);
}
END_TEST

TEST(what_fits_better_scores_higher)
{
    THAT(score("invoice", "invoice") > score("invoice", "invoices"));
    THAT(score("invoice", "invoices") > score("invoice", "preinvoiced"));
    THAT(score("invoice", "preinvoiced") > score("invoice", "invoise"));
    THAT(score("green house", "a green house") > score("green house", "the house is green"));
    THAT(score("invoice", "invoice, invoice") > score("invoice", "invoice, nothing"));
}
END_TEST

TEST(the_subject_counts_more_than_the_body_and_tags_do_not_count)
{
    auto of = [](std::string_view message) {
        search::FuzzyText text("table");
        return search::fuzzy_message_score(message, mail::parse_mime(message), text, true);
    };
    THAT(of("Subject: table\r\n\r\nx\r\n") > of("Subject: x\r\n\r\ntable\r\n"));
    EQ(of("Content-Type: text/html\r\n\r\n<table><b>x</b></table>\r\n"), 0);
    THAT(of("Content-Type: text/html\r\n\r\n<table>the table</table>\r\n") > 0);
}
END_TEST

TEST(the_index_hides_no_fuzzy_match)
{
    Indexed f;
    for (int i = 0; i < 40; ++i)
        f.deliver(numbered_message(i));
    f.deliver("Subject: your invoice\r\n\r\nPlease pay at once.\r\n");
    f.deliver("Subject: y\r\n\r\nThe invoise is not paid, and here is another.\r\n");
    f.feed();
    for (std::string_view typed :
         {"invoice", "invoise", "tertius", "tertuis", "paid invoice", "of numbr", "invoice tertius", "xy", "!"}) {
        search::FuzzyText text(search::folded_needle(typed, {}));
        std::vector<search::Candidates> candidates;
        for (const auto& word : text.words())
            if (auto some = f.index->candidates(word, true, true))
                candidates.push_back(*some);
        std::size_t hint = 0;
        std::size_t read = 0;
        for (const auto& entry : f.entries()) {
            auto content = f.store->read_content(entry);
            OK(content);
            int fits = search::fuzzy_message_score(*content, mail::parse_mime(*content), text, true);
            auto place = f.index->find(entry.content, entry.guid, hint);
            THAT(place.has_value());
            bool candidate = std::ranges::all_of(candidates, [&](const auto& some) { return some.has(*place); });
            read += candidate;
            ck_assert_msg(candidate || fits == 0, "%s", std::string(typed).c_str());
        }
        if (typed.starts_with("invoi"))
            THAT(read <= 3);
    }
}
END_TEST

}  // namespace

SUITE(fuzzy, words_are_found_in_any_order_and_as_parts, one_letter_may_be_wrong_in_long_words,
      what_fits_better_scores_higher, the_subject_counts_more_than_the_body_and_tags_do_not_count,
      the_index_hides_no_fuzzy_match)
