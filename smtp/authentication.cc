#include "smtp/authentication.h"

#include "libmail/sasl.h"

namespace smtp {

namespace {

Failure failed(const Dialog& dialog, std::string_view why)
{
    Failure failure = dialog.unfit(
        ipc::Disposition::Deferred, "4.7.0",
        util::concat("SASL authentication failed; cannot authenticate to server ", dialog.host().label(), ": ", why));
    failure.site = true;
    return failure;
}

Failure refused(const Dialog& dialog, const mail::Reply& reply, bool soft)
{
    Failure failure = dialog.refused(Step::Auth, reply);
    failure.status.text = util::concat("SASL authentication failed; server ", dialog.host().label(), " said: ", said(reply));
    if (failure.permanent() && soft) {
        failure.status.disposition = ipc::Disposition::Deferred;
        failure.status.dsn[0] = '4';
    }
    return failure;
}

// RFC 4954 §4: "=" is an initial response that is empty.
std::string first_command(std::string_view mechanism, std::optional<std::string>& initial)
{
    std::string command = util::concat("AUTH ", mechanism);
    if (!initial)
        return command;
    std::string encoded = initial->empty() ? std::string("=") : util::encode_base64(*initial);
    if (command.size() + 1 + encoded.size() + 2 > max_auth_command)
        return command;
    initial.reset();
    return util::concat(command, ' ', encoded);
}

}  // namespace

std::optional<Failure> authenticate(Dialog& dialog, std::string_view mechanism, mail::SaslClient& client,
                                    util::Duration timeout, bool soft)
{
    std::optional<std::string> initial = client.initial();
    dialog.send(first_command(mechanism, initial));
    for (unsigned round = 0; round <= max_auth_rounds; ++round) {
        auto reply = dialog.reply(timeout);
        if (!reply)
            return dialog.lost(Step::Auth, reply.error());
        if (reply->code / 100 == 2) {
            if (client.finished())
                return {};
            return failed(dialog, "the server has not proved that it knows the password");
        }
        if (reply->code != 334)
            return refused(dialog, *reply, soft);
        util::Result<std::string> answer = std::string();
        if (initial) {
            answer = std::move(*initial);
            initial.reset();
        } else {
            auto challenge = mail::decode_sasl_line(reply->text, false);
            answer = challenge ? client.respond(*challenge) : challenge.take_error();
        }
        if (!answer) {
            dialog.send("*");
            (void)dialog.reply(timeout);
            return failed(dialog, answer.error().text);
        }
        dialog.send(util::encode_base64(*answer));
    }
    return failed(dialog, "too many challenges");
}

}  // namespace smtp
