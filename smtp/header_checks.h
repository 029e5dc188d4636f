// HeaderChecks: smtp_header_checks and its kin, which change a message that goes to another site; header_checks(5)
// without what would change where it goes, or whether.
#pragma once

#include "libconf/table.h"
#include "libmail/mime_lines.h"
#include "smtp/config.h"

#include <optional>
#include <string>
#include <string_view>

namespace smtp {

// What becomes of a field, or of a line of text.
struct CheckedLine {
    std::string before;                      // a line to be put in front, with its end
    bool drop = false;
    std::optional<std::string> replacement;  // of a field with its end, of a line without
};

class HeaderChecks {
public:
    // Invalid: a table's name.
    static util::Result<HeaderChecks> open(const Config& config);

    bool of_header() const { return !header_.tables.empty() || !mime_.tables.empty(); }
    // Is anything asked about what follows the header?
    bool of_body() const { return !mime_.tables.empty() || !nested_.tables.empty() || !body_.tables.empty(); }

    // The header as the tables want it; what they say goes into the log.  Temporary: a table cannot be read.
    util::Result<std::string> apply(std::string_view header, std::string_view queue_id);
    // A field, with its end; Primary: of the message's own header.
    util::Result<CheckedLine> check_field(mail::FieldClass field_class, std::string_view field, std::string_view queue_id);
    // A line of text, without its end.
    util::Result<CheckedLine> check_line(std::string_view line, std::string_view queue_id);

private:
    struct List {
        conf::Tables tables;
        std::string name;   // of the parameter
    };
    HeaderChecks() = default;
    List& list_for(mail::FieldClass field_class, std::string_view name);
    util::Result<CheckedLine> look_up(List& list, bool header, std::string_view text, std::string_view queue_id);

    List header_, mime_, nested_, body_;
};

}  // namespace smtp
