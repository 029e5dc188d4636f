// One connection to a mail server.
#include "tools/tern-tlscheck/probe.h"

#include "libutil/text.h"

namespace tlscheck {

namespace {

util::Result<mail::Reply> read_reply(net::Stream& stream)
{
    mail::ReplyParser parser;
    for (;;) {
        auto line = TRY(stream.read_line(mail::max_remote_reply_line));
        if (TRY(parser.feed(line.text)))
            return parser.take();
    }
}

util::Result<mail::Reply> command(net::Stream& stream, std::string_view text)
{
    stream.write(util::concat(text, "\r\n"));
    return read_reply(stream);
}

bool offers_starttls(const mail::Reply& reply)
{
    auto lines = util::split(reply.text, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i)
        if (util::equal_nocase(util::split_first(lines[i], ' ').first, "STARTTLS"))
            return true;
    return false;
}

// Of what a delivery expects; text of the failure otherwise.
bool expect(const util::Result<mail::Reply>& reply, int first_digit, std::string_view after, Probe& found)
{
    if (reply.ok() && reply->code / 100 == first_digit)
        return true;
    found.failed = true;
    found.text = util::concat(reply.ok() ? util::printable(mail::to_line(*reply), 500) : reply.error().text, " (", after, ')');
    return false;
}

bool shake_hands(net::Stream& stream, const trust::TlsDecision& decision, const net::TlsContext& context, Probe& found)
{
    auto facts = stream.start_tls_client(context, decision.target);
    if (facts.ok()) {
        found.facts = facts.take();
        return true;
    }
    found.trouble = trust::TlsTrouble::Handshake;
    found.text = facts.error().text;
    return false;
}

}  // namespace

Probe probe(net::Stream& stream, const trust::TlsDecision& decision, const net::TlsContext& context, std::string_view our_name)
{
    Probe found;
    if (decision.wrappermode && !shake_hands(stream, decision, context, found))
        return found;
    auto greeting = read_reply(stream);
    if (!expect(greeting, 2, "in place of a greeting", found))
        return found;
    found.greeting = util::printable(mail::to_line(*greeting), 200);
    std::string hello = util::concat("EHLO ", our_name);
    auto extensions = command(stream, hello);
    if (!expect(extensions, 2, "to EHLO", found))
        return found;
    found.offered = offers_starttls(*extensions);
    if (decision.encrypts() && !decision.wrappermode) {
        if (!found.offered) {
            found.trouble = trust::TlsTrouble::NotOffered;
            return found;
        }
        auto ready = command(stream, "STARTTLS");
        if (!ready.ok() || ready->code != 220) {
            found.trouble = trust::TlsTrouble::Refused;
            found.text = ready.ok() ? mail::to_line(*ready) : ready.error().text;
            return found;
        }
        if (!shake_hands(stream, decision, context, found))
            return found;
        if (!expect(command(stream, hello), 2, "to EHLO under TLS", found))
            return found;
    }
    (void)command(stream, "QUIT");
    stream.close();
    return found;
}

}  // namespace tlscheck
