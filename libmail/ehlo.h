// What a server's reply to EHLO (or LHLO) announces: RFC 5321 §4.1.1.1 and the extensions' own RFCs.
#pragma once

#include "libmail/reply.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_announced_words = 50;   // of one keyword; more are passed over

struct ServerExtensions {
    std::string name;                    // the server's, as it says: the first word of the first line
    bool pipelining = false;             // RFC 2920
    bool eight_bit_mime = false;         // RFC 6152
    bool utf8 = false;                   // RFC 6531
    bool dsn = false;                    // RFC 3461
    bool starttls = false;               // RFC 3207
    bool chunking = false;               // RFC 3030
    bool enhanced_status_codes = false;  // RFC 2034
    bool requiretls = false;             // RFC 8689
    bool size = false;                   // RFC 1870
    std::uint64_t size_limit = 0;        // 0: none is told
    bool auth = false;
    std::vector<std::string> mechanisms; // of AUTH (RFC 4954), in upper case, each once
    std::vector<std::string> xforward;   // attributes of Postfix's XFORWARD, in upper case

    bool takes_xforward(std::string_view attribute) const;
};

// Reads a positive reply to EHLO.  Keywords that are in `discard` (any case: pipelining, size, starttls,
// auth, ...) count as not announced.  "AUTH=" of old servers is taken for AUTH.
ServerExtensions parse_ehlo(const Reply& reply, const std::vector<std::string>& discard = {});

}  // namespace mail
