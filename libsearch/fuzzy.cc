// Inexact search.
#include "libsearch/fuzzy.h"

#include "libmail/casefold.h"
#include "libmail/encoded_word.h"
#include "libmail/encoding.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace search {

namespace {

constexpr std::size_t least_letters = 5;      // of a word that may have a mistake
constexpr std::size_t least_half = 3;         // bytes of a half: a trigram
constexpr int most_counted = 50;              // occurrences of a word in one text
constexpr std::size_t longest_tag = 1024;
constexpr std::size_t longest_token = 128;    // bytes; no word has more

constexpr double whole_word = 1.0;
constexpr double beginning = 0.6;
constexpr double inside = 0.3;
constexpr double mistaken = 0.25;
constexpr double subject_worth = 5.0;
constexpr double header_worth = 1.5;
constexpr double body_worth = 1.0;
// BM25's k and b, and a length that is usual.
constexpr double saturation = 1.2;
constexpr double length_share = 0.5;
constexpr double usual_length = 4096;

bool in_word(char byte)
{
    return util::is_alnum(byte) || static_cast<unsigned char>(byte) >= 0x80;
}

std::vector<std::uint32_t> letters(std::string_view text)
{
    std::vector<std::uint32_t> out;
    for (std::size_t at = 0; at < text.size();)
        out.push_back(mail::next_code_point(text, at));
    return out;
}

// Is it the same but for one letter: another one, one more, one less, or two neighbours swapped?
bool is_near(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b)
{
    const auto& longer = a.size() >= b.size() ? a : b;
    const auto& shorter = a.size() >= b.size() ? b : a;
    if (longer.size() - shorter.size() > 1)
        return false;
    std::size_t i = 0;
    while (i < shorter.size() && longer[i] == shorter[i])
        ++i;
    auto same = [&](std::size_t in_longer, std::size_t in_shorter) {
        return std::equal(longer.begin() + std::ptrdiff_t(std::min(in_longer, longer.size())), longer.end(),
                          shorter.begin() + std::ptrdiff_t(std::min(in_shorter, shorter.size())), shorter.end());
    };
    if (longer.size() != shorter.size())
        return same(i + 1, i);
    bool swapped = i + 1 < shorter.size() && longer[i] == shorter[i + 1] && longer[i + 1] == shorter[i];
    return same(i + 1, i + 1) || (swapped && same(i + 2, i + 2));
}

std::size_t find_from(std::string_view text, std::string_view needle, std::size_t from)
{
    const void* at =
        from < text.size() ? ::memmem(text.data() + from, text.size() - from, needle.data(), needle.size()) : nullptr;
    return at ? std::size_t(static_cast<const char*>(at) - text.data()) : text.npos;
}

// Is the last bracket before it one that opens a tag?
bool in_tag(std::string_view text, std::size_t at)
{
    std::size_t begin = at > longest_tag ? at - longest_tag : 0;
    std::size_t bracket = text.substr(begin, at - begin).find_last_of("<>");
    return bracket != text.npos && text[begin + bracket] == '<';
}

// The word that [at, at + length) is a part of.
std::string_view token_around(std::string_view text, std::size_t at, std::size_t length)
{
    std::size_t begin = at;
    std::size_t end = at + length;
    while (begin > 0 && at - begin < longest_token && in_word(text[begin - 1]))
        --begin;
    while (end < text.size() && end - at < longest_token && in_word(text[end]))
        ++end;
    return text.substr(begin, end - begin);
}

}  // namespace

FuzzyText::FuzzyText(std::string_view needle) : whole_(needle)
{
    for (std::size_t at = 0; at < needle.size() && words_.size() < max_fuzzy_words;) {
        std::size_t end = at;
        while (end < needle.size() && in_word(needle[end]))
            ++end;
        if (end == at) {
            ++at;
            continue;
        }
        Word word{std::string(needle.substr(at, std::min(end - at, longest_token))), {}, {}};
        at = end;
        if (std::ranges::find(words_, word.text, &Word::text) != words_.end())
            continue;
        auto points = letters(word.text);
        if (points.size() >= least_letters) {
            // Swapped neighbours on both sides of the cut change both halves: then neither is found, and the word is not.
            std::size_t cut = 0;
            for (std::size_t i = 0; i < points.size() / 2; ++i)
                (void)mail::next_code_point(word.text, cut);
            if (cut >= least_half && word.text.size() - cut >= least_half) {
                word.front = word.text.substr(0, cut);
                word.back = word.text.substr(cut);
            }
        }
        words_.push_back(std::move(word));
    }
}

double FuzzyScore::weigh(const FuzzyText::Word& word, std::string_view folded, bool html) const
{
    double weight = 0;
    int counted = 0;
    for (std::size_t at = find_from(folded, word.text, 0); at != folded.npos && counted < most_counted;
         at = find_from(folded, word.text, at + word.text.size())) {
        if (html && in_tag(folded, at))
            continue;
        std::size_t end = at + word.text.size();
        bool begins = at == 0 || !in_word(folded[at - 1]);
        bool ends = end == folded.size() || !in_word(folded[end]);
        weight += begins ? (ends ? whole_word : beginning) : inside;
        ++counted;
    }
    if (counted > 0 || word.front.empty())
        return weight;
    auto wanted = letters(word.text);
    for (const std::string* half : {&word.front, &word.back}) {
        for (std::size_t at = find_from(folded, *half, 0); at != folded.npos && counted < most_counted;
             at = find_from(folded, *half, at + half->size())) {
            auto token = token_around(folded, at, half->size());
            if (token.size() > word.text.size() + 4 || token.size() + 4 < word.text.size() || (html && in_tag(folded, at)) ||
                !is_near(letters(token), wanted))
                continue;
            weight += mistaken;
            ++counted;
        }
    }
    return weight;
}

void FuzzyScore::look(std::string_view folded, double worth, bool html)
{
    length_ += folded.size();
    for (std::size_t i = 0; i < weights_.size(); ++i)
        weights_[i] += worth * weigh(text_.words()[i], folded, html);
    whole_ = whole_ || find_from(folded, text_.whole(), 0) != folded.npos;
}

int FuzzyScore::result() const
{
    if (weights_.empty())
        return whole_ || text_.whole().empty() ? 100 : 0;
    double length = 1 - length_share + length_share * double(length_) / usual_length;
    double sum = 0;
    for (double weight : weights_) {
        if (weight == 0)
            return 0;
        sum += weight / (weight + saturation * length);
    }
    double score = sum / double(weights_.size());
    if (whole_)
        score += (1 - score) / 3;
    return std::clamp(int(score * 100), 1, 100);
}

int fuzzy_header_score(std::string_view value, const FuzzyText& text)
{
    FuzzyScore score(text);
    score.look(mail::fold_case(mail::decode_header_text(value)), subject_worth, false);
    return score.result();
}

int fuzzy_message_score(std::string_view message, const mail::MimeTreeView& tree, const FuzzyText& text, bool with_header)
{
    FuzzyScore score(text);
    each_text(message, tree, with_header, [&](const TextView& part) {
        double worth = body_worth;
        if (part.zone == Zone::Header)
            worth = part.folded.starts_with("subject:") ? subject_worth : header_worth;
        score.look(part.folded, worth, part.html);
        return false;
    });
    return score.result();
}

}  // namespace search
