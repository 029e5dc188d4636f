#include "libmail/dsn.h"

#include "libmail/dsn_status.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

constexpr std::size_t max_diagnostic = 900;  // bytes; a field line may have 998

std::string_view action_name(DsnAction action)
{
    switch (action) {
    case DsnAction::Failed:
        return "failed";
    case DsnAction::Delayed:
        return "delayed";
    case DsnAction::Delivered:
        return "delivered";
    case DsnAction::Relayed:
        return "relayed";
    case DsnAction::Expanded:
        return "expanded";
    case DsnAction::Deliverable:
        return "deliverable";
    case DsnAction::Undeliverable:
        return "undeliverable";
    }
    return "failed";
}

// One line of safe text.
std::string one_line(std::string_view text, bool utf8)
{
    std::string out(text.substr(0, max_diagnostic));
    bool keep_high = utf8 && util::is_utf8(out);
    for (char& c : out)
        if (static_cast<unsigned char>(c) >= 128 ? !keep_high : !util::is_printable(c))
            c = c == '\n' || c == '\t' ? ' ' : '?';
    return out;
}

class Composer {
public:
    explicit Composer(const DsnReport& report) : report_(report)
    {
        std::size_t header = header_size(report.content);
        attached_ = report.full ? report.content : report.content.substr(0, header);
        utf8_ = report.to.needs_utf8();
        for (const DsnRecipient& recipient : report.recipients)
            utf8_ |= recipient.address.needs_utf8() || !util::is_ascii(recipient.original_recipient);
        utf8_notice_ = utf8_ || !util::is_ascii(report.notice);
        eight_bit_ = utf8_notice_ || !util::is_ascii(attached_);
        std::string_view fields = report.content.substr(0, header);
        utf8_header_ = !util::is_ascii(fields) && util::is_utf8(fields);
        // A boundary that the message does not hold: longer until that is so.
        boundary_ = util::concat("=_", report.queue_id, '/', report.date.seconds);
        while (attached_.find(boundary_) != std::string_view::npos)
            boundary_ += '_';
    }

    std::string run()
    {
        out_.reserve(attached_.size() + 2048 + report_.recipients.size() * 512);
        header();
        notice();
        status();
        original();
        util::append(out_, "--", boundary_, "--\r\n");
        return std::move(out_);
    }

private:
    template <typename... Parts>
    void line(const Parts&... parts)
    {
        util::append(out_, parts..., "\r\n");
    }

