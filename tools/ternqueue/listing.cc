// Queue listings as text and as JSON.
#include "tools/ternqueue/listing.h"

#include "libutil/standard_fds.h"

#include <ctime>

namespace ternqueue {

namespace {

constexpr std::size_t flush_size = 64 * 1024;
constexpr std::size_t id_width = 18;
constexpr std::size_t size_width = 9;
constexpr std::size_t recipient_indent = 50;

std::string padded(std::string text, std::size_t width)
{
    if (text.size() < width)
        text.append(width - text.size(), ' ');
    return text;
}

std::string padded_left(std::string text, std::size_t width)
{
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// "Mon Nov 23 10:11:12", local time.
std::string arrival_text(std::int64_t microseconds)
{
    std::time_t seconds = microseconds / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[40];
    std::size_t size = std::strftime(text, sizeof text, "%a %b %e %H:%M:%S", &local);
    return std::string(text, size);
}

// After the id: * is being delivered, ! is held, # is to be returned.
char mark_of(const ipc::QueueItem& item)
{
    return item.queue == "active" ? '*' : item.queue == "hold" ? '!' : item.forced_expire ? '#' : ' ';
}

}  // namespace

void Listing::add(const ipc::QueueItem& item)
{
    if (!item.continued) {
        ++count_;
        bytes_ += item.size;
    }
    if (json_)
        add_json(item);
    else
        add_text(item);
    if (out_.size() >= flush_size)
        flush();
}

void Listing::add_text(const ipc::QueueItem& item)
{
    if (!item.continued) {
        if (count_ == 1)
            util::append(out_, padded("-Queue ID-", id_width), " --Size-- ---Arrival Time---- -Sender/Recipient-------\n");
        else
            out_ += '\n';
        std::string sender = item.sender.empty() ? "MAILER-DAEMON" : util::printable(item.sender);
        util::append(out_, padded(util::concat(item.queue_id, mark_of(item)), id_width),
                     padded_left(util::concat(item.size), size_width), ' ', arrival_text(item.arrival), ' ', sender, '\n');
    }
    for (const ipc::QueueItemRecipient& recipient : item.recipients) {
        if (!recipient.reason.empty())
            util::append(out_, padded_left(util::concat('(', util::printable(recipient.reason), ')'), recipient_indent + 10),
                         '\n');
        util::append(out_, std::string(recipient_indent, ' '), util::printable(recipient.address), '\n');
    }
}

// One object a line, with the names that postqueue -j uses.
void Listing::add_json(const ipc::QueueItem& item)
{
    if (!item.continued) {
        end_json();
        util::append(out_, "{\"queue_name\": ", util::json_quote(item.queue),
                     ", \"queue_id\": ", util::json_quote(item.queue_id), ", \"arrival_time\": ", item.arrival / 1'000'000,
                     ", \"message_size\": ", item.size);
        if (item.next_attempt != 0)
            util::append(out_, ", \"next_attempt\": ", item.next_attempt / 1'000'000);
        util::append(out_, ", \"forced_expire\": ", item.forced_expire ? "true" : "false",
                     ", \"sender\": ", util::json_quote(item.sender), ", \"recipients\": [");
        open_ = first_recipient_ = true;
    }
    for (const ipc::QueueItemRecipient& recipient : item.recipients) {
        util::append(out_, first_recipient_ ? "" : ", ", "{\"address\": ", util::json_quote(recipient.address));
        if (!recipient.reason.empty())
            util::append(out_, ", \"delay_reason\": ", util::json_quote(recipient.reason));
        out_ += '}';
        first_recipient_ = false;
    }
}

void Listing::end_json()
{
    if (open_)
        out_ += "]}\n";
    open_ = false;
}

void Listing::finish()
{
    end_json();
    if (!json_) {
        if (count_ == 0)
            out_ += "Mail queue is empty\n";
        else
            util::append(out_, "\n-- ", (bytes_ + 1023) / 1024, " Kbytes in ", count_, " Request", count_ == 1 ? "" : "s",
                         ".\n");
    }
    flush();
}

void Listing::flush()
{
    util::print_out(out_);
    out_.clear();
}

}  // namespace ternqueue
