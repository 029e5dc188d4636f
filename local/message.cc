// Reading a message for delivery.
#include "local/message.h"

#include "libipc/wire.h"
#include "libmail/header.h"
#include "libqueue/reader.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace local {

namespace {

std::vector<std::string> delivered_to_fields(std::string_view header)
{
    std::vector<std::string> addresses;
    mail::HeaderReader reader(header);
    mail::FieldView field;
    while (reader.next(field)) {
        if (field.is("Delivered-To"))
            addresses.push_back(mail::unfold(field.value));
    }
    return addresses;
}

util::Result<Message> load_large(const queue::Reader& reader)
{
    Message message;
    message.size = reader.content_size();
    message.shared = TRY(util::sys::memfd("message"));
    std::string header;
    queue::Content content = reader.content();
    for (;;) {
        std::string_view piece = TRY(content.next());
        if (piece.empty())
            break;
        TRY(util::sys::write_all(message.shared.get(), piece));
        if (header.size() < max_searched_header)
            header.append(piece.substr(0, max_searched_header - header.size()));
    }
    TRY(util::sys::seal(message.shared.get()));
    message.delivered_to = delivered_to_fields(header);
    return message;
}

}  // namespace

bool Message::was_delivered_to(std::string_view address) const
{
    return std::any_of(delivered_to.begin(), delivered_to.end(),
                       [&](const std::string& other) { return util::equal_nocase(other, address); });
}

util::Result<Message> load_message(int queue_file, ipc::Envelope& envelope)
{
    queue::Reader reader = TRY(queue::Reader::open(queue_file, queue::Check::Content));
    envelope = reader.envelope();
    if (reader.content_size() > ipc::content_piece_size)
        return load_large(reader);
    Message message;
    message.content = TRY(reader.read_content(ipc::content_piece_size));
    message.size = message.content.size();
    message.delivered_to = delivered_to_fields(message.content);
    return message;
}

std::string trace_prefix(std::string_view sender, std::string_view original, std::string_view recipient)
{
    std::string prefix = util::concat("Return-Path: <", sender, ">\r\n");
    if (!original.empty())
        util::append(prefix, "X-Original-To: ", original, "\r\n");
    util::append(prefix, "Delivered-To: ", recipient, "\r\n");
    return prefix;
}

}  // namespace local
