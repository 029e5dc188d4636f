// Lists of words with balanced braces.
#include "libconf/words.h"

#include "libutil/text.h"

namespace conf {

namespace {

// Blanks inside go with the braces.
std::string_view without_braces(std::string_view word)
{
    return util::trim(word.substr(1, word.size() - 2));
}

}  // namespace

util::Result<std::vector<std::string>> parse_words(std::string_view text, std::string_view separators,
                                                   bool strip_braces)
{
    std::vector<std::string> words;
    std::size_t at = 0;
    while (true) {
        at = text.find_first_not_of(separators, at);
        if (at == std::string_view::npos)
            return words;
        std::size_t start = at;
        int depth = 0;
        for (; at < text.size() && (depth > 0 || separators.find(text[at]) == std::string_view::npos); ++at) {
            if (text[at] == '{')
                ++depth;
            else if (text[at] == '}' && --depth < 0)
                return util::invalid(util::concat("'}' without '{' in \"", util::printable(text, 60), '"'));
            // A word that begins with a brace ends with it.
            if (depth == 0 && text[start] == '{' && at + 1 < text.size() &&
                separators.find(text[at + 1]) == std::string_view::npos)
                return util::invalid(util::concat("white space is wanted after '}' in \"",
                                                  util::printable(text.substr(start), 60), '"'));
        }
        if (depth > 0)
            return util::invalid(util::concat("'{' without '}' in \"",
                                              util::printable(text.substr(start), 60), '"'));
        std::string_view word = text.substr(start, at - start);
        words.emplace_back(strip_braces && word.front() == '{' ? without_braces(word) : word);
    }
}

}  // namespace conf
