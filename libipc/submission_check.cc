// SubmissionCheck.
#include "libipc/submission_check.h"

#include "libmail/address.h"

#include <algorithm>

namespace ipc {

namespace {

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

util::Result<void> SubmissionCheck::begin(const Begin& message)
{
    if (state_ != State::Start)
        return util::invalid("a second begin");
    state_ = State::Recipients;
    if (!message.envelope.sender.empty()) {
        auto sender = mail::parse_address(message.envelope.sender);
        if (!sender.ok())
            return sender.take_error().in("sender");
    }
    if (has_control(message.envelope.envelope_id))
        return util::invalid("control bytes in the envelope id");
    TRY(recipients(message.recipients));
    if (message.content.empty() && !message.last)
        return {};
    return bytes(message.content, message.last);
}

util::Result<void> SubmissionCheck::more(const More& message)
{
    if (state_ != State::Recipients)
        return util::invalid("recipients out of order");
    return recipients(message.recipients);
}

util::Result<void> SubmissionCheck::content(const Content& message)
{
    if (state_ == State::Start || state_ == State::Complete)
        return util::invalid("content out of order");
    return bytes(message.content, message.last);
}

util::Result<void> SubmissionCheck::record(Packet& packet)
{
    if (packet.name() == Begin::message_name)
        return begin(TRY(decode<Begin>(packet)));
    if (packet.name() == More::message_name)
        return more(TRY(decode<More>(packet)));
    return content(TRY(decode<Content>(packet)));
}

util::Result<void> SubmissionCheck::recipients(const std::vector<Recipient>& recipients)
{
    for (const auto& recipient : recipients) {
        auto address = mail::parse_address(recipient.address);
        if (!address.ok())
            return address.take_error().in("recipient");
        if (has_control(recipient.original))
            return util::invalid("control bytes in an original recipient");
    }
    return {};
}

util::Result<void> SubmissionCheck::bytes(std::string_view content, bool last)
{
    size_ += content.size();
    state_ = last ? State::Complete : State::Content;
    return {};
}

}  // namespace ipc
