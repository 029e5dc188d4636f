// Mail addresses of the envelope: RFC 5321 Mailbox and paths, with RFC 6531 (SMTPUTF8).
//
// An Address holds values, not syntax: the local part without quotes and backslashes, the domain in
// lower case.  Neither ever holds a control byte, so both are safe in logs and on the wire once
// to_text() has added the quotes that are needed.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>
#include <utility>

namespace mail {

// Limits, in bytes.  RFC 5321 §4.5.3.1 asks for at least 64, 255 and 256, and for more where that
// can be had: VERP and SRS senders need longer local parts.
constexpr std::size_t max_local_part_length = 256;
constexpr std::size_t max_domain_length = 255;
constexpr std::size_t max_label_length = 63;   // RFC 1035 §2.3.4; U-labels may take twice as many bytes
constexpr std::size_t max_path_length = 1024;  // with angle brackets and source route

struct Address {
    std::string local_part;  // unquoted; case kept
    // Lower case (ASCII letters only), A-labels or U-labels as given; "[192.0.2.1]" and
    // "[IPv6:2001:db8::1]" in canonical form; empty for a name that waits for its domain.
    std::string domain;

    // The null reverse-path "<>" (RFC 5321 §4.5.5).
    bool is_null() const { return local_part.empty() && domain.empty(); }
    bool is_literal() const { return !domain.empty() && domain.front() == '['; }
    // Does it need SMTPUTF8 on its way (RFC 6531 §3.2)?
    bool needs_utf8() const;

    bool operator==(const Address&) const = default;
    auto operator<=>(const Address&) const = default;
};

struct PathSyntax {
    bool utf8 = false;  // SMTPUTF8 was given: UTF-8 in local part and domain
    // strict_rfc821_envelopes: angle brackets required, no spaces around the path, no dots in
    // unusual places.  Otherwise "MAIL FROM: user@example.com" and "a..b@example.com" pass.
    bool strict = false;
};

// A path and what followed it.
struct ParsedPath {
    Address address;
    std::string_view rest;  // of the input, from the blank before the parameters; or empty
};

// The path at the start of `text` (what stands after "FROM:" or "TO:"); source routes are dropped
// (RFC 5321 §3.6.1, appendix C).  Invalid: a text for a 501 reply.
//
// Reverse: "<>" is the null address.  Forward: "<>" is refused, "<postmaster>" has no domain
// (RFC 5321 §4.1.1.3); any other name without domain passes unless strict, for the caller to complete.
util::Result<ParsedPath> read_reverse_path(std::string_view text, PathSyntax syntax);
util::Result<ParsedPath> read_forward_path(std::string_view text, PathSyntax syntax);

// The same, where nothing may follow.
util::Result<Address> parse_reverse_path(std::string_view text, PathSyntax syntax = {});
util::Result<Address> parse_forward_path(std::string_view text, PathSyntax syntax = {});

// "local@domain" or "local" without brackets: configuration, tables, queue files, command lines.
util::Result<Address> parse_address(std::string_view text, bool utf8 = true);

// A domain name or an address literal, in the form that Address::domain has.  Labels: letters,
// digits, hyphen and underscore, UTF-8 when allowed; one trailing dot is dropped.
util::Result<std::string> parse_domain(std::string_view text, bool utf8 = true);

// local@domain with quotes where RFC 5321 §4.1.2 needs them; "" for the null address; parse_address
// reads it back.
std::string to_text(const Address& address);
// "<local@domain>" or "<>".
std::string to_path(const Address& address);
// The local part, quoted if need be.
std::string quote_local_part(std::string_view local_part);

// user and extension of "user+extension" at the first of `delimiters` (recipient_delimiter);
// the second is without the delimiter, and empty when there is none.  Not split: postmaster,
// mailer-daemon, double-bounce, an empty user; where '-' is a delimiter, owner-list and list-request.
std::pair<std::string_view, std::string_view> split_extension(std::string_view local_part,
                                                              std::string_view delimiters);

// Equal, with local parts compared without regard to ASCII case (as delivery to local accounts does).
bool equal_nocase(const Address& a, const Address& b);

}  // namespace mail
