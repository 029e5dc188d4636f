// The words of the warning that a user finds in the mailbox when little of its quota is left.
//
//   From: Mail Delivery System <MAILER-DAEMON@$hostname>
//   Subject: Your mailbox is $percent% full
//
//   text
//
// A file of the administrator's holds fields (any but those that the system writes: Date, Message-ID, To,
// Auto-Submitted, MIME-Version and Content-*), an empty line and the text, all in UTF-8.  In both, $name and
// ${name} stand for account, domain, hostname, percent, used, limit and resource; $$ is a dollar.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mail {

constexpr std::size_t max_quota_notice = 16 * 1024;     // bytes of the file
constexpr std::size_t max_quota_notice_line = 900;      // bytes of one of its lines

struct QuotaNotice {
    std::vector<std::pair<std::string, std::string>> fields;   // name, text
    std::string body;                                          // lines end in '\n'

    // Invalid: what is wrong, with the line.
    static util::Result<QuotaNotice> parse(std::string_view text);
    static QuotaNotice built_in();
};

struct QuotaFacts {
    std::string account;
    std::string hostname;
    std::string date;         // of the Date: field
    std::string unique;       // the left side of the Message-ID
    unsigned percent = 0;
    bool storage = true;      // else the number of messages
    std::uint64_t used = 0;
    std::uint64_t limit = 0;
};

// The whole message, with CRLF.
std::string compose(const QuotaNotice& notice, const QuotaFacts& facts);

}  // namespace mail
