// Words of master.cf, one a line, become arguments without options that nobody wrote, or complaints.
#include "libutil/check.h"
#include "libutil/text.h"
#include "pipe/attributes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<std::string> words, complaints;
    for (std::string_view word : util::split(text, '\n'))
        words.emplace_back(word);
    piping::Attributes attributes = piping::parse_attributes(words, complaints);
    CHECK(attributes.form.line_end.size() <= 10 && !attributes.form.line_end.empty());
    if (!complaints.empty())
        return 0;
    CHECK(!attributes.user.empty() && attributes.command.front().is_constant());
    piping::Values values;
    values.sender = {"-sender", "example.org"};
    values.client_helo = "-helo";
    values.null_sender = attributes.null_sender;
    values.recipients = {{{"-user+ext", "example.org"}, {"original", "example.org"}}, {{"b b", ""}, {"b", ""}}};
    auto arguments = piping::expand(attributes.command, values, attributes.folding, "+");
    if (!arguments)
        return 0;
    CHECK(arguments->size() >= attributes.command.size());
    for (std::size_t i = 0, at = 0; i < attributes.command.size(); ++i) {
        const piping::Template& argument = attributes.command[i];
        bool written = std::ranges::any_of(argument.pieces(), [](const auto& piece) { return piece.text.starts_with('-'); });
        for (std::size_t n = 0; n < (argument.per_recipient() ? values.recipients.size() : 1); ++n, ++at)
            CHECK(written || !(*arguments)[at].starts_with('-'));
    }
    return 0;
}
