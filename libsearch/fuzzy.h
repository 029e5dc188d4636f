// Inexact search (RFC 6203): words instead of a string, and how well a message fits.
//
// Every word must be there: as it is, as a part of another, or, if it has two halves that are trigrams at least (six letters of
// ASCII, five of other scripts), with one letter wrong, missing, too many, or swapped for its neighbour in the same half.  The score of a message is the mean of what its words are worth:
// how often they stand there in relation to the length of the text, with diminishing returns, as BM25 has it; more
// for whole words than for parts, more in the subject than in the body, more if they stand together as they were
// typed.
#pragma once

#include "libsearch/text.h"

#include <string>
#include <string_view>
#include <vector>

namespace search {

constexpr std::size_t max_fuzzy_words = 32;   // of one text to look for; what is behind them is not looked at

class FuzzyText {
public:
    struct Word {
        std::string text;
        // Where one letter may differ: halves, one of which stands there as it is; else empty.
        std::string front;
        std::string back;
    };

    // `needle` is folded.
    explicit FuzzyText(std::string_view needle);

    // Without words it is a string like any other.
    const std::vector<Word>& words() const { return words_; }
    const std::string& whole() const { return whole_; }

private:
    std::string whole_;
    std::vector<Word> words_;
};

// What was found of it in one message.
class FuzzyScore {
public:
    explicit FuzzyScore(const FuzzyText& text) : text_(text), weights_(text.words().size()) {}

    // Looks at a folded text; `worth` is how much a word there counts.  Words in tags of HTML do not.
    void look(std::string_view folded, double worth, bool html);
    // 1 to 100; 0 if a word is missing.
    int result() const;

private:
    double weigh(const FuzzyText::Word& word, std::string_view folded, bool html) const;

    const FuzzyText& text_;
    std::vector<double> weights_;   // of each word: occurrences, weighted
    std::size_t length_ = 0;
    bool whole_ = false;
};

// The scores of a header field's value, and of a message (as message_contains()).
int fuzzy_header_score(std::string_view value, const FuzzyText& text);
int fuzzy_message_score(std::string_view message, const mail::MimeTreeView& tree, const FuzzyText& text, bool with_header);

}  // namespace search
