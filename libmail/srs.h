// SRS: the Sender Rewriting Scheme, for mail that is sent on.
//
// A receiver that checks SPF (RFC 7208) finds that this server may not send for the sender's domain.  So the
// sender becomes an address of ours, from which a notification finds its way home:
//
//   user@a.example           SRS0=HASH=TT=a.example=user@ours
//   SRS0=..@b.example        SRS1=HASH=b.example==..@ours        the first forwarder's, and what it made
//   SRS1=H=b.example==..@c   SRS1=HASH=b.example==..@ours        never longer than that
//
// HASH keeps others from making such addresses: the first characters, in base64, of HMAC-SHA-1 over what
// follows, in lower case and without the '=' between (SRS0: TT, domain, user; SRS1: domain, the rest).  TT is
// the day since 1970 modulo 1024 in base32 (RFC 4648 §6).  That is what libsrs2 and postsrsd do: addresses
// made by one are read by the other when secrets and length of the hash are the same.
//
// Systems on the way may change the case of an address, so it never counts.
#pragma once

#include "libmail/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_srs_secrets = 100;
constexpr std::size_t max_srs_secret_length = 1000;   // bytes
constexpr std::size_t max_srs_hash_length = 26;       // all of HMAC-SHA-1
constexpr unsigned max_srs_days = 1023;               // a day comes again after 1024

struct SrsSettings {
    std::string domain;                 // ours, in lower case
    std::vector<std::string> secrets;   // the first one signs, each of them verifies
    unsigned days = 21;                 // how long an address is good for
    std::size_t hash_length = 4;        // of addresses that are made
    std::size_t hash_minimum = 4;       // of addresses that are read
};

// One secret a line, all its bytes but the line end counting; empty lines do not.  Invalid: none, too many, too long.
util::Result<std::vector<std::string>> parse_srs_secrets(std::string_view text);

// Does the local part begin like one of SRS: "SRS0=", "SRS1="?  Some write '+' or '-' for the first '='.
bool has_srs_form(std::string_view local_part);

class Srs {
public:
    explicit Srs(SrsSettings settings) : settings_(std::move(settings)) {}

    // Nothing: the address would be longer than a local part may be; or it is the null sender, or lacks its domain.
    std::optional<Address> forward(const Address& sender, std::int64_t unix_seconds) const;
    // Whose it is.  Invalid: it is none of ours; the text says why, for a reply.
    util::Result<Address> reverse(const Address& address, std::int64_t unix_seconds) const;

private:
    bool is_signed(std::string_view hash, std::string_view text) const;
    util::Result<Address> reverse_first(std::string_view text, std::int64_t unix_seconds) const;
    util::Result<Address> reverse_second(std::string_view text) const;

    SrsSettings settings_;
};

}  // namespace mail
