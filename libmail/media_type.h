// Content-Type and Content-Disposition values: RFC 2045 §5.1, RFC 2183, with the continued and
// encoded parameters of RFC 2231.  Reading is lenient where real mail needs it and always linear.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_mime_parameters = 100;          // of one field, put together
constexpr std::size_t max_mime_parameter_pieces = 1000;   // name*0, name*1, ...: more are dropped

struct MimeParameter {
    std::string name;      // as written, without '*'
    std::string value;     // quotes and percent signs resolved, pieces joined; bytes in `charset`
    std::string charset;   // RFC 2231, as written; empty if none was told
    std::string language;
    bool encoded = false;  // it had RFC 2231's charset and language

    // The value as RFC 2231 writes it: charset'language'percent-encoded.
    std::string extended_value() const;
};

struct MediaType {
    std::string type;     // as written: "text", "TEXT"
    std::string subtype;
    std::vector<MimeParameter> parameters;

    bool is(std::string_view type_name, std::string_view subtype_name) const;  // without case
    bool is_type(std::string_view type_name) const;
    // Without regard to case; nullptr if there is none.
    const MimeParameter* find(std::string_view name) const;
};

struct Disposition {
    std::string type;  // "attachment", "inline"
    std::vector<MimeParameter> parameters;
};

// nullopt when there is no type/subtype: then text/plain in US-ASCII is meant (RFC 2045 §5.2).
std::optional<MediaType> parse_media_type(std::string_view value);
std::optional<Disposition> parse_disposition(std::string_view value);

// The parameters in what follows a type: "; charset=utf-8; name*0*=...".
std::vector<MimeParameter> parse_mime_parameters(std::string_view text);

// The first token of a value such as Content-Transfer-Encoding's, comments skipped.
std::string_view first_token(std::string_view value);

}  // namespace mail
