// Rules: what the session asks before it says yes.  Restrictions (restrictions.h) are the real ones.
#pragma once

#include "libmail/reply.h"
#include "smtpd/client.h"

#include "libmail/address.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

// What is known so far; what is not known yet is empty or null.  Good for the time of one call.
struct RequestView {
    const Client* client = nullptr;
    std::string_view log_id = "NOQUEUE";       // the message's queue id, once it has one
    std::string_view where;                    // the command, or stage, for log lines
    bool extended = false;                     // EHLO
    std::string_view helo;
    bool helo_given = false;
    const mail::Address* sender = nullptr;
    const mail::Address* recipient = nullptr;  // the one asked about; behind RCPT the only one, if so
    std::string_view sender_domain;            // as MAIL gave it, before the address was completed
    std::string_view recipient_domain;         // as RCPT gave it
    std::string_view sasl_username;
    bool tls = false;
    std::string_view certificate;          // fingerprints, as net::TlsFacts has them
    std::string_view certificate_key;
    bool certificate_trusted = false;
    bool unauthorized_pipelining = false;  // the client has sent ahead where it must not
    std::uint64_t recipient_count = 0;     // accepted so far
    const mail::Reply* deferral = nullptr; // what an earlier stage ruled so; the first one counts
    std::uint64_t size = 0;                // of the message: announced, and at its end real
    std::string_view etrn;                 // the domain that ETRN names
    std::string_view instance;             // the same in all requests about one message, and in no others
    std::string_view sasl_method;
    const mail::Address* sasl_sender = nullptr;   // AUTH= of MAIL
    std::string_view tls_protocol, tls_cipher;
    int tls_bits = 0;
};

// What access(5) orders for a message as a whole.
struct Orders {
    bool discard = false;
    bool hold = false;
    std::string prepended;        // header fields, with CRLF
    std::string content_filter;   // transport:destination
    std::string redirect;         // an address
    std::vector<std::string> bcc;

    // What was ordered later counts, where only one can.
    void add(Orders later)
    {
        discard = discard || later.discard;
        hold = hold || later.hold;
        prepended += later.prepended;
        if (!later.content_filter.empty())
            content_filter = std::move(later.content_filter);
        if (!later.redirect.empty())
            redirect = std::move(later.redirect);
        for (std::string& address : later.bcc)
            if (bcc.size() < max_bcc && std::find(bcc.begin(), bcc.end(), address) == bcc.end())
                bcc.push_back(std::move(address));
    }
    static constexpr std::size_t max_bcc = 100;
};

struct Ruling {
    std::optional<mail::Reply> refusal;
    std::optional<mail::Reply> deferral;  // DEFER_IF_PERMIT: the refusal, if no later stage has one
    Orders orders;

    bool refused() const { return refusal.has_value(); }
};

// Lists of clients that may do what others may not; see Config for each.
enum class Privilege : std::uint8_t { BareNewlines, Xclient, Xforward, NoEventLimits };
constexpr std::size_t privilege_count = 4;

// Postfix's line: "ID: WORD: WHERE from CLIENT: TEXT; from=<..> to=<..> proto=ESMTP helo=<..>".
std::string log_line(const RequestView& request, std::string_view word, std::string_view text);

class Rules {
public:
    virtual ~Rules() = default;

    virtual Ruling on_connect(const RequestView& request) = 0;
    virtual Ruling on_helo(const RequestView& request) = 0;
    virtual Ruling on_sender(const RequestView& request) = 0;
    virtual Ruling on_recipient(const RequestView& request) = 0;
    virtual Ruling on_data(const RequestView& request) = 0;
    virtual Ruling on_end_of_data(const RequestView& request) = 0;
    virtual Ruling on_etrn(const RequestView& request) = 0;

    // Is the domain one of fast_flush_domains?  Temporary: a table cannot be read.
    virtual util::Result<bool> flushes(std::string_view domain) = 0;

    // Is the client in mynetworks?
    virtual bool in_mynetworks(const Client& client) = 0;
    // Is it one of local_header_rewrite_clients?
    virtual bool rewrites_headers(const RequestView& request) = 0;
    // The standard form of an address: with its domain.
    virtual mail::Address complete(mail::Address address) = 0;
    virtual bool has(Privilege privilege, const Client& client) = 0;
    // What smtpd_command_filter makes of a command line.  Temporary: the table cannot be read.
    virtual util::Result<std::string> filter_command(std::string line) = 0;
    // smtpd_discard_ehlo_keyword_address_maps, or smtpd_discard_ehlo_keywords.
    virtual std::vector<std::string> discarded_keywords(const Client& client) = 0;
    // smtpd_reject_footer_maps, or smtpd_reject_footer, for a reply as the log has it.
    virtual std::string footer(std::string_view reply) = 0;
};

}  // namespace smtpd
