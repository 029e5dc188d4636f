// Access control lists of mailboxes: RFC 4314.
//
// A list is kept as an annotation of the mailbox, which follows it when it is renamed and ends with it.  Without
// one the owner has all rights and nobody else any.  Whoever the list says nothing of, negatively or not,
// has what "anyone" has; a member of a group has what the group has, too.
#pragma once

#include "libstore/store.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

// Bits, in the order in which they are told.
using Rights = std::uint32_t;
namespace right {
constexpr Rights None = 0;
constexpr Rights Lookup = 1;            // l
constexpr Rights Read = 2;              // r
constexpr Rights KeepSeen = 4;          // s
constexpr Rights Write = 8;             // w: flags but \Seen and \Deleted
constexpr Rights Insert = 16;           // i
constexpr Rights Post = 32;             // p
constexpr Rights Create = 64;           // k
constexpr Rights DeleteMailbox = 128;   // x
constexpr Rights DeleteMessages = 256;  // t: \Deleted
constexpr Rights Expunge = 512;         // e
constexpr Rights Administer = 1024;     // a
constexpr Rights All = 2047;
// What the owner has whatever the list says, so that nobody locks himself out.
constexpr Rights Owners = Lookup | Administer;
}  // namespace right

// Letters; "c" and "d" of RFC 2086 stand for kx and te (RFC 4314 §2.1.1).  Invalid: others among them.
util::Result<Rights> parse_rights(std::string_view text);
// With "c" and "d" where a member of theirs is there; two quotes when there are none.
std::string rights_text(Rights rights);

constexpr std::size_t max_access_entries = 1000;      // of one mailbox
constexpr std::size_t max_identifier_length = 320;

// The annotation that holds it; no client can name it.
constexpr std::string_view access_annotation = "acl";

struct AccessEntry {
    std::string identifier;   // with "-": these rights are taken away
    Rights rights = right::None;
};

class AccessList {
public:
    AccessList() = default;
    // Of a mailbox; what is not understood in it is passed over.
    static AccessList of(const store::MailboxFacts& mailbox);
    static AccessList parse(std::string_view text);
    std::string text() const;

    const std::vector<AccessEntry>& entries() const { return entries_; }
    const AccessEntry* find(std::string_view identifier) const;
    // Invalid: there are max_access_entries.
    util::Result<void> set(std::string_view identifier, Rights rights);
    bool remove(std::string_view identifier);

    // `groups`: of which the user is a member.
    Rights rights_of(std::string_view user, std::string_view owner, const std::vector<std::string>& groups = {}) const;
    // Those that somebody other than the owner has a right to see by: users, groups, and "anyone".
    void add_sharers(std::string_view owner, std::vector<std::string>& out) const;

private:
    std::vector<AccessEntry> entries_;
};

// The identifier as it is kept: a name without domain gets the owner's.  Invalid: it is empty, or no text (RFC 4314
// §3); NotFound: it would be a group in another form.
util::Result<std::string> prepared_identifier(std::string_view given, std::string_view owner);

// Everybody, besides the owner, who sees any mailbox of the store.
std::vector<std::string> sharers_of(const store::Store& store, std::string_view owner);

}  // namespace imapd::engine
