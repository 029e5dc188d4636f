// Editing configuration files as texts.
#include "tools/ternconf/edit.h"

#include "libconf/main_cf.h"
#include "libutil/text.h"

namespace ternconf {

using util::concat;
using util::Result;

FileText::FileText(std::string_view text)
{
    while (!text.empty()) {
        std::size_t end = text.find('\n');
        std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
        lines_.emplace_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        std::string_view content = util::trim(lines_[i]);
        if (content.empty() || content.front() == '#')
            continue;
        bool continues = util::is_space(lines_[i].front());
        if (continues && entries_.empty())
            continue;  // libconf says what is wrong with it
        if (!continues)
            entries_.emplace_back();
        Entry& entry = entries_.back();
        entry.lines.push_back(i);
        util::append(entry.text, entry.text.empty() ? "" : " ", content);
    }
    if (!lines_.empty() && !lines_.back().ends_with('\n'))
        lines_.back() += '\n';
}

void FileText::replace(std::size_t entry, std::string_view text)
{
    remove(entry);
    std::string& first = lines_[entries_[entry].lines.front()];
    first = text;
    if (!first.ends_with('\n'))
        first += '\n';
}

void FileText::remove(std::size_t entry)
{
    for (std::size_t line : entries_[entry].lines)
        lines_[line].clear();
}

void FileText::comment_out(std::size_t entry)
{
    for (std::size_t line : entries_[entry].lines)
        lines_[line].insert(0, 1, '#');
}

void FileText::append(std::string_view text)
{
    lines_.emplace_back(text);
    if (!text.ends_with('\n'))
        lines_.back() += '\n';
}

std::string FileText::text() const
{
    std::string out;
    for (const std::string& line : lines_)
        out += line;
    return out;
}

// --- main.cf -------------------------------------------------------------------------------------------

namespace {

Result<std::pair<std::string, std::string>> split_request(std::string_view request)
{
    auto [left, right] = util::split_first(request, '=');
    std::string name(util::trim(left)), value(util::trim(right));
    if (request.find('=') == std::string_view::npos)
        return util::invalid(concat("name=value is wanted, not \"", util::printable(request, 60), '"'));
    for (char c : value) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
            return util::invalid(concat("the value of ", util::printable(name, 60), " has a control byte"));
    }
    return std::pair{std::move(name), std::move(value)};
}

Result<void> edit_setting(FileText& file, Action action, std::string_view request)
{
    std::string name(util::trim(request)), value;
    if (action == Action::Set) {
        auto pair = TRY(split_request(request));
        name = pair.first;
        value = pair.second;
    }
    if (!conf::is_parameter_name(name) || name == "config_directory")
        return util::invalid(concat('"', util::printable(name, 60), "\" is not the name of a setting"));
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < file.entries().size(); ++i) {
        std::string_view text = file.entries()[i].text;
        if (util::trim(text.substr(0, text.find('='))) == name)
            places.push_back(i);
    }
    if (action != Action::Set && places.empty())
        return util::not_found(concat(name, " is not set"));
    for (std::size_t place : places) {
        if (action == Action::CommentOut)
            file.comment_out(place);
        else
            file.remove(place);
    }
    if (action == Action::Set) {
        // Where it stood last: that was the one that counted.
        std::string line = concat(name, " =", value.empty() ? "" : " ", value, '\n');
        if (places.empty())
            file.append(line);
        else
            file.replace(places.back(), line);
    }
    return {};
}

}  // namespace

Result<std::string> edit_main(std::string_view text, Action action, const std::vector<std::string>& requests)
{
    std::string current(text);
    for (const std::string& request : requests) {
        FileText file(current);
        TRY(edit_setting(file, action, request));
        current = file.text();
    }
    return current;
}

}  // namespace ternconf
