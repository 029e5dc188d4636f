// Sections of BODY[...]: RFC 9051 §6.4.5.1, and BINARY: RFC 3516.
#include "libmail/imap_render.h"

#include "libmail/encoding.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

using util::equal_nocase;

// RFC 2045 §6.1; the empty encoding is 7bit.
enum class Encoding { Identity, Base64, QuotedPrintable, Unknown };

Encoding encoding_of(const Part& part)
{
    std::string_view name = first_token(part.transfer_encoding);
    if (name.empty() || equal_nocase(name, "7bit") || equal_nocase(name, "8bit") ||
        equal_nocase(name, "binary"))
        return Encoding::Identity;
    if (equal_nocase(name, "base64"))
        return Encoding::Base64;
    return equal_nocase(name, "quoted-printable") ? Encoding::QuotedPrintable : Encoding::Unknown;
}

Range header_range(const Part& part) { return {part.header, part.body - part.header}; }
Range body_range(const Part& part) { return {part.body, part.end - part.body}; }

}  // namespace

util::Result<Section> parse_section(std::string_view text)
{
    Section section;
    while (!text.empty() && util::is_digit(text.front())) {
        std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
        auto number = util::parse_unsigned(text.substr(0, end), UINT32_MAX);
        if (!number.ok() || *number == 0 || text.front() == '0')
            return util::invalid("Bad part number");
        if (section.part.size() >= max_section_depth)
            return util::invalid("Part number too deep");
        section.part.push_back(std::uint32_t(*number));
        text.remove_prefix(end);
        if (text.empty())
            return section;
        if (text.front() != '.' || text.size() == 1)
            return util::invalid("Bad section");
        text.remove_prefix(1);
    }
    struct Name {
        std::string_view text;
        Section::What what;
    };
    constexpr Name names[] = {{"", Section::What::All},
                              {"HEADER", Section::What::Header},
                              {"HEADER.FIELDS", Section::What::HeaderFields},
                              {"HEADER.FIELDS.NOT", Section::What::HeaderFieldsNot},
                              {"TEXT", Section::What::Text},
                              {"MIME", Section::What::Mime}};
    for (const Name& name : names) {
        if (!equal_nocase(text, name.text))
            continue;
        if (name.what == Section::What::Mime && section.part.empty())
            return util::invalid("MIME needs a part number");
        section.what = name.what;
        return section;
    }
    return util::invalid("Bad section");
}

std::string section_text(const Section& section)
{
    constexpr std::string_view names[] = {"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"};
    std::string out;
    for (std::uint32_t number : section.part)
        util::append(out, out.empty() ? "" : ".", number);
    std::string_view name = names[std::size_t(section.what)];
    if (!name.empty())
        util::append(out, out.empty() ? "" : ".", name);
    if (section.what != Section::What::HeaderFields && section.what != Section::What::HeaderFieldsNot)
        return out;
    out += " (";
    for (std::size_t i = 0; i < section.fields.size(); ++i) {
        // Field names are atoms but where a client asks for odd ones.
        const std::string& field = section.fields[i];
        bool atom = !field.empty() && std::ranges::all_of(field, [](char c) {
            return util::is_printable(c) && std::string_view(" (){%*\"\\]").find(c) == std::string_view::npos;
        });
        out += i > 0 ? " " : "";
        if (atom)
            out += field;
        else
            append_imap_string(out, field);
    }
    out += ')';
    return out;
}

const Part* find_part(const MimeTreeView& tree, const std::vector<std::uint32_t>& numbers)
{
    const Part* part = &tree.root();
    bool whole_message = true;  // numbers count within this message's body
    for (std::uint32_t number : numbers) {
        if (!whole_message && part->kind == Part::Kind::Message) {
            part = tree.child(*part, 1);
            whole_message = true;
        }
        if (part->kind == Part::Kind::Multipart) {
            part = tree.child(*part, number);
            whole_message = false;
        } else if (!whole_message || number != 1) {
            return nullptr;
        } else {
            whole_message = false;  // a message that is no multipart is its own part 1
        }
        if (!part)
            return nullptr;
    }
    return part;
}

std::optional<Range> find_section(const MimeTreeView& tree, const Section& section)
{
    const Part* part = find_part(tree, section.part);
    if (!part)
        return std::nullopt;
    bool message = section.part.empty();
    if (section.what == Section::What::All)
        return message ? Range{0, part->end} : body_range(*part);
    if (section.what == Section::What::Mime)
        return header_range(*part);
    if (!message) {  // HEADER and TEXT of a part are those of the message it embeds
        if (part->kind != Part::Kind::Message)
            return std::nullopt;
        part = tree.child(*part, 1);
    }
    return section.what == Section::What::Text ? body_range(*part) : header_range(*part);
}

std::optional<std::string> section_content(std::string_view message, const MimeTreeView& tree,
                                           const Section& section)
{
    std::optional<Range> range = find_section(tree, section);
    if (!range)
        return std::nullopt;
    std::string_view text = message.substr(range->offset, range->size);
    if (section.what == Section::What::HeaderFields)
        return select_fields(text, section.fields, false);
    if (section.what == Section::What::HeaderFieldsNot)
        return select_fields(text, section.fields, true);
    return std::string(text);
}

std::string select_fields(std::string_view header, const std::vector<std::string>& names, bool inverse)
{
    std::string out;
    HeaderReader reader(header);
    FieldView field;
    while (reader.next(field)) {
        bool named = std::ranges::any_of(names, [&](const std::string& name) { return field.is(name); });
        if (named != inverse)
            out += field.text;
    }
    // RFC 9051 §6.4.5.1: the empty line is always there, but in a message without body and without it.
    if (reader.complete())
        out += "\r\n";
    return out;
}

util::Result<std::string> decoded_content(std::string_view message, const Part& part)
{
    std::string_view body = message.substr(part.body, part.end - part.body);
    switch (encoding_of(part)) {
    case Encoding::Base64:
        return decode_base64_lenient(body);
    case Encoding::QuotedPrintable:
        return decode_quoted_printable(body);
    case Encoding::Identity:
        return std::string(body);
    case Encoding::Unknown:
        break;
    }
    return util::permanent("Unknown content transfer encoding");
}

std::string decoded_start(std::string_view message, const Part& part, std::size_t limit)
{
    std::string_view body = message.substr(part.body, part.end - part.body);
    switch (encoding_of(part)) {
    case Encoding::Base64:
        return decode_base64_lenient(body, limit);
    case Encoding::QuotedPrintable:
        return decode_quoted_printable(body, limit);
    case Encoding::Identity:
    case Encoding::Unknown:
        break;
    }
    return std::string(body.substr(0, limit));
}

}  // namespace mail
