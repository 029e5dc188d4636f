// Quotas: usher(8) tells mailbox(8) the limits and keeps account of what domains hold; smtpd(8) asks usher
// whether there is room; ternuser(1) asks what there is.
//
//   usher -> mailbox:   QuotaOrder over the control socket, at the beginning and when limits change
//   over the account socket that came with it:
//   mailbox -> usher:   UsageTold; RoomWanted, whose answer is waited for
//   usher -> mailbox:   RoomAnswer; UsageAsked, to which UsageTold is the answer
//   smtpd -> usher:     QuotaAsked           usher -> smtpd:   QuotaAnswer
//   root -> usher:      UsageWanted          usher -> root:    UsageKnown
//   root -> usher:      QuotasChanged        usher -> root:    QuotasTaken
#pragma once

#include "libipc/wire.h"

namespace ipc {

constexpr std::size_t max_usage_items = 200;   // accounts in one UsageWanted
constexpr std::size_t max_quota_warnings = 8;  // thresholds

// What a store holds.
struct MailUsage {
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
    std::uint64_t mailboxes = 0;

    bool operator==(const MailUsage&) const = default;
    static void fields(auto& message, auto& visit)
    {
        visit("bytes", message.bytes);
        visit("messages", message.messages);
        visit("mailboxes", message.mailboxes);
    }
};

struct QuotaOrder {
    static constexpr std::string_view message_name = "quota";
    std::optional<std::uint64_t> storage;       // bytes; nothing: no limit
    std::optional<std::uint64_t> messages;
    std::optional<std::uint32_t> mailboxes;
    std::uint32_t grace_percent = 0;            // see store::Quota
    std::uint32_t trash_percent = 0;
    std::vector<std::uint32_t> warnings;        // per cent of the limits
    std::string warning_template;               // see mail::QuotaNotice; empty: the built-in words
    std::string hostname;                       // in the warnings
    bool shared = false;                        // the domain has limits: usher is asked before each growth
    util::UniqueFd account;                     // the account socket; with the first order that has one

    static void fields(auto& message, auto& visit)
    {
        visit("storage", message.storage);
        visit("messages", message.messages);
        visit("mailboxes", message.mailboxes);
        visit("grace_percent", message.grace_percent);
        visit("trash_percent", message.trash_percent);
        visit("warning", message.warnings);
        visit("warning_template", message.warning_template);
        visit("hostname", message.hostname);
        visit("shared", message.shared);
        visit("account", message.account);
    }
};

struct UsageTold {
    static constexpr std::string_view message_name = "usage";
    MailUsage usage;

    static void fields(auto& message, auto& visit) { visit("usage", message.usage); }
};

struct UsageAsked {
    static constexpr std::string_view message_name = "usage-asked";

    static void fields(auto&, auto&) {}
};

struct RoomWanted {
    static constexpr std::string_view message_name = "room-wanted";
    std::uint64_t request = 0;
    MailUsage used;
    std::uint64_t bytes = 0;      // more
    std::uint64_t messages = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("used", message.used);
        visit("bytes", message.bytes);
        visit("messages", message.messages);
    }
};

enum class Room : std::uint8_t { Granted, Full, Unknown, last_ = Unknown };

struct RoomAnswer {
    static constexpr std::string_view message_name = "room";
    std::uint64_t request = 0;
    Room room = Room::Unknown;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("room", message.room);
    }
};

// Would a message of this size (0: not known) be taken for the account?
struct QuotaAsked {
    static constexpr std::string_view message_name = "quota-asked";
    std::uint64_t request = 0;
    std::string account;
    std::uint64_t size = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("account", message.account);
        visit("size", message.size);
    }
};

struct QuotaAnswer {
    static constexpr std::string_view message_name = "quota-answer";
    std::uint64_t request = 0;
    bool full = false;
    std::string text;             // when it is: whose limit

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("full", message.full);
        visit("text", message.text);
    }
};

struct UsageWanted {
    static constexpr std::string_view message_name = "usage-wanted";
    std::vector<std::string> accounts;

    static void fields(auto& message, auto& visit) { visit("account", message.accounts); }
};

struct AccountUsage {
    std::string account;
    MailUsage usage;

    static void fields(auto& message, auto& visit)
    {
        visit("account", message.account);
        visit("usage", message.usage);
    }
};

// Those of the accounts whose usage could be found out in time.
struct UsageKnown {
    static constexpr std::string_view message_name = "usage-known";
    std::vector<AccountUsage> accounts;

    static void fields(auto& message, auto& visit) { visit("known", message.accounts); }
};

// The limits of accounts, or of domains, have changed in the files.
struct QuotasChanged {
    static constexpr std::string_view message_name = "quotas-changed";

    static void fields(auto&, auto&) {}
};

struct QuotasTaken {
    static constexpr std::string_view message_name = "quotas-taken";
    std::uint64_t mailboxes = 0;  // processes that were told

    static void fields(auto& message, auto& visit) { visit("mailboxes", message.mailboxes); }
};

}  // namespace ipc