    void header()
    {
        line("Date: ", format_date(report_.date));
        line("From: ", one_line(report_.from, false));
        line("To: ", to_text(report_.to));
        line("Subject: ", one_line(report_.subject, false));
        line("Message-ID: <", report_.message_id, '>');
        line("Auto-Submitted: auto-replied");  // RFC 3834 §5
        line("MIME-Version: 1.0");
        line("Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"", boundary_, '"');
        if (eight_bit_)
            line("Content-Transfer-Encoding: 8bit");
        line();
        line("This is a message in several parts: a notice to you, a report for your mail program, and");
        line("what the notice is about.");
        line();
    }

    void part(std::string_view type, std::string_view description, bool eight_bit)
    {
        line("--", boundary_);
        line("Content-Description: ", description);
        line("Content-Type: ", type);
        if (eight_bit)
            line("Content-Transfer-Encoding: 8bit");
        line();
    }

    void notice()
    {
        part(utf8_notice_ ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", "Notification", utf8_notice_);
        for (std::string_view rest = report_.notice; !rest.empty();) {
            std::string_view text = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), text.size() + 1));
            line(one_line(text, true));
        }
        line();
        for (const DsnRecipient& recipient : report_.recipients) {
            std::string who = to_path(recipient.address);
            std::string_view meaning = describe(recipient.status);
            std::string alias;
            if (!recipient.original_recipient.empty() &&
                !util::equal_nocase(recipient.original_recipient, to_text(recipient.address)))
                alias = util::concat(" (expanded from <", one_line(recipient.original_recipient, utf8_), ">)");
            line("  ", who, alias, ": ", action_name(recipient.action), meaning.empty() ? "" : ", ", meaning);
            if (!recipient.remote_mta.empty())
                line("      ", one_line(recipient.remote_mta, utf8_), " said:");
            const std::string& reason = recipient.reason.empty() ? recipient.diagnostic : recipient.reason;
            if (!reason.empty())
                line("      ", one_line(reason, utf8_));
            if (recipient.will_retry_until)
                line("      Retries go on until ", format_date(*recipient.will_retry_until), '.');
        }
        line();
        if (!report_.queue_id.empty()) {
            line("The message was known here as ", report_.queue_id, '.');
            line();
        }
    }

    std::string typed(std::string_view type, std::string_view address) const
    {
        if (type != "utf-8")
            return util::concat(type, "; ", one_line(address, false));
        return util::concat("utf-8; ", util::is_utf8(address) ? std::string(address) : encode_utf8_xtext(address));
    }

    void status()
    {
        // RFC 6533 §3: with UTF-8 in it, the report is message/global-delivery-status.
        part(utf8_ ? "message/global-delivery-status" : "message/delivery-status", "Delivery report", utf8_);
        line("Reporting-MTA: dns; ", report_.reporting_mta);
        if (!report_.envelope_id.empty())
            line("Original-Envelope-Id: ", one_line(report_.envelope_id, false));
        if (!report_.queue_id.empty())
            line("X-Tern-Queue-ID: ", report_.queue_id);
        if (!report_.sender.empty())
            line("X-Tern-Sender: ", typed(util::is_ascii(report_.sender) ? "rfc822" : "utf-8", report_.sender));
        if (report_.arrival)
            line("Arrival-Date: ", format_date(*report_.arrival));
        for (const DsnRecipient& recipient : report_.recipients) {
            line();
            if (!recipient.original_type.empty())
                line("Original-Recipient: ", typed(recipient.original_type, recipient.original_recipient));
            bool utf8 = recipient.address.needs_utf8();
            line("Final-Recipient: ", typed(utf8 ? "utf-8" : "rfc822", to_text(recipient.address)));
            line("Action: ", action_name(recipient.action));
            line("Status: ", recipient.status);
            if (!recipient.remote_mta.empty())
                line("Remote-MTA: dns; ", one_line(recipient.remote_mta, utf8_));
            if (!recipient.diagnostic.empty())
                line("Diagnostic-Code: ",
                     !recipient.diagnostic_type.empty() ? recipient.diagnostic_type
                     : recipient.remote_mta.empty()     ? "x-tern"
                                                        : "smtp",
                     "; ", one_line(recipient.diagnostic, utf8_));
            if (recipient.last_attempt)
                line("Last-Attempt-Date: ", format_date(*recipient.last_attempt));
            if (recipient.will_retry_until)
                line("Will-Retry-Until: ", format_date(*recipient.will_retry_until));
        }
        line();
    }

    void original()
    {
        if (report_.content.empty())
            return;
        if (report_.full)
            part(utf8_header_ ? "message/global" : "message/rfc822", "Undelivered message", !util::is_ascii(attached_));
        else
            part(utf8_header_ ? "message/global-headers" : "text/rfc822-headers", "Header of the message",
                 !util::is_ascii(attached_));
        out_ += attached_;
        if (!attached_.ends_with("\r\n"))
            line();
        line();
    }

    const DsnReport& report_;
    std::string_view attached_;
    std::string boundary_;
    bool utf8_ = false;          // addresses need it
    bool utf8_notice_ = false;
    bool eight_bit_ = false;
    bool utf8_header_ = false;
    std::string out_;
};

}  // namespace

std::string compose_dsn(const DsnReport& report)
{
    return Composer(report).run();
}

}  // namespace mail
