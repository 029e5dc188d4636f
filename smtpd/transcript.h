// Transcript: what was said in a session, for the postmaster, with the classes of errors in it
// (notify_classes).  Secrets are not in it.
#pragma once

#include "libipc/notices.h"
#include "libmail/reply.h"

#include <string>
#include <string_view>

namespace smtpd {

// Which class of notify_classes a reply belongs to; follows from code and status.  0: none, as for
// passwords that are wrong and sessions that end.
ipc::NoticeClasses class_of(const mail::Reply& reply);

class Transcript {
public:
    // Of a longer session the beginning is left out.
    static constexpr std::size_t max_size = 64 * 1024;
    static constexpr std::size_t max_line = 500;

    void command(std::string_view line);
    void reply(const mail::Reply& reply, ipc::NoticeClasses classes);

    ipc::NoticeClasses classes() const { return classes_; }
    const std::string& text() const { return text_; }   // lines that end with CRLF

private:
    void add(std::string_view who, std::string_view line);

    std::string text_;
    ipc::NoticeClasses classes_ = 0;
};

}  // namespace smtpd
