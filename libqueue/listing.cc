// Queue listings from files.
#include "libqueue/listing.h"

#include <algorithm>
#include <fcntl.h>

namespace queue {

std::vector<ipc::QueueItem> split_item(ipc::QueueItem head, std::vector<ipc::QueueItemRecipient> recipients)
{
    std::vector<ipc::QueueItem> items;
    items.push_back(std::move(head));
    std::size_t size = 0;
    for (ipc::QueueItemRecipient& recipient : recipients) {
        recipient.reason.resize(std::min(recipient.reason.size(), listed_reason_size));
        size += recipient.address.size() + recipient.reason.size() + 40;
        if (size > listing_item_size) {
            ipc::QueueItem next;
            next.queue = items.front().queue;
            next.queue_id = items.front().queue_id;
            next.continued = true;
            items.push_back(std::move(next));
            size = 0;
        }
        items.back().recipients.push_back(std::move(recipient));
    }
    return items;
}

util::Result<std::vector<ipc::QueueItem>> list_file(const Directory& directory, Place place, const std::string& id)
{
    auto file = TRY(directory.open_file(place, id, O_RDONLY));
    struct stat status = TRY(util::sys::fstat(file.get()));
    auto reader = TRY(Reader::open(file.get(), Check::Envelope));
    ipc::QueueItem head;
    head.queue = name_of(place);
    head.queue_id = id;
    head.size = reader.content_size();
    head.arrival = reader.envelope().arrival;
    head.sender = reader.envelope().sender;
    if (place == Place::Deferred)
        head.last_change = std::int64_t(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
    std::vector<std::string> reasons(reader.recipients().size());
    if (auto story = reader.story()) {
        for (StoryEntry& entry : story->entries) {
            head.forced_expire = head.forced_expire || entry.kind == StoryEntry::Kind::Expire;
            if (entry.kind == StoryEntry::Kind::Held && place == Place::Hold)
                std::fill(reasons.begin(), reasons.end(), util::concat("on hold: ", entry.text));
            else if (entry.recipient && *entry.recipient < reasons.size() && entry.status)
                reasons[*entry.recipient] = std::move(entry.status->text);
        }
    }
    std::vector<ipc::QueueItemRecipient> recipients;
    for (std::size_t i = 0; i < reasons.size(); ++i)
        if (!reader.recipients()[i].done)
            recipients.push_back({reader.recipients()[i].recipient.address, std::move(reasons[i])});
    return split_item(std::move(head), std::move(recipients));
}

}  // namespace queue
