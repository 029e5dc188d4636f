// The main.cf(5) parameters of cleanup(8).
#pragma once

#include "libconf/parameter.h"

namespace cleanup {

struct Config : conf::Section {
    conf::Size memory_limit{this, "cleanup_memory_limit", "262144", {.max = 16U << 20},
        "A message of up to this size is held in memory until it is delivered or must be named; a "
        "larger one goes to a nameless file in the incoming queue as it comes."};
    conf::Count hopcount_limit{this, "hopcount_limit", "50", {.min = 1, .max = 100'000},
        "A message with so many Received: fields, our own among them, is refused: it is in a loop."};
    conf::Size header_size_limit{this, "header_size_limit", "102400", {.min = 1000, .max = 16U << 20},
        "How long one header field may be; what is beyond is left out."};
    conf::Size queue_minfree{this, "queue_minfree", "0", {.max = std::uint64_t(1) << 50},
        "While less than this is free in the queue's file system, mail is refused for the time being.  "
        "0 sets no bound."};
    conf::Flag replace_stray_cr_lf{this, "cleanup_replace_stray_cr_lf", "yes",
        "Whether a CR that no LF follows, or a LF that no CR precedes, becomes a space: such bytes look "
        "like line ends to some and not to others."};
    conf::Words message_drop_headers{this, "message_drop_headers", "bcc, content-length, resent-bcc, return-path",
        "Header fields that are left out of messages."};
    conf::Flag always_add_missing_headers{this, "always_add_missing_headers", "no",
        "Whether From:, Date:, Message-ID: and, where undisclosed_recipients_header asks for it, To: are "
        "added to every message that lacks them, not to those of one's own clients only."};
    conf::Text undisclosed_recipients_header{this, "undisclosed_recipients_header", "",
        "The field that is added where To:, Cc: and Bcc: are missing, such as "
        "\"To: undisclosed-recipients:;\".  Empty: none."};
    conf::Count recipient_limit{this, "cleanup_recipient_limit", "50000", {.min = 100, .max = 200'000},
        "How many recipients a message may have once its aliases are expanded."};

    // --- addresses ---------------------------------------------------------------------------------
    conf::Words canonical_classes{this, "canonical_classes",
        "envelope_sender, envelope_recipient, header_sender, header_recipient",
        "Which addresses canonical_maps replaces."};
    conf::Words sender_canonical_classes{this, "sender_canonical_classes", "envelope_sender, header_sender",
        "Which addresses sender_canonical_maps replaces."};
    conf::Words recipient_canonical_classes{this, "recipient_canonical_classes",
        "envelope_recipient, header_recipient", "Which addresses recipient_canonical_maps replaces."};
    conf::Words masquerade_domains{this, "masquerade_domains", "",
        "Domains whose subdomains are hidden: with example.com, user@host.example.com becomes "
        "user@example.com.  The first that fits decides; !host.example.com leaves that domain and those "
        "below it as they are."};
    conf::Words masquerade_classes{this, "masquerade_classes", "envelope_sender, header_sender, header_recipient",
        "Which addresses masquerade_domains changes: these, and envelope_recipient."};
    conf::Words masquerade_exceptions{this, "masquerade_exceptions", "",
        "Names of users, as a list of names and type:tables, whose addresses masquerade_domains leaves alone."};
    conf::Text remote_header_rewrite_domain{this, "remote_header_rewrite_domain", "", {.max = 255},
        "The domain that is added to addresses without one in the headers of mail from clients that are "
        "not $local_header_rewrite_clients.  Empty: their headers are not touched, by no table either."};
    conf::Flag enable_original_recipient{this, "enable_original_recipient", "yes",
        "Whether a recipient that was replaced remembers the address that it came from, for orig_to= in the "
        "log and for notifications."};
    conf::Text always_bcc{this, "always_bcc", "", {.max = 1000},
        "An address that gets a copy of each message that comes from a client or from this machine's "
        "people.  Notifications are not copied."};
    conf::TableNames sender_bcc_maps{this, "sender_bcc_maps", "",
        "Tables of addresses that get a copy, by the sender; keys are those of virtual(5)."};
    conf::TableNames recipient_bcc_maps{this, "recipient_bcc_maps", "",
        "Tables of addresses that get a copy, by each recipient; keys are those of virtual(5)."};
    conf::Count header_address_token_limit{this, "header_address_token_limit", "10240", {.min = 10, .max = 1'000'000},
        "How many words, punctuation marks and comments of one header field are looked at for addresses; "
        "those behind them stay as they are."};

    // --- content -----------------------------------------------------------------------------------
    conf::TableNames header_checks{this, "header_checks", "",
        "Tables that are asked about each field of a message's header; header_checks(5)."};
    conf::TableNames mime_header_checks{this, "mime_header_checks", "$header_checks",
        "The same for fields that are about MIME: MIME-Version, Content-Type, -Transfer-Encoding, -Disposition, "
        "-Description and -ID, and all fields of parts."};
    conf::TableNames nested_header_checks{this, "nested_header_checks", "$header_checks",
        "The same for the fields of attached messages."};
    conf::TableNames body_checks{this, "body_checks", "", "The same for all other lines."};
    conf::Size body_checks_size_limit{this, "body_checks_size_limit", "51200", {.max = std::uint64_t(1) << 40},
        "How much of each part's body body_checks sees; 0 is no limit."};
    conf::Size line_length_limit{this, "line_length_limit", "2048", {.min = 512, .max = 12'288},
        "Longer lines are seen by body_checks in pieces of this length, or of mime_boundary_length_limit and "
        "four bytes where that is more."};
    conf::Count mime_nesting_limit{this, "mime_nesting_limit", "100", {.min = 1, .max = 1000},
        "Mail with more multiparts in each other is refused, where MIME is looked at: with any of the "
        "checks and strict parameters."};
    conf::Size mime_boundary_length_limit{this, "mime_boundary_length_limit", "2048", {.min = 70, .max = 12'000},
        "Boundaries that differ behind this many bytes only are taken for one."};
    conf::Flag disable_mime_input_processing{this, "disable_mime_input_processing", "no",
        "Whether all that follows a message's header is plain text to the checks, whatever it says it is."};
    conf::Flag strict_7bit_headers{this, "strict_7bit_headers", "no",
        "Whether mail with bytes above 127 in a header field is refused, unless it came with SMTPUTF8."};
    conf::Flag strict_8bitmime_body{this, "strict_8bitmime_body", "no",
        "Whether mail is refused that has bytes above 127 in a body that is not declared 8bit or binary."};
    conf::Flag strict_8bitmime{this, "strict_8bitmime", "no",
        "Both strict_7bit_headers and strict_8bitmime_body."};
    conf::Flag strict_mime_encoding_domain{this, "strict_mime_encoding_domain", "no",
        "Whether mail is refused in which a multipart or an attached message is encoded as base64 or "
        "quoted-printable (RFC 2045 section 6.4)."};
    conf::Text message_reject_characters{this, "message_reject_characters", "", {.max = 1000},
        "Mail that holds one of these characters is refused.  As in C, \\a \\b \\f \\n \\r \\t \\v, "
        "\\\\ and \\000 in octal digits may be written."};
    conf::Text message_strip_characters{this, "message_strip_characters", "", {.max = 1000},
        "These characters are taken out of messages, in the notation of message_reject_characters."};
    conf::Flag sync_directory{this, "queue_directory_sync", "yes",
        "Whether the incoming directory is synced after a file got its name there."};
};

}  // namespace cleanup
