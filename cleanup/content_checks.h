// ContentChecks: the tables of header_checks(5), and what their answers mean.
#pragma once

#include "cleanup/config.h"
#include "libconf/table.h"
#include "libmail/mime_lines.h"

#include <bitset>
#include <string>
#include <string_view>

namespace cleanup {

struct Action {
    enum class Kind : std::uint8_t {
        Dunno,
        Bcc,        // `text` is an address
        Discard,
        Filter,     // `text` is transport:nexthop
        Hold,
        Ignore,
        Info,
        Pass,
        Prepend,
        Redirect,   // `text` is an address
        Reject,     // `text` may be empty
        Replace,
        Strip,
        Warn,
        Invalid,    // an answer that is none; `text` says what is wrong
    };
    Kind kind = Kind::Dunno;
    std::string text;
};

// Of a field, or of a line of text.
enum class ActionContext : std::uint8_t { Header, Body };

// A table's answer.  What an action needs and does not have makes it Invalid.
Action parse_action(std::string_view answer, ActionContext context);

// Characters as message_reject_characters writes them.  Invalid: a bad escape.
util::Result<std::bitset<256>> parse_characters(std::string_view text);

// The tables of a parameter.  An error names it.
util::Result<conf::Tables> tables_of(const conf::Words& parameter);

class ContentChecks {
public:
    // Invalid: a table's name, or characters.  Nothing is read yet.
    static util::Result<ContentChecks> open(const Config& config);

    // Which tables a field is looked up in: fields about MIME have their own.
    conf::Tables& tables_for(mail::FieldClass field_class, std::string_view lower_name);
    // "header_checks", for log lines.
    std::string_view name_for(mail::FieldClass field_class, std::string_view lower_name) const;
    conf::Tables& body() { return body_; }

    bool any() const { return of_header() || of_mime() || rejected_.any() || stripped_.any(); }
    // Is anything asked about the header, or about what follows it?
    bool of_header() const { return !header_.empty() || !mime_.empty(); }
    bool of_fields() const { return of_header() || !nested_.empty(); }
    bool of_body() const { return !body_.empty(); }
    // Must MIME be looked at?
    bool of_mime() const { return !mime_.empty() || !nested_.empty() || !body_.empty() || strict_; }
    bool strict() const { return strict_; }

    const std::bitset<256>& rejected_characters() const { return rejected_; }
    const std::bitset<256>& stripped_characters() const { return stripped_; }

private:
    ContentChecks() = default;

    conf::Tables header_, mime_, nested_, body_;
    bool strict_ = false;
    std::bitset<256> rejected_, stripped_;
};

}  // namespace cleanup
