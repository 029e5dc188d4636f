// Surrogates of internationalized messages: RFC 6858, with RFC 6857's ways for free text and parameters.
#include "libmail/surrogate.h"

#include "libmail/address.h"
#include "libmail/address_list.h"
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libmail/mime.h"
#include "libutil/text.h"

#include <algorithm>
#include <iterator>

namespace mail {

namespace {

constexpr std::size_t max_parameter_text = 900;   // a line may have 998 (RFC 5322 §2.1.1)

// RFC 6858 §2.1.
constexpr std::string_view address_fields[] = {
    "Bcc",         "Cc",            "From",      "Reply-To",    "Resent-Bcc", "Resent-Cc",
    "Resent-From", "Resent-Sender", "Resent-To", "Return-Path", "Sender",     "To",
};
// Not a field of addresses there, but what local(8) writes.
constexpr std::string_view delivered_field = "Delivered-To";
constexpr std::string_view text_fields[] = {"Comments", "Content-Description", "Keywords", "Subject"};

bool is_one_of(const FieldView& field, const auto& names)
{
    return std::any_of(std::begin(names), std::end(names), [&](std::string_view name) { return field.is(name); });
}

// Bytes above 127, and UTF-8.
bool is_international(std::string_view header)
{
    return !util::is_ascii(header) && util::is_utf8(header);
}

bool is_international(const ListEntry& entry)
{
    return entry.kind == ListEntry::Kind::Address && (!util::is_ascii(entry.local_part) || !util::is_ascii(entry.domain));
}

// May this stand in a field, between its folds?
bool is_plain(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c == '\t' || util::is_printable(c); });
}

// Encoded-words, each on a line of its own.
std::string encoded(std::string_view utf8)
{
    auto words = encode_header_text(utf8);
    std::string out;
    std::size_t begin = 0;
    for (auto at = words.find("?= =?"); at != std::string::npos; at = words.find("?= =?", begin)) {
        util::append(out, std::string_view(words).substr(begin, at + 2 - begin), "\r\n ");
        begin = at + 3;
    }
    return out += words.substr(begin);
}

std::string phrase(std::string_view text)
{
    if (!util::is_ascii(text))
        return encoded(text);
    // As to_header() quotes a display name.
    ListEntry entry;
    entry.has_name = true;
    entry.name = text;
    auto whole = to_header(entry);
    return whole.substr(0, whole.rfind(" <"));
}

std::string surrogate_entry(const ListEntry& entry)
{
    auto address = to_text({entry.local_part, entry.domain});
    if (!util::is_ascii(address)) {
        auto told = entry.has_name && !entry.name.empty() ? util::concat(entry.name, " <", address, '>') : address;
        return util::concat(encoded(told), " <", surrogate_address, '>');
    }
    if (!entry.has_name || util::is_ascii(entry.name))
        return to_header(entry);
    return util::concat(encoded(entry.name), " <", address, '>');
}

std::string surrogate_addresses(std::string_view value)
{
    std::string out;
    bool separate = false;
    for (const auto& entry : parse_address_list(value)) {
        if (entry.kind == ListEntry::Kind::GroupEnd) {
            out += ';';
            separate = true;
            continue;
        }
        if (separate)
            out += ",\r\n ";
        separate = entry.kind == ListEntry::Kind::Address;
        if (entry.kind == ListEntry::Kind::GroupStart)
            util::append(out, phrase(entry.local_part), ": ");
        else
            out += surrogate_entry(entry);
    }
    return out;
}

// Empty when it cannot be written.
std::string parameter_text(const MimeParameter& parameter)
{
    if (!is_plain(parameter.name))
        return {};
    std::string text;
    if (!parameter.encoded && is_plain(parameter.value)) {
        text = util::concat(parameter.name, "=\"");
        for (char c : parameter.value) {
            if (c == '"' || c == '\\')
                text += '\\';
            text += c;
        }
        text += '"';
    } else {
        auto extended = parameter;
        if (!extended.encoded)
            extended.charset = "utf-8";
        text = util::concat(parameter.name, "*=", extended.extended_value());
    }
    return is_plain(text) && text.size() <= max_parameter_text ? text : std::string();
}

