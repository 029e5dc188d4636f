// "key value" lines.
#include "libconf/text_table.h"

#include "libconf/logical_lines.h"
#include "libconf/table.h"
#include "libutil/text.h"

namespace conf {

using util::concat;

namespace {

// Takes "..." with \" and \\ from the start of `text`.
util::Result<std::string> take_quoted(std::string_view& text)
{
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return out;
        }
        if (text[i] == '\\' && i + 1 < text.size())
            ++i;
        out += text[i];
    }
    return util::invalid("a quoted key without its second quote");
}

util::Result<TextEntry> parse_entry(std::string_view line, TextForm form)
{
    TextEntry entry;
    std::string_view rest = line;
    if (rest.starts_with('"')) {
        entry.key = TRY(take_quoted(rest));
    } else {
        std::size_t end = rest.find_first_of(form == TextForm::Alias ? ": \t" : " \t");
        entry.key = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    }
    if (form == TextForm::Alias) {
        rest = util::trim_left(rest);
        if (!rest.starts_with(':'))
            return util::invalid("\"name: value\" is wanted");
        rest.remove_prefix(1);
    } else if (!rest.empty() && !util::is_space(rest.front())) {
        return util::invalid("white space is wanted after the quoted key");
    }
    entry.value = util::trim(rest);
    if (entry.key.empty())
        return util::invalid("the key is empty");
    if (entry.value.empty())
        return util::invalid(concat("\"key value\" is wanted, not \"", util::printable(line, 60), '"'));
    if (entry.key.size() > max_table_key)
        return util::invalid(concat("the key is longer than ", max_table_key, " bytes"));
    return entry;
}

}  // namespace

void read_text_table(std::string_view text, std::string_view file, TextForm form,
                     const std::function<void(TextEntry)>& take, Problems& problems)
{
    for (const LogicalLine& line : logical_lines(text, file, problems)) {
        auto entry = parse_entry(line.text, form);
        if (!entry) {
            problems.add(file, line.number, entry.error().text);
            continue;
        }
        entry->line = line.number;
        take(entry.take());
    }
}

}  // namespace conf
