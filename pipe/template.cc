#include "pipe/template.h"

#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace piping {

using util::concat;
using util::Result;

namespace {

struct Name {
    std::string_view name;
    Macro macro;
};

constexpr Name names[] = {
    {"client_address", Macro::ClientAddress}, {"client_helo", Macro::ClientHelo}, {"client_hostname", Macro::ClientHostname},
    {"client_port", Macro::ClientPort}, {"client_protocol", Macro::ClientProtocol}, {"domain", Macro::Domain},
    {"envid", Macro::EnvelopeId}, {"extension", Macro::Extension}, {"mailbox", Macro::Mailbox}, {"nexthop", Macro::Nexthop},
    {"original_recipient", Macro::OriginalRecipient}, {"queue_id", Macro::QueueId}, {"recipient", Macro::Recipient},
    {"sasl_method", Macro::SaslMethod}, {"sasl_sender", Macro::SaslSender}, {"sasl_username", Macro::SaslUsername},
    {"sender", Macro::Sender}, {"size", Macro::Size}, {"user", Macro::User},
};

std::optional<Macro> find_macro(std::string_view name)
{
    for (const Name& one : names)
        if (one.name == name)
            return one.macro;
    return std::nullopt;
}

bool is_name_byte(char c) { return util::is_alnum(c) || c == '_'; }

// The name behind a dollar, taken from `text` with its brackets.
Result<std::string_view> take_name(std::string_view& text)
{
    char open = text.empty() ? '\0' : text.front();
    if (open == '{' || open == '(') {
        std::size_t end = text.find(open == '{' ? '}' : ')');
        if (end == std::string_view::npos)
            return util::invalid(concat("a $", open, " without its end"));
        std::string_view name = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
        return name;
    }
    auto end = std::find_if_not(text.begin(), text.end(), is_name_byte);
    std::string_view name = text.substr(0, std::size_t(end - text.begin()));
    if (name.empty())
        return util::invalid("a $ without a name; $$ is a dollar");
    text.remove_prefix(name.size());
    return name;
}

std::string folded(std::string_view text, bool fold) { return fold ? util::lower(text) : std::string(text); }

std::string whole(const mail::Address& address, bool fold_local, bool fold_domain, bool quote)
{
    std::string local = folded(address.local_part, fold_local);
    if (quote)
        local = mail::quote_local_part(local);
    if (address.domain.empty())
        return local;
    return concat(local, "@", folded(address.domain, fold_domain));
}

std::string sender_text(const Values& values, const Folding& folding)
{
    if (!values.sender.is_null())
        return whole(values.sender, false, false, folding.quote);
    if (!folding.quote || values.null_sender.empty())
        return values.null_sender;
    auto replacement = mail::parse_address(values.null_sender);
    return replacement ? whole(*replacement, false, false, true) : mail::quote_local_part(values.null_sender);
}

std::string text_of(Macro macro, const Values& values, const Values::Recipient* recipient, const Folding& folding,
                    std::string_view delimiters)
{
    switch (macro) {
    case Macro::ClientAddress: return values.client_address;
    case Macro::ClientHelo: return values.client_helo;
    case Macro::ClientHostname: return values.client_hostname;
    case Macro::ClientPort: return values.client_port;
    case Macro::ClientProtocol: return values.client_protocol;
    case Macro::EnvelopeId: return values.envelope_id;
    case Macro::Nexthop: return folded(values.nexthop, folding.domain);
    case Macro::QueueId: return values.queue_id;
    case Macro::SaslMethod: return values.sasl_method;
    case Macro::SaslSender: return values.sasl_sender;
    case Macro::SaslUsername: return values.sasl_username;
    case Macro::Sender: return sender_text(values, folding);
    case Macro::Size: return values.size;
    case Macro::Domain: return folded(recipient->address.domain, folding.domain);
    case Macro::Extension:
        return folded(mail::split_extension(recipient->address.local_part, delimiters).second, folding.local_part);
    case Macro::Mailbox: return folded(recipient->address.local_part, folding.local_part);
    case Macro::OriginalRecipient: return whole(recipient->original, folding.local_part, folding.domain, folding.quote);
    case Macro::Recipient: return whole(recipient->address, folding.local_part, folding.domain, folding.quote);
    case Macro::User: return folded(mail::split_extension(recipient->address.local_part, delimiters).first, folding.local_part);
    }
    return {};
}

}  // namespace

Result<Template> Template::parse(std::string_view word)
{
    Template out;
    auto literal = [&](std::string_view text) {
        if (text.empty())
            return;
        if (out.pieces_.empty() || out.pieces_.back().is_macro)
            out.pieces_.emplace_back();
        out.pieces_.back().text += text;
    };
    while (!word.empty()) {
        std::size_t dollar = word.find('$');
        literal(word.substr(0, dollar));
        if (dollar == std::string_view::npos)
            break;
        word.remove_prefix(dollar + 1);
        if (word.starts_with('$')) {
            literal("$");
            word.remove_prefix(1);
            continue;
        }
        std::string_view name = TRY(take_name(word));
        auto macro = find_macro(name);
        if (!macro)
            return util::invalid(concat("there is no $", util::printable(name, 60)));
        out.pieces_.push_back({.text = {}, .is_macro = true, .macro = *macro});
    }
    return out;
}

bool Template::is_constant() const
{
    return std::ranges::none_of(pieces_, [](const Piece& piece) { return piece.is_macro; });
}

bool Template::per_recipient() const
{
    return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.is_macro && is_of_recipient(piece.macro); });
}

Result<std::vector<std::string>> expand(const std::vector<Template>& command, const Values& values, const Folding& folding,
                                        std::string_view delimiters)
{
    std::vector<std::string> out;
    std::size_t size = 0;
    auto add = [&](const Template& argument, const Values::Recipient* recipient) -> Result<void> {
        std::string text;
        for (const Template::Piece& piece : argument.pieces()) {
            std::string part = piece.is_macro ? text_of(piece.macro, values, recipient, folding, delimiters) : piece.text;
            if (piece.is_macro && text.empty() && part.starts_with('-'))
                return util::permanent(concat("\"", util::printable(part, 320), "\" would be an option of the command"));
            text += part;
        }
        size += text.size() + 1;
        if (size > max_arguments_size)
            return util::temporary(concat("the arguments of the command have more than ", max_arguments_size, " bytes"));
        out.push_back(std::move(text));
        return {};
    };
    for (const Template& argument : command) {
        if (!argument.per_recipient()) {
            TRY(add(argument, nullptr));
            continue;
        }
        for (const Values::Recipient& recipient : values.recipients)
            TRY(add(argument, &recipient));
    }
    return out;
}

}  // namespace piping
