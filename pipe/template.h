// The arguments of a command of pipe(8), with what the message puts into them.
//
// $name, ${name} and $(name) stand for what is known of the message, $$ for a dollar.  An argument that names
// what differs between recipients comes once for each of them.
#pragma once

#include "libmail/address.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace piping {

enum class Macro : std::uint8_t {
    // Of the message.
    ClientAddress, ClientHelo, ClientHostname, ClientPort, ClientProtocol, EnvelopeId, Nexthop, QueueId, SaslMethod,
    SaslSender, SaslUsername, Sender, Size,
    // Of each recipient.
    Domain, Extension, Mailbox, OriginalRecipient, Recipient, User,
    last_ = User
};

constexpr bool is_of_recipient(Macro macro) { return macro >= Macro::Domain; }

class Template {
public:
    // Invalid: what is wrong with it.
    static util::Result<Template> parse(std::string_view word);

    bool is_constant() const;
    bool per_recipient() const;

    struct Piece {
        std::string text;            // as it stands
        bool is_macro = false;
        Macro macro = Macro::Sender;
    };
    const std::vector<Piece>& pieces() const { return pieces_; }

private:
    std::vector<Piece> pieces_;
};

struct Folding {
    bool domain = false;       // flag h: domains in lower case
    bool quote = false;        // flag q: whole addresses as RFC 5321 writes them
    bool local_part = false;   // flag u: local parts of recipients in lower case
};

// What macros stand for; texts of addresses are parsed already.
struct Values {
    std::string client_address, client_helo, client_hostname, client_port, client_protocol, envelope_id, nexthop, queue_id,
        sasl_method, sasl_sender, sasl_username, size;
    mail::Address sender;
    std::string null_sender;         // stands for the null address
    struct Recipient {
        mail::Address address, original;
    };
    std::vector<Recipient> recipients;
};

constexpr std::size_t max_arguments_size = 1U << 20;   // bytes of all arguments, each with its end

// The arguments.  Permanent: what the message puts at the beginning of one is a hyphen, so that the command would
// take it for an option.  Temporary: there are more than max_arguments_size bytes.
util::Result<std::vector<std::string>> expand(const std::vector<Template>& command, const Values& values,
                                              const Folding& folding, std::string_view delimiters);

}  // namespace piping
