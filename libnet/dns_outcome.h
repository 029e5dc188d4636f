// What an answer means for its question: CNAMEs followed, negative answers told apart.
#pragma once

#include "libnet/dns_message.h"

namespace net::dns {

// The end of one question, whatever its type.
struct Outcome {
    Status status = Status::TryAgain;
    std::string name;     // after CNAMEs
    unsigned aliases = 0;  // how many those were
    bool secure = false;
    bool secure_name = false;
    std::vector<Record> records;  // none broken, at most max_records; of MX and SRV the first by preference
    std::size_t left_out = 0;     // records beyond max_records
    std::uint32_t ttl = 0;        // seconds
    std::string why;              // of Malformed, TryAgain and Bogus: "SERVFAIL from 192.0.2.1"
    bool unfiltered = false;      // of TryAgain: there is an answer, but not what a filter leaves of it (ReplyFilter::apply)
    // The answer ends in a CNAME whose target nobody spoke of: ask for `name`.
    bool incomplete = false;
};

// `message` answers `question`; its code is NOERROR or NXDOMAIN.  secure and secure_name stay false: whether the AD
// bit counts is not known here.
Outcome outcome_of(const Question& question, const Message& message);

// The outcome of a question whose answer was `first`, incomplete, and of the question for its last name.
Outcome join(Outcome first, Outcome second);

// Of all but Found, in Postfix's words.
std::string explain(const Question& question, const Outcome& outcome);

}  // namespace net::dns
