// The parameters of MAIL and RCPT: RFC 1870 SIZE, RFC 6152 BODY, RFC 3030 BINARYMIME, RFC 3461 DSN,
// RFC 4954 AUTH, RFC 6531 SMTPUTF8, RFC 8689 REQUIRETLS; and their encodings xtext and utf-8-addr-xtext.
#pragma once

#include "libmail/address.h"
#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

// Limits, in bytes after decoding.  RFC 3461 §4.2 and §4.4: ENVID up to 100, ORCPT up to 500 encoded.
constexpr std::size_t max_envelope_id = 100;
constexpr std::size_t max_original_recipient = 500;
constexpr std::size_t max_parameters = 32;  // in one command

enum class Body : unsigned char { Unset, SevenBit, EightBit, Binary };
enum class Return : unsigned char { Unset, Headers, Full };

// NOTIFY= as bits; 0 = not given, Never stands alone.
using Notify = unsigned char;
constexpr Notify NotifyNever = 1;
constexpr Notify NotifySuccess = 2;
constexpr Notify NotifyFailure = 4;
constexpr Notify NotifyDelay = 8;

struct MailParameters {
    std::optional<std::uint64_t> size;  // bytes
    Body body = Body::Unset;
    bool utf8 = false;
    Return ret = Return::Unset;
    std::string envelope_id;            // decoded
    std::optional<Address> auth;        // the null address for AUTH=<>
    bool requiretls = false;
};

struct RcptParameters {
    Notify notify = 0;
    std::string original_type;       // "rfc822", "utf-8", ...: lower case; empty = no ORCPT
    std::string original_recipient;  // decoded; printable ASCII, for utf-8 also valid UTF-8
};

// Which extensions EHLO offered: a parameter of another one is as unknown as any.
struct Extensions {
    bool size = true;
    bool eight_bit_mime = true;
    bool binary_mime = false;
    bool utf8 = true;
    bool dsn = true;
    bool auth = true;
    bool requiretls = false;
};

// Parses the blank-separated parameters after a path (ParsedPath::rest).  Errors: Invalid = bad
// value, for 501 5.5.4; Permanent = parameter not known or not offered, for 555 5.5.4
// (RFC 5321 §4.1.1.11).  A parameter given twice is Invalid.
util::Result<MailParameters> parse_mail_parameters(std::string_view text, const Extensions& offered);
util::Result<RcptParameters> parse_rcpt_parameters(std::string_view text, const Extensions& offered,
                                                   bool utf8);

// Is SMTPUTF8 among the parameters?  The path before them is parsed with that knowledge.
bool has_smtputf8(std::string_view parameters);

// RFC 3461 §4.  Decoding is strict: printable ASCII out of +XX and xchars, else Invalid.
std::string encode_xtext(std::string_view text);
util::Result<std::string> decode_xtext(std::string_view text);

// RFC 6533 §3: utf-8-addr-xtext is all ASCII, with \x{HEX} for what xtext cannot say; decoding
// takes utf-8-addr-unitext too.
std::string encode_utf8_xtext(std::string_view text);
util::Result<std::string> decode_utf8_xtext(std::string_view text);

// "rfc822;user@example.com" as the ORCPT= value says it, type and encoded address.  `utf8`: the
// session has SMTPUTF8, so that an address may stay as it is.
std::string orcpt_value(std::string_view type, std::string_view address, bool utf8);

// "SUCCESS,FAILURE", "NEVER", or "" for 0.
std::string notify_value(Notify notify);

}  // namespace mail
