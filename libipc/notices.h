// Who is told of what: the parameters of notices to senders and to the postmaster, for all programs
// that write such notices or ask for them.
#pragma once

#include "libconf/parameter.h"
#include "libutil/text.h"

#include <cstdint>

namespace ipc {

using namespace std::chrono_literals;

// notify_classes, as bits: what the postmaster hears of.
using NoticeClasses = std::uint8_t;
constexpr NoticeClasses NoticeBounce = 1;         // copies of failure notices, and sessions with such a refusal
constexpr NoticeClasses NoticeDoubleBounce = 2;   // notices that could not be delivered themselves
constexpr NoticeClasses NoticeDelay = 4;          // copies of delay notices
constexpr NoticeClasses NoticePolicy = 8;         // sessions with a refusal by rule
constexpr NoticeClasses NoticeProtocol = 16;      // sessions with errors of the client's
constexpr NoticeClasses NoticeResource = 32;      // sessions in which room was lacking
constexpr NoticeClasses NoticeSoftware = 64;      // sessions in which this system failed

// Invalid: a word that is none of them.
inline util::Result<NoticeClasses> parse_notice_classes(const std::vector<std::string>& words)
{
    constexpr std::string_view names[] = {"bounce", "2bounce", "delay", "policy", "protocol", "resource", "software"};
    NoticeClasses classes = 0;
    for (const std::string& word : words) {
        std::size_t i = 0;
        while (i < std::size(names) && !util::equal_nocase(word, names[i]))
            ++i;
        if (i == std::size(names))
            return util::invalid(util::concat("there is no class \"", util::printable(word, 60),
                                              "\" (there are bounce 2bounce delay policy protocol resource software)"));
        classes = static_cast<NoticeClasses>(classes | 1U << i);
    }
    return classes;
}

// A name without domain is one of ours.
inline std::string notice_address(std::string_view address, std::string_view myorigin)
{
    return address.find('@') == std::string_view::npos ? util::concat(address, '@', myorigin) : std::string(address);
}

struct NoticeConfig : conf::Section {
    conf::Words notify_classes{this, "notify_classes", "resource, software",
        "What the postmaster is told of by mail: bounce (headers of returned mail, and SMTP sessions in which mail "
        "was returned at once), 2bounce (notices that cannot be delivered), delay (headers of late mail), policy, "
        "protocol, resource and software (SMTP sessions with refusals by rule, with errors of the client's, with "
        "lack of room, with failures of this system)."};
    conf::Text bounce_notice_recipient{this, "bounce_notice_recipient", "postmaster", {.min = 1, .max = 256},
        "Who gets notices of class bounce."};
    conf::Text double_bounce_notice_recipient{this, "2bounce_notice_recipient", "postmaster", {.min = 1, .max = 256},
        "Who gets notices of class 2bounce."};
    conf::Text delay_notice_recipient{this, "delay_notice_recipient", "postmaster", {.min = 1, .max = 256},
        "Who gets notices of class delay."};
    conf::Text error_notice_recipient{this, "error_notice_recipient", "postmaster", {.min = 1, .max = 256},
        "Who gets notices of classes policy, protocol, resource and software."};
    conf::Text double_bounce_sender{this, "double_bounce_sender", "double-bounce", {.min = 1, .max = 256},
        "The sender of notices to the postmaster.  Mail from it, with whatever domain unless it has one here, is "
        "thrown away when it cannot be delivered."};

    conf::Flag soft_bounce{this, "soft_bounce", "no",
        "Whether every 5xx reply of smtpd(8) is made a 4xx, so that clients try again, and mail that would be returned "
        "because its delivery failed for good stays in the queue instead: for tests of a new configuration.  What is too "
        "old is returned all the same."};

    NoticeClasses classes() const { return parse_notice_classes(*notify_classes).value_or(0); }

    // Mail that nobody is told of when it fails.
    bool is_double_bounce(std::string_view sender) const
    {
        if (double_bounce_sender->find('@') == std::string::npos)
            sender = sender.substr(0, sender.rfind('@'));
        return util::equal_nocase(sender, *double_bounce_sender);
    }

    void verify(const conf::MainCf& settings, conf::Problems& problems) const override
    {
        auto parsed = parse_notice_classes(*notify_classes);
        if (parsed)
            return;
        const conf::Setting* setting = settings.find("notify_classes");
        problems.add(setting ? setting->file : "", setting ? setting->line : 0,
                     util::concat("notify_classes: ", parsed.error().text));
    }
};

// The same for who must also know how long mail waits.
struct QueueTimes : NoticeConfig {
    conf::Duration maximal_queue_lifetime{this, "maximal_queue_lifetime", "5d", {.min = 0s, .max = 24h * 100},
        "How old a message may get before it is returned as undeliverable; 0 allows one attempt."};
    conf::Duration bounce_queue_lifetime{this, "bounce_queue_lifetime", "5d", {.min = 0s, .max = 24h * 100},
        "The same for messages with the null sender; not longer than maximal_queue_lifetime counts."};
    conf::Duration delay_warning_time{this, "delay_warning_time", "0h", {.min = 0s, .max = 24h * 100},
        "After this time the sender is told, once, that a message is still in the queue; 0 tells nobody."};
    conf::Flag confirm_delay_cleared{this, "confirm_delay_cleared", "no",
        "Whether a sender who was told of a delay hears of the delivery in the end."};
};

}  // namespace ipc