std::string with_parameters(std::string text, const std::vector<MimeParameter>& parameters)
{
    for (const auto& parameter : parameters)
        if (auto written = parameter_text(parameter); !written.empty())
            util::append(text, ";\r\n ", written);
    return text;
}

std::string surrogate_type(std::string_view value, bool rename)
{
    auto type = parse_media_type(value);
    if (!type)
        return {};
    return with_parameters(util::concat(type->type, '/', rename ? "rfc822" : std::string_view(type->subtype)),
                           type->parameters);
}

std::string surrogate_disposition(std::string_view value)
{
    auto disposition = parse_disposition(value);
    return disposition ? with_parameters(disposition->type, disposition->parameters) : std::string();
}

// The value for a field that cannot stay as it is; empty: the field is left out (RFC 6858 §2.4).
std::string surrogate_value(const FieldView& field, bool rename)
{
    std::string value;
    if (is_one_of(field, address_fields))
        value = surrogate_addresses(field.value);
    else if (is_one_of(field, text_fields))
        value = encoded(unfold(field.value));
    else if (field.is("Content-Type"))
        value = surrogate_type(field.value, rename);
    else if (field.is("Content-Disposition"))
        value = surrogate_disposition(field.value);
    // Whatever the field held, it is one field still.
    std::string lines;
    for (std::size_t at = 0; at < value.size(); ++at) {
        if (value.compare(at, 3, "\r\n ") == 0)
            at += 2;
        else
            lines += value[at];
    }
    return is_plain(lines) ? value : std::string();
}

class Surrogate {
public:
    explicit Surrogate(std::string_view message) : message_(message) {}

    // The header of the message or of a part, which lies behind those that were added before.
    void add(const Part& part)
    {
        auto header = message_.substr(part.header, part.body - part.header);
        bool international = is_international(header);
        // RFC 6532 §3.7: with an ASCII header it is message/rfc822.
        bool rename = part.kind == Part::Kind::Message && part.type.is("message", "global");
        any_ = any_ || has_international_address(header);
        HeaderReader reader(header);
        FieldView field;
        while ((international || rename) && reader.next(field)) {
            bool is_ascii = util::is_ascii(field.text);
            if (is_ascii ? rename && field.is("Content-Type") : international)
                replace(part.header + field.offset, field, rename);
        }
    }
    std::optional<std::string> take()
    {
        if (!any_)
            return std::nullopt;
        out_ += message_.substr(at_);
        return std::move(out_);
    }

private:
    void replace(std::size_t offset, const FieldView& field, bool rename)
    {
        auto value = surrogate_value(field, rename);
        out_ += message_.substr(at_, offset - at_);
        at_ = offset + field.text.size();
        if (value.empty())
            return;
        auto text = util::concat(field.name, ": ", value, "\r\n");
        if (text.size() > field.text.size())
            growth_ += text.size() - field.text.size();
        if (growth_ <= max_surrogate_growth)
            out_ += text;
    }

    std::string_view message_;
    std::string out_;
    std::size_t at_ = 0;       // of the message, what comes next
    std::size_t growth_ = 0;
    bool any_ = false;
};

}  // namespace

bool has_international_address(std::string_view header)
{
    if (!is_international(header))
        return false;
    HeaderReader reader(header);
    FieldView field;
    while (reader.next(field)) {
        if (util::is_ascii(field.value))
            continue;
        if (field.is(delivered_field))
            return true;
        if (is_one_of(field, address_fields) &&
            std::ranges::any_of(parse_address_list(field.value),
                                [](const ListEntry& entry) { return is_international(entry); }))
            return true;
    }
    return false;
}

bool may_need_surrogate(std::string_view header, std::string_view body_structure)
{
    return has_international_address(header) || (!util::is_ascii(body_structure) && util::is_utf8(body_structure) &&
                                                 util::lower(body_structure).find("\"message\"") != std::string::npos);
}

std::optional<std::string> make_surrogate(std::string_view message)
{
    auto tree = parse_mime(message);
    Surrogate surrogate(message);
    for (const auto& part : tree.parts)
        surrogate.add(part);
    return surrogate.take();
}

}  // namespace mail
