#include "libmail/seven_bit.h"

#include "libmail/encoding.h"
#include "libmail/header.h"
#include "libmail/mime.h"
#include "libutil/text.h"

#include <vector>

namespace mail {

namespace {

constexpr std::string_view encoding_field = "Content-Transfer-Encoding";

struct Edit {
    std::size_t offset = 0;
    std::size_t length = 0;
    std::string replacement;
};

std::string_view body_of(std::string_view message, const Part& part) { return message.substr(part.body, part.end - part.body); }

bool is_identity(const Part& part)
{
    std::string_view token = first_token(part.transfer_encoding);
    for (std::string_view name : {"", "7bit", "8bit", "binary"})
        if (util::equal_nocase(token, name))
            return true;
    return false;
}

// Pieces of messages that must not be encoded (RFC 2046 §5.2).
bool is_opaque_message(const Part& part) { return part.type.is_type("message") || part.type.is_type("multipart"); }

bool wants_quoted_printable(std::string_view message, const Part& part)
{
    return part.kind == Part::Kind::Leaf && !is_opaque_message(part) && is_identity(part) &&
           !util::is_ascii(body_of(message, part));
}

bool declares_eight_bit(const Part& part)
{
    std::string_view token = first_token(part.transfer_encoding);
    return util::equal_nocase(token, "8bit") || util::equal_nocase(token, "binary");
}

// Puts `encoding` into the part's header, in the place of what is there.
void say_encoding(std::vector<Edit>& edits, std::string_view message, const Part& part, std::string_view encoding)
{
    std::string_view header = message.substr(part.header, part.body - part.header);
    HeaderReader reader(header);
    FieldView field;
    bool said = false, version = false, type = false;
    std::string line = util::concat(encoding_field, ": ", encoding, "\r\n");
    std::size_t fields_end = 0;
    while (reader.next(field)) {
        fields_end = field.offset + field.text.size();
        version = version || field.is("MIME-Version");
        type = type || field.is("Content-Type");
        if (!field.is(encoding_field))
            continue;
        edits.push_back({part.header + field.offset, field.text.size(), said ? std::string() : line});
        said = true;
    }
    bool is_root = part.parent == Part::none;
    std::string more = said ? std::string() : line;
    if (is_root && !version)
        more += "MIME-Version: 1.0\r\n";
    if (is_root && !version && !type)
        more += "Content-Type: text/plain; charset=unknown-8bit\r\n";
    // A header without its empty line is followed by the body at once.
    if (!reader.complete() && !more.empty()) {
        if (fields_end > 0 && header[fields_end - 1] != '\n')
            more.insert(0, "\r\n");
        more += "\r\n";
    }
    if (!more.empty())
        edits.push_back({part.header + fields_end, 0, std::move(more)});
}

}  // namespace

std::string to_seven_bit(std::string_view message)
{
    MimeTreeView tree = parse_mime(message);
    std::vector<Edit> edits;
    // Parts stand in the order of their beginnings, and so do the edits: a part's fields before its body, which
    // is replaced only where it has no parts.
    for (const Part& part : tree.parts) {
        if (wants_quoted_printable(message, part)) {
            say_encoding(edits, message, part, "quoted-printable");
            edits.push_back({part.body, part.end - part.body, encode_quoted_printable(body_of(message, part))});
        } else if (part.kind != Part::Kind::Leaf && declares_eight_bit(part)) {
            say_encoding(edits, message, part, "7bit");
        } else if (part.kind == Part::Kind::Leaf && declares_eight_bit(part) && util::is_ascii(body_of(message, part))) {
            say_encoding(edits, message, part, "7bit");
        }
    }
    std::string out;
    out.reserve(message.size() + message.size() / 8);
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        out += message.substr(at, edit.offset - at);
        out += edit.replacement;
        at = edit.offset + edit.length;
    }
    out += message.substr(at);
    return out;
}

}  // namespace mail
