// Right sides of aliases.
#include "libmail/destinations.h"

#include "libmail/address.h"
#include "libmail/address_list.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

constexpr std::string_view include_word = ":include:";

bool has_controls(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
}

// One value, taken apart at commas.  Each turn of each loop moves `at_` on.
class ValueReader {
public:
    ValueReader(std::string_view value, std::size_t limit) : value_(value), limit_(limit) {}

    util::Result<std::vector<Destination>> run()
    {
        for (;;) {
            while (at_ < value_.size() && (util::is_space(value_[at_]) || value_[at_] == ','))
                ++at_;
            if (at_ >= value_.size())
                return std::move(found_);
            TRY(read_one());
        }
    }

private:
    // Up to the next comma.  What it is shows without its quotes: "|command", |"command".
    util::Result<void> read_one()
    {
        std::size_t begin = at_;
        std::string text;
        bool quoted_local_part = false;   // "joe smith"@example.org
        int comment = 0;
        while (at_ < value_.size() && (value_[at_] != ',' || comment > 0)) {
            char c = value_[at_];
            if (c == '"' && comment == 0) {
                bool first = at_ == begin;
                TRY(read_quoted(text));
                quoted_local_part |= first && at_ < value_.size() && value_[at_] == '@';
                continue;
            }
            // A command's parentheses are its own business.
            if (!text.starts_with('|'))
                comment += c == '(' ? 1 : c == ')' && comment > 0 ? -1 : 0;
            text += c;
            ++at_;
        }
        std::string_view trimmed = util::trim(text);
        if (!quoted_local_part && begins_rule(trimmed))
            return add_rule(trimmed);
        return add_addresses(util::trim(value_.substr(begin, at_ - begin)));
    }

    util::Result<void> read_quoted(std::string& text)
    {
        for (++at_; at_ < value_.size(); ++at_) {
            if (value_[at_] == '"') {
                ++at_;
                return {};
            }
            if (value_[at_] == '\\' && at_ + 1 < value_.size())
                ++at_;
            text += value_[at_];
        }
        return util::invalid("a quote without its second one");
    }

    static bool begins_rule(std::string_view text)
    {
        return text.starts_with('|') || text.starts_with('/') || util::starts_with_nocase(text, include_word);
    }

    util::Result<void> add(Destination destination)
    {
        if (destination.text.size() > max_destination_length)
            return util::invalid(util::concat("a destination longer than ", max_destination_length, " bytes"));
        if (has_controls(destination.text))
            return util::invalid("a destination with a control character");
        if (found_.size() >= limit_)
            return util::invalid(util::concat("more than ", limit_, " destinations"));
        found_.push_back(std::move(destination));
        return {};
    }

    util::Result<void> add_rule(std::string_view text)
    {
        Destination made;
        if (text.starts_with('/')) {
            made.kind = Destination::Kind::File;
            made.text = text;
        } else if (text.starts_with('|')) {
            made.kind = Destination::Kind::Command;
            made.text = util::trim(text.substr(1));
        } else {
            made.kind = Destination::Kind::Include;
            made.text = util::trim(text.substr(include_word.size()));
        }
        if (made.text.empty())
            return util::invalid("a command or a file without a name");
        if (made.kind == Destination::Kind::Include && !made.text.starts_with('/'))
            return util::invalid(":include: without a path that begins with /");
        return add(std::move(made));
    }

    // Names with blanks between them are several, as in other tables.
    util::Result<void> add_addresses(std::string_view text)
    {
        bool plain = text.starts_with('\\');
        if (plain)
            text.remove_prefix(1);
        auto entries = parse_address_words(text, limit_ + 1);
        for (const ListEntry& entry : entries) {
            if (entry.kind != ListEntry::Kind::Address)
                continue;
            Address address{entry.local_part, util::lower(entry.domain)};
            auto checked = parse_address(to_text(address));
            if (!checked.ok() || checked->is_null())
                return util::invalid(util::concat("\"", util::printable(text, 100), "\" is no address"));
            TRY(add({.kind = Destination::Kind::Address, .text = to_text(*checked), .plain = plain}));
        }
        if (entries.empty() && !text.empty() && text.front() != '(')
            return util::invalid(util::concat("\"", util::printable(text, 100), "\" is no address"));
        return {};
    }

    std::string_view value_;
    std::size_t limit_;
    std::size_t at_ = 0;
    std::vector<Destination> found_;
};

}  // namespace

util::Result<std::vector<Destination>> parse_destinations(std::string_view value, std::size_t limit)
{
    return ValueReader(value, limit).run();
}

util::Result<std::vector<Destination>> parse_destination_file(std::string_view text, std::size_t limit)
{
    std::vector<Destination> all;
    std::size_t number = 0;
    for (std::string_view line : util::split(text, '\n')) {
        ++number;
        if (util::trim_left(line).starts_with('#'))
            continue;
        auto found = parse_destinations(util::trim_right(line), limit);
        if (found.ok() && all.size() + found->size() > limit)
            found = util::invalid(util::concat("more than ", limit, " destinations"));
        if (!found.ok())
            return std::move(found).take_error().in(util::concat("line ", number));
        for (Destination& one : *found)
            all.push_back(std::move(one));
    }
    return all;
}

}  // namespace mail
