#include "smtp/header_checks.h"

#include "libmail/header.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtp {

namespace {

// As in cleanup(8), and in Postfix.
bool is_about_mime(std::string_view name)
{
    static constexpr std::string_view names[] = {"content-description", "content-disposition", "content-id",
                                                 "content-transfer-encoding", "content-type", "mime-version"};
    return std::ranges::any_of(names, [name](std::string_view known) { return util::equal_nocase(name, known); });
}

// As tables see a field: without its end, folded lines apart by a line feed.
std::string shown_to_tables(std::string_view text)
{
    std::string shown;
    for (char c : util::trim_right(text))
        if (c != '\r')
            shown += c;
    return shown;
}

// What a table gives may not end a header, or begin another field or line.
std::string one_line(std::string_view text)
{
    std::string line(text);
    std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return line;
}

bool is_field(std::string_view text)
{
    std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon > 0 && text.find_first_of(" \t") > colon;
}

}  // namespace

util::Result<HeaderChecks> HeaderChecks::open(const Config& config)
{
    HeaderChecks checks;
    for (auto [parameter, list] :
         {std::pair(&config.header_checks, &checks.header_), std::pair(&config.mime_header_checks, &checks.mime_),
          std::pair(&config.nested_header_checks, &checks.nested_), std::pair(&config.body_checks, &checks.body_)}) {
        auto tables = conf::Tables::open(**parameter);
        if (!tables)
            return tables.take_error().in(parameter->name());
        *list = {tables.take(), parameter->name()};
    }
    return checks;
}

HeaderChecks::List& HeaderChecks::list_for(mail::FieldClass field_class, std::string_view name)
{
    if (field_class == mail::FieldClass::Part || is_about_mime(name))
        return mime_;
    return field_class == mail::FieldClass::Nested ? nested_ : header_;
}

util::Result<CheckedLine> HeaderChecks::look_up(List& list, bool header, std::string_view shown, std::string_view queue_id)
{
    CheckedLine change;
    if (list.tables.empty())
        return change;
    auto found = list.tables.lookup(shown);
    if (!found.ok())
        return found.take_error().in(list.name);
    if (!*found)
        return change;
    auto [word, rest] = util::split_first(util::trim_left(**found), ' ');
    std::string action = util::upper(util::trim(word));
    std::string_view text = util::trim_left(rest);
    auto tell = [&](std::string_view what) {
        util::log::info(queue_id, ": ", what, header ? ": header " : ": body ", util::printable(shown, 200),
                        text.empty() ? "" : ": ", util::printable(text, 200));
    };
    bool needs_text = action == "REPLACE" || action == "PREPEND";
    if (needs_text && header && !is_field(text)) {
        util::log::warning(list.name, ": ", action, " needs \"name: value\", not \"", util::printable(text, 100), '"');
    } else if (needs_text && text.empty()) {
        util::log::warning(list.name, ": ", action, " needs a text");
    } else if (action == "IGNORE") {
        change.drop = true;
    } else if (action == "STRIP") {
        tell("strip");
        change.drop = true;
    } else if (action == "REPLACE") {
        tell("replace");
        change.replacement = one_line(text) + (header ? "\r\n" : "");
    } else if (action == "PREPEND") {
        tell("prepend");
        change.before = one_line(text) + "\r\n";
    } else if (action == "WARN") {
        tell("warning");
    } else if (action == "INFO") {
        tell("info");
    } else if (action != "DUNNO" && action != "OK" && action != "PASS") {
        util::log::warning(list.name, ": ", util::printable(action, 40), " cannot be done when mail goes out");
    }
    return change;
}

util::Result<CheckedLine> HeaderChecks::check_field(mail::FieldClass field_class, std::string_view field,
                                                    std::string_view queue_id)
{
    mail::FieldView view;
    if (!mail::HeaderReader(field).next(view) || view.name.empty())
        return CheckedLine();
    List& list = list_for(field_class, view.name);
    return list.tables.empty() ? CheckedLine() : look_up(list, true, shown_to_tables(field), queue_id);
}

util::Result<CheckedLine> HeaderChecks::check_line(std::string_view line, std::string_view queue_id)
{
    return look_up(body_, false, line, queue_id);
}

util::Result<std::string> HeaderChecks::apply(std::string_view header, std::string_view queue_id)
{
    std::string out;
    out.reserve(header.size());
    mail::HeaderReader reader(header);
    mail::FieldView field;
    std::size_t end = 0;
    while (reader.next(field)) {
        end = field.offset + field.text.size();
        CheckedLine change = TRY(check_field(mail::FieldClass::Primary, field.text, queue_id));
        out += change.before;
        if (!change.drop)
            out += change.replacement ? std::string_view(*change.replacement) : field.text;
    }
    out += header.substr(end);
    return out;
}

}  // namespace smtp
