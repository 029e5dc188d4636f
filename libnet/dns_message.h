// Messages of the DNS (RFC 1035 §4) and back, by LDNS: pure functions over bytes from outside.
//
// A message is framed here first, record by record, and only records that matter for its question are handed
// to LDNS, so that a hostile message costs little: neither its number of records nor chains of compression
// pointers can make it expensive.
#pragma once

#include "libnet/dns.h"

#include <array>

namespace net::dns {

constexpr std::size_t edns_size = 1232;             // bytes of an answer by UDP: no fragments
constexpr std::size_t max_message_records = 1'000;  // of all sections together

// Types that only our own look for.
namespace type_number {
constexpr std::uint16_t dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47, dnskey = 48, nsec3 = 50;
}

struct Question {
    std::string name;  // as question_name() gives it, or "" for the root
    Type type = Type::A;
    bool operator==(const Question&) const = default;
};

// How a question is put.
struct QueryOptions {
    bool edns = true;
    bool dnssec = false;  // DO and CD: signatures, and answers that the server believes to be bogus
};

// RD and AD (RFC 6840 §5.7) are set.
std::string encode_query(const Question& question, std::uint16_t id, QueryOptions options);

// Is this an answer to this question under this id?  All else is somebody else's packet.  An error without question
// section counts, too: old servers send it for what they do not understand.
bool is_answer(std::string_view wire, const Question& question, std::uint16_t id);

// What its header says, of a message for which is_answer() was true.
bool is_truncated(std::string_view wire);

struct Record {
    std::string owner;
    Type type = Type::A;
    std::uint32_t ttl = 0;  // seconds, below 2^31 (RFC 2181 §8)
    bool broken = false;    // its data cannot be: the fields below are empty
    // MX: preference; SRV: priority, weight, port; TLSA: usage, selector, matching type.
    std::array<std::uint16_t, 3> numbers{};
    // An address as text; a name; the joined strings; the association data.
    std::string text;
    bool operator==(const Record&) const = default;
};

struct Message {
    unsigned code = 0;       // with EDNS's extension: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED, 16 BADVERS
    bool authentic = false;  // the AD bit
    bool lame = false;       // not its own data, not asked elsewhere, and nothing in it: a referral
    std::vector<Record> answer;  // the records of the question's type, and CNAMEs
    bool other_records = false;  // the answer section had more than signatures beside these
    // The SOA record of a negative answer: min(its TTL, its minimum) in seconds (RFC 2308 §5).
    std::optional<std::uint32_t> negative_ttl;
};

std::string_view name_of_code(unsigned code);  // "SERVFAIL"; "error" for those without a name here

// Invalid: the message is cut short or has too many records.  `wire` is an answer by is_answer().
util::Result<Message> decode(std::string_view wire, const Question& question);

// A record where it stands in a message.
struct RecordFrame {
    std::size_t begin = 0;      // its owner
    std::uint16_t type = 0;
    std::uint16_t class_ = 0;
    std::uint32_t ttl = 0;
    std::size_t data = 0;
    std::size_t end = 0;
    enum class Section : std::uint8_t { Answer, Authority, Additional } section = Section::Answer;
};

// All records, in order; names and data are not looked at.  Invalid like decode().
util::Result<std::vector<RecordFrame>> frame(std::string_view wire);

}  // namespace net::dns
