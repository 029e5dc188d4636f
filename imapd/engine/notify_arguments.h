// The arguments of NOTIFY: RFC 5465 §8.
#pragma once

#include "imapd/engine/fetch_items.h"
#include "imapd/syntax/scanner.h"

#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_notify_groups = 50;
constexpr std::size_t max_notify_names = 500;      // of mailboxes, in one command
constexpr std::size_t max_notify_text = 16U << 10; // bytes of the arguments

// What a client can be told of, as bits.
using Events = unsigned;
constexpr Events MessageNew = 1;
constexpr Events MessageExpunge = 2;
constexpr Events FlagChange = 4;
constexpr Events MailboxName = 8;
constexpr Events SubscriptionChange = 16;
constexpr Events MailboxMetadataChange = 32;
constexpr Events ServerMetadataChange = 64;
constexpr Events MessageEvents = MessageNew | MessageExpunge | FlagChange;

struct NotifyGroup {
    enum class Filter : unsigned char { Selected, SelectedDelayed, Personal, Subscribed, Subtree, Mailboxes };
    Filter filter = Filter::Personal;
    std::vector<std::string> names;   // of Subtree and Mailboxes, decoded
    Events events = 0;
    FetchItems items;                 // of new messages in the selected mailbox; perhaps none

    bool is_selected() const { return filter == Filter::Selected || filter == Filter::SelectedDelayed; }
};

struct NotifyArguments {
    bool none = false;                // NOTIFY NONE
    bool status = false;
    std::vector<NotifyGroup> groups;
    std::string text;                 // as it was given,
    syntax::Form form = syntax::Form::Ascii;   // and the form of its mailbox names
};

// Everything after NOTIFY and its space.  Invalid: BAD; Permanent: NO, with a response code.
// `with_uid`: UID is among what is fetched.
util::Result<NotifyArguments> parse_notify(syntax::Scanner& arguments, bool with_uid);

}  // namespace imapd::engine
