// MimeLines: a machine over lines.
#include "libmail/mime_lines.h"

#include "libmail/header.h"
#include "libmail/media_type.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

bool has_eight_bit(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string_view without_end(std::string_view line)
{
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

}  // namespace

std::string_view describe(MimeFault fault)
{
    switch (fault) {
    case MimeFault::Nesting:
        return "MIME nesting exceeds safety limit";
    case MimeFault::EightBitInHeader:
        return "improper use of 8-bit data in message header";
    case MimeFault::EightBitInBody:
        return "improper use of 8-bit data in message body";
    case MimeFault::EncodingDomain:
        break;
    }
    return "invalid message/* or multipart/* encoding domain";
}

void MimeLines::begin(std::string_view content_type, std::string_view encoding, std::uint64_t body_offset)
{
    offset_ = body_offset_ = body_offset;
    Entity entity;
    entity.type = content_type;
    entity.has_type = !content_type.empty();
    entity.encoding = encoding;
    entity.has_encoding = !encoding.empty();
    enter(entity);
}

void MimeLines::feed(std::string_view bytes)
{
    // A line longer than `piece` comes in pieces, the same ones however the bytes come; a boundary fits
    // into the first.
    std::size_t piece = std::max(limits_.line_length, limits_.boundary_length + 4);
    std::size_t capacity = piece + 2;
    while (!bytes.empty()) {
        std::string_view window = bytes.substr(0, capacity - rest_.size());
        std::size_t newline = window.find('\n');
        bool complete = newline != std::string_view::npos;
        if (!complete && window.size() + rest_.size() < capacity) {
            rest_ += window;
            return;
        }
        if (complete)
            window = window.substr(0, newline + 1);
        bytes.remove_prefix(window.size());
        if (complete && rest_.empty()) {
            take_line(window, true);
            continue;
        }
        rest_ += window;
        std::size_t length = complete ? rest_.size() : piece;
        take_line(std::string_view(rest_).substr(0, length), complete);
        rest_.erase(0, length);
    }
}

void MimeLines::finish()
{
    if (!rest_.empty())
        take_line(rest_, true);
    rest_.clear();
    end_field();
}

// A line, or a piece of one that is too long; offset_ is its beginning.
void MimeLines::take_line(std::string_view line, bool complete)
{
    bool first = !std::exchange(line_begun_, !complete);
    if (first)
        line_is_text_ = state_ == State::Body;
    if (!first && line_is_text_)
        tell_text(line);
    else if (!first)
        add_to_field(line);
    else if (line_is_text_)
        text_line(line);
    else
        header_line(line);
    offset_ += line.size();
}

void MimeLines::add_to_field(std::string_view line)
{
    field_ += line.substr(0, limits_.field_length - std::min(limits_.field_length, field_.size()));
    field_length_ += line.size();
}

void MimeLines::tell_text(std::string_view line)
{
    std::string_view text = without_end(line);
    if (domain_ == Domain::SevenBit && has_eight_bit(text))
        sink_.fault(MimeFault::EightBitInBody, text);
    sink_.line(text, offset_, line.size(), offset_ - body_offset_);
}

void MimeLines::text_line(std::string_view line)
{
    bool delimiter = !boundaries_.empty() && line.starts_with("--") && at_delimiter(line);
    tell_text(line);
    if (delimiter)
        begin_part(line);
}

void MimeLines::begin_part(std::string_view delimiter)
{
    entity_ = {};
    domain_ = Domain::SevenBit;
    state_ = part_follows_ ? State::Part : State::Body;
    body_offset_ = offset_ + delimiter.size();
}

void MimeLines::header_line(std::string_view line)
{
    if (util::is_blank(line.front()) && field_length_ > 0)
        return add_to_field(line);
    if (line.starts_with("--") && at_delimiter(line)) {
        // A header that a delimiter cuts short has no body, and what it says begins nothing.
        end_field();
        line_is_text_ = true;
        tell_text(line);
        return begin_part(line);
    }
    if (without_end(line).empty()) {
        end_header();
        body_offset_ = offset_ + line.size();
        return;
    }
    end_field();
    field_offset_ = offset_;
    field_.clear();
    add_to_field(line);
}

void MimeLines::end_field()
{
    if (field_length_ == 0)
        return;
    if (has_eight_bit(field_))
        sink_.fault(MimeFault::EightBitInHeader, without_end(field_));
    HeaderReader reader(field_);
    FieldView view;
    if (reader.next(view)) {
        // The first one of a name counts, as in parse_mime().
        if (view.is("Content-Type") && !entity_.has_type && parse_media_type(view.value)) {
            entity_.type = view.value;
            entity_.has_type = true;
        } else if (view.is("Content-Transfer-Encoding") && !entity_.has_encoding) {
            entity_.encoding = view.value;
            entity_.has_encoding = true;
        }
    }
    sink_.field(state_ == State::Part ? FieldClass::Part : FieldClass::Nested, field_, field_offset_, field_length_);
    field_.clear();
    field_length_ = 0;
}

void MimeLines::end_header()
{
    end_field();
    Entity entity = std::move(entity_);
    entity_ = {};
    enter(entity);
}

// What follows a header.
void MimeLines::enter(const Entity& entity)
{
    bool in_digest = std::exchange(in_digest_, false);
    auto type = entity.has_type ? parse_media_type(entity.type) : std::nullopt;
    if (!type)
        type = in_digest ? MediaType{"message", "rfc822", {}} : MediaType{"text", "plain", {}};
    std::string_view encoding = first_token(entity.encoding);
    bool encoded = util::equal_nocase(encoding, "base64") || util::equal_nocase(encoding, "quoted-printable");
    domain_ = util::equal_nocase(encoding, "8bit")     ? Domain::EightBit
              : util::equal_nocase(encoding, "binary") ? Domain::Binary
                                                       : Domain::SevenBit;
    state_ = State::Body;
    bool composite = type->is_type("multipart") || type->is_type("message");
    if (!composite)
        return;
    bool must_be_plain = type->is("message", "partial") || type->is("message", "external-body");
    // RFC 2045 §6.4, RFC 2046 §5.2.2.1 and §5.2.3; RFC 6532 §3.5 lets message/global be encoded.
    if ((encoded && !type->is("message", "global") && !type->is("message", "global-headers")) ||
        (must_be_plain && domain_ != Domain::SevenBit))
        sink_.fault(MimeFault::EncodingDomain, entity.encoding);
    if (type->is_type("multipart")) {
        const MimeParameter* parameter = type->find("boundary");
        std::string text(parameter ? util::trim_right(parameter->value) : std::string_view());
        text.resize(std::min(text.size(), limits_.boundary_length));
        if (text.empty())
            return;
        if (boundaries_.size() >= limits_.nesting)
            sink_.fault(MimeFault::Nesting, text);
        else
            boundaries_.push_back({std::move(text), util::equal_nocase(type->subtype, "digest")});
    } else if (type->is("message", "rfc822") || type->is("message", "global")) {
        state_ = State::Nested;
    }
}

// RFC 2046 §5.1.1, as in parse_mime(): the longest boundary that fits, the innermost among equals.
// What is within it has ended then.
bool MimeLines::at_delimiter(std::string_view line)
{
    std::string_view candidate = line.substr(2);
    std::size_t best = boundaries_.size(), length = 0;
    for (std::size_t i = boundaries_.size(); i > 0; --i) {
        const std::string& text = boundaries_[i - 1].text;
        if (text.size() > length && candidate.starts_with(text)) {
            best = i - 1;
            length = text.size();
        }
    }
    if (length == 0)
        return false;
    bool closing = candidate.substr(length, 2) == "--";
    part_follows_ = !closing;
    boundaries_.erase(boundaries_.begin() + std::ptrdiff_t(closing ? best : best + 1), boundaries_.end());
    in_digest_ = !closing && boundaries_[best].digest;
    return true;
}

}  // namespace mail
