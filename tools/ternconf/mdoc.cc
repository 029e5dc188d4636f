// ternconf --mdoc: a section's parameters as manual text.
#include "libutil/text.h"
#include "tools/ternconf/show.h"

#include <unistd.h>

namespace ternconf {

using util::concat;

namespace {

constexpr std::size_t line_width = 78;

// A word as mdoc sees it literally.
std::string escape(std::string_view word)
{
    std::string out;
    if (word.starts_with('.') || word.starts_with('\''))
        out = "\\&";
    for (char c : word)
        out += c == '\\' ? std::string_view("\\e") : c == '"' ? std::string_view("\\(dq") : std::string_view(&c, 1);
    return out;
}

// "smtpd(8)." to ".Xr smtpd 8 ."; on the page of smtpd itself to ".Nm smtpd ."; empty when the word
// is no page's name.
std::string page_reference(std::string_view word, std::string_view own_name)
{
    std::size_t open = word.find('('), close = word.find(')');
    if (open == std::string_view::npos || close != open + 2 || open == 0 || !util::is_digit(word[open + 1]))
        return "";
    std::string_view name = word.substr(0, open), after = word.substr(close + 1);
    std::string out = name == own_name ? concat(".Nm ", name) : concat(".Xr ", name, ' ', word[open + 1]);
    for (char c : after) {
        if (std::string_view(".,;:)?!").find(c) == std::string_view::npos)
            return "";
        util::append(out, ' ', c);
    }
    return out;
}

bool ends_sentence(std::string_view word)
{
    while (word.ends_with(')') || word.ends_with('"'))
        word.remove_suffix(1);
    return word.size() > 1 && (word.ends_with('.') || word.ends_with('?') || word.ends_with('!')) &&
           word != "e.g." && word != "i.e.";
}

// Text in lines of mdoc: a new line for each sentence.
void append_text(std::string& out, std::string_view text, std::string_view own_name = {})
{
    std::string line;
    auto flush = [&] {
        if (!line.empty())
            util::append(out, line, '\n');
        line.clear();
    };
    for (std::string_view word : util::split_words(text, " \n")) {
        std::string reference = page_reference(word, own_name);
        if (!reference.empty()) {
            flush();
            util::append(out, reference, '\n');
            continue;
        }
        // An escape may make the word longer than it looks; lint counts bytes.
        std::string shown = escape(word);
        if (!line.empty() && line.size() + 1 + shown.size() > line_width)
            flush();
        util::append(line, line.empty() ? "" : " ", shown);
        if (ends_sentence(word))
            flush();
    }
    flush();
}

// The default as it is on every machine.
std::string shown_default(const conf::Parameter& parameter)
{
    if (parameter.name() == "myhostname")
        return "the machine's name";
    if (parameter.name() == "mydomain")
        return "$myhostname without its first label";
    return parameter.default_text();
}

void append_parameter(std::string& out, const conf::Parameter& parameter, std::string_view own_name)
{
    util::append(out, ".It Ic ", parameter.name(), '\n');
    append_text(out, parameter.description(), own_name);
    std::string type = parameter.type();
    type[0] = char(type[0] - (util::is_alpha(type[0]) && type[0] >= 'a' ? 'a' - 'A' : 0));
    append_text(out, concat(type, '.'));
    std::string text = shown_default(parameter);
    if (text.empty())
        out += "Default: empty.\n";
    else
        append_text(out, concat("Default: ", text));
    for (const auto& [name, value] : parameter.member_defaults())
        append_text(out, concat("Default of ", name, ": ", value));
}

}  // namespace

std::optional<std::string> mdoc_of(const AllSections& sections, std::string_view name)
{
    const conf::Section* section = sections.find(name);
    if (!section)
        return std::nullopt;
    std::string out = ".Bl -tag -width Ds\n";
    for (const conf::Parameter* parameter : section->parameters())
        append_parameter(out, *parameter, name);
    return out + ".El\n";
}

}  // namespace ternconf
