// What pop3d(8) tells clients of, and usher(8) keeps or has mailboxes keep.
#pragma once

#include "libconf/parameter.h"
#include "libipc/mailbox.h"
#include "libmail/uidl_format.h"

#include <optional>
#include <vector>

namespace ipc {

// Text that mail::UidlFormat takes.
class UidlFormatText : public conf::Text {
public:
    using Text::Text;
    util::Result<std::string> parse(std::string_view text) const override
    {
        TRY(mail::UidlFormat::parse(text));
        return Text::parse(text);
    }
};

constexpr std::size_t max_expiry_rules = 100;

// "Trash 30d, \Junk 2w": names of mailboxes or special uses, each with a time.
class ExpiryRules : public conf::Value<std::vector<ExpiryRule>> {
public:
    using Value::Value;
    std::string type() const override { return "mailboxes with times: Trash 30d, \\Junk 2w"; }
    util::Result<std::vector<ExpiryRule>> parse(std::string_view text) const override;
};

struct MaildropConfig : conf::Section {
    conf::Duration login_delay{this, "pop3d_login_delay", "0s", {.max = std::chrono::hours(24)},
        "How long after a log-in by POP3 the next one of the same user is refused with [LOGIN-DELAY]; clients "
        "hear of it in CAPA.  0: log-ins may follow each other at once."};
    UidlFormatText uidl_format{this, "pop3d_uidl_format", "%v.%u", {.max = mail::max_uidl_format_length},
        "The unique ids of messages in POP3: %u is the message's UID, %v the UIDVALIDITY of INBOX, %08Xu and "
        "%08Xv the same in hexadecimal with eight digits; also %{uid}, %{uidvalidity}, %{uid | hex(8)}.  Mail "
        "that comes with its UIDs from Dovecot keeps its ids by %08Xu%08Xv, from Courier by UID%u-%v, from Cyrus "
        "by %v.%u.  After a change, clients that leave mail on the server fetch all of it again."};
    ExpiryRules expiry{this, "mailbox_expire", "",
        "For how long mail is kept in some mailboxes of each user: Trash 30d, Junk 30d.  The time counts from when "
        "a message came into the mailbox; a name means the mailboxes below it, too, \\Trash the mailbox with that "
        "special use, INBOX that alone, * all; of several the first that fits counts.  It is done every "
        "mailbox_expire_interval, and POP3 clients hear of INBOX's time as EXPIRE.  What is removed can be put back for "
        "mailbox_undelete_time.  Empty: all mail stays."};

    // The days for which INBOX keeps mail; nothing: for ever.
    std::optional<std::int64_t> inbox_days() const;
};

}  // namespace ipc
