// ReplyFilter: tables that pass over records of answers: smtp_dns_reply_filter and its kin.
//
// The key is a record as zone files have it, "example.org. 300 IN MX 10 mail.example.org.", with the TTL that is left;
// the one action is IGNORE, with any text behind it.
#pragma once

#include "libconf/table.h"

namespace net::dns {

struct Question;
struct Outcome;
struct Record;

class ReplyFilter {
public:
    ReplyFilter() = default;
    // Invalid: a table's name.  `parameter` is for warnings.
    static util::Result<ReplyFilter> open(const std::vector<std::string>& names, std::string_view parameter);

    bool active() const { return !tables_.empty(); }
    // What was found becomes Filtered where no record is left, and TryAgain where a table cannot be read or says what is
    // no action: its author wanted something that cannot be done.  A null MX, or null SRV, is no record of a host, and stays.
    void apply(const Question& question, Outcome& outcome);

private:
    ReplyFilter(conf::Tables tables, std::string_view parameter) : tables_(std::move(tables)), parameter_(parameter) {}
    util::Result<bool> ignores(const Record& record);

    conf::Tables tables_;
    std::string parameter_;
};

// "example.org. 300 IN MX 10 mail.example.org.", cut to what can be a key.
std::string filter_key(const Record& record);

}  // namespace net::dns
