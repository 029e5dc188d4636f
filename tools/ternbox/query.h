// Words of a command line as an IMAP search program: the keys of SEARCH (RFC 9051 §6.4.4), and beside
// them what doveadm-search-query(7) has: "mailbox NAME", ages such as 30d, dates such as 2026-11-23,
// sizes such as 10M.
#pragma once

#include "libutil/result.h"

#include <string>
#include <vector>

namespace ternbox {

constexpr std::size_t max_query_words = 1000;
constexpr std::size_t max_query_size = 100'000;   // bytes; a command's line may have 128 KB

struct Query {
    std::vector<std::string> mailboxes;   // patterns of LIST; none: all mailboxes
    std::string program;                  // for SEARCH, with strings in quoted UTF-8
};

// `now`: seconds since 1970.  Invalid: a key that there is not, a wrong or a missing argument.
util::Result<Query> parse_query(const std::vector<std::string>& words, std::int64_t now);

}  // namespace ternbox
