// Pieces of IMAP responses, appended to one output string: flags, dates.
#pragma once

#include "libstore/store.h"

#include <string>

namespace imapd::engine {

// (\Seen \Flagged keyword), with \Recent if `recent`.
void append_flags(std::string& out, store::Flags flags, store::Keywords keywords,
                  const store::MailboxFacts& mailbox, bool recent);
// "17-Jul-1996 02:44:25 -0700" with the quotes; the zone as given, the day padded with a space.
void append_internal_date(std::string& out, store::Date date);

// EMAILID and MAILBOXID (RFC 8474 §7): a letter, so that no two kinds are the same, and what the store says.
void append_email_id(std::string& out, const store::Guid& guid);
void append_mailbox_id(std::string& out, store::MailboxId id);

// Days since 1970-01-01 of a date in the Gregorian calendar, and back.
std::int64_t days_from_civil(int year, int month, int day);
struct CivilDate {
    int year = 1970;
    int month = 1;
    int day = 1;
};
CivilDate civil_from_days(std::int64_t days);
// 1 to 12 for "Jan" to "Dec" in any case; 0 for anything else.
int month_number(std::string_view name);

// The bit of a system flag ("\Seen" in any case); 0 for anything else.
store::Flags system_flag(std::string_view name);

}  // namespace imapd::engine
