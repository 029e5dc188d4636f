// What is told of a message, to whom, as messages.  Decides and composes; sends nothing.
#pragma once

#include "bounce/config.h"
#include "libipc/delivery.h"
#include "libmail/dsn.h"
#include "libmail/notice_template.h"
#include "libutil/time.h"

#include <string>
#include <string_view>
#include <vector>

namespace bounce {

// What a process has for all its notices.
struct Site {
    const Config& config;
    std::string myhostname;
    std::string myorigin;
    std::string mail_name;
    mail::NoticeTemplates templates;
};

// The longest header that is attached where the message itself is not.
constexpr std::size_t max_attached_header = 256U << 10;

// One notice to write.
struct Letter {
    bool to_postmaster = false;
    bool needed = true;             // else a copy: without it the order is done all the same
    std::string sender;             // empty, or double_bounce_sender
    std::string recipient;
    std::vector<std::size_t> told;  // which of the order's recipients it is about
};

// The sender is told of what he wished to hear (RFC 3461 §4.1), the null sender never (RFC 5321 §4.5.5);
// the postmaster of what notify_classes says.  Nobody is told of mail from double_bounce_sender.
std::vector<Letter> letters_of(const ipc::Notify& order, const Site& site);

// The content to attach: all of a failed message that is small enough, unless RET=HDRS was asked
// for (RFC 3461 §4.3) or REQUIRETLS (RFC 8689 §5), else its header.  An unreadable queue file attaches nothing: the sender
// hears of the failure all the same.
struct Attachment {
    std::string content;
    bool full = false;
    bool tls_optional = false;   // queue::Summary
};
Attachment attachment(const ipc::Notify& order, const Site& site);

// The whole notice.  Invalid when the letter names no reader or no recipient.
util::Result<std::string> compose(const ipc::Notify& order, const Letter& letter, const Attachment& attached,
                                  const Site& site, std::string_view new_queue_id, util::WallTime now);
// The field that stands before it.
std::string received_field(const Site& site, std::string_view queue_id, util::WallTime now);

// "sender non-delivery notification": for the log, in Postfix's words.
std::string name_of(ipc::Notify::Kind kind, bool to_postmaster);

}  // namespace bounce
