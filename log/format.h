// From a datagram to a line of the log.
#pragma once

#include "libutil/log.h"
#include "libutil/result.h"
#include "libutil/time.h"

#include <string>
#include <string_view>

namespace logger {

// What a sender said, and what the kernel says about the sender.
struct LineView {  // into the datagram
    util::log::Level level = util::log::Level::Info;
    std::string_view program;
    std::string_view text;
    int pid = 0;
    unsigned uid = 0;
};

// Takes "LEVEL PROGRAM TEXT" apart (libutil/log.cc).  Invalid when it is not of that form; a program
// is 1 to 64 bytes of letters, digits, and / - _ .
util::Result<LineView> parse_datagram(std::string_view datagram);

// Makes lines; keeps the text of the current second.
class Formatter {
public:
    explicit Formatter(std::string host) : host_(std::move(host)) {}

    // "2026-11-23T20:01:02.123456+00:00 host tern/smtpd[812]: warning: text\n", local time.
    void text(std::string& out, const LineView& line, util::WallTime time);
    // One JSON object.  Text of the form "QUEUEID: key=value, key=value" is also given apart.
    void json(std::string& out, const LineView& line, util::WallTime time);
    // "<22>tern/smtpd[812]: text", for the system's log; facility as in syslog.h, shifted.
    static std::string syslog(const LineView& line, int facility);

private:
    std::string_view timestamp(util::WallTime time);

    std::string host_;
    std::int64_t second_ = INT64_MIN;
    std::string stamp_;
};

}  // namespace logger
