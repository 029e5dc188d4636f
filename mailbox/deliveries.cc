// Deliveries into the store.
#include "mailbox/deliveries.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>

namespace mailbox {

// RFC 3463 §3: what a failure of the store is called.
ipc::DeliveryRefused Deliveries::refusal(std::uint64_t delivery, const util::Error& error)
{
    ipc::DeliveryRefused refused;
    refused.delivery = delivery;
    refused.permanent = error.kind != util::Kind::Temporary;
    refused.text = error.text;
    if (error.code == EDQUOT) {
        refused.permanent = true;
        refused.dsn = "5.2.2";
    } else if (error.code == EMSGSIZE) {
        refused.dsn = "5.2.3";
    } else if (error.code == ENOSPC) {
        refused.permanent = false;
        refused.dsn = "4.3.1";
    } else {
        refused.dsn = refused.permanent ? "5.3.0" : "4.3.0";
    }
    return refused;
}

Deliveries::Deliveries(store::Store& store, Renderer render, std::uint64_t message_size_limit)
    : store_(store), render_(render), message_size_limit_(message_size_limit)
{
}

util::Result<std::string> Deliveries::assemble(const ipc::Deliver& order) const
{
    std::uint64_t size = order.message.valid() ? order.size : order.content.size();
    if (order.prefix.size() > max_prefix_size)
        return util::invalid("the order has too large a prefix");
    if (message_size_limit_ && size > message_size_limit_)
        return util::Error{util::Kind::Permanent,
                           util::concat("message of ", size, " bytes exceeds the mailbox's limit of ",
                                        message_size_limit_),
                           EMSGSIZE};
    if (!order.message.valid())
        return util::concat(order.prefix, order.content);

    // Sealed, or its bytes could change between rendering and storing.
    if (!util::sys::is_sealed(order.message.get()))
        return util::invalid("the order's descriptor is not a sealed message");
    struct stat status = TRY(util::sys::fstat(order.message.get()));
    if (static_cast<std::uint64_t>(status.st_size) != size)
        return util::invalid("the order's descriptor has another size than it says");
    std::string message;
    message.reserve(order.prefix.size() + size);
    message = order.prefix;
    message.resize(order.prefix.size() + size);
    std::uint64_t done = 0;
    while (done < size) {
        std::span<char> rest(message.data() + order.prefix.size() + done, size - done);
        std::size_t count = TRY(util::sys::pread(order.message.get(), rest, done));
        if (count == 0)
            return util::temporary("the order's descriptor ends early");
        done += count;
    }
    return message;
}

Deliveries::Answer Deliveries::deliver(const ipc::Deliver& order)
{
    auto message = assemble(order);
    if (!message.ok())
        return refusal(order.delivery, message.error());

    auto mailbox = store_.mailbox(order.folder.empty() ? std::string_view("INBOX") : order.folder);
    if (!mailbox.ok() && mailbox.error().kind == util::Kind::NotFound)
        mailbox = store_.mailbox("INBOX");
    if (!mailbox.ok())
        return refusal(order.delivery, mailbox.error());

    store::Rendered rendered = render_(*message);
    store::NewMessage fresh;
    fresh.content = *message;
    fresh.rendered = &rendered;
    fresh.queue_id = order.queue_id;
    fresh.recipient = order.recipient;
    if (order.arrival > 0)
        fresh.internal_date = store::Date{.seconds = order.arrival / 1'000'000, .zone_minutes = 0};
    auto stored = store_.append((*mailbox)->id, fresh);
    if (!stored.ok())
        return refusal(order.delivery, stored.error());
    ipc::DeliveryStored answer;
    answer.delivery = order.delivery;
    answer.lsn = stored->lsn;
    answer.duplicate = stored->duplicate;
    return answer;
}

}  // namespace mailbox
