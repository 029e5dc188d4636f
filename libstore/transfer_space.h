// Memory for a copy or a move of very many messages.
//
// Such a change is one record of the log and one change of its mailbox, all or nothing, so it is one piece of work.
// Most of that would be memory that nobody has touched yet: some 260 bytes for each message, which the kernel clears
// and maps page by page.  Who serves others, too, gets that beforehand, in slices, while nothing has happened yet.
// Slices of many sessions go by turns: so one session has such memory at a time, and the others begin when it is done.
#pragma once

#include "libstore/records.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace store {

class TransferSpace {
public:
    // `there`: how many messages the target has already.
    TransferSpace(std::shared_ptr<TransferPlace> place, std::size_t messages, std::size_t there) :
        place_(std::move(place)), messages_(messages), there_(there)
    {
    }
    ~TransferSpace()
    {
        if (begun_)
            place_->taken = false;
    }
    TransferSpace(const TransferSpace&) = delete;
    TransferSpace& operator=(const TransferSpace&) = delete;

    // False while another has the place.
    bool begin()
    {
        if (begun_ || place_->taken)
            return begun_;
        place_->taken = begun_ = true;
        std::size_t together = messages_ + there_;
        items_.reserve(messages_);
        record_.reserve(CopyRecord::size_of(messages_) + other_records);
        entries_.reserve(together + together / 8);
        return true;
    }
    bool begun() const { return begun_; }

    // After begin(): gets the memory for so many messages more.  True when there is enough.
    bool prepare(std::size_t messages)
    {
        ++place_->pieces;
        return touch(items_, messages) & touch(record_, messages * CopyRecord::item_size) & touch(entries_, messages);
    }

private:
    friend class LogStore;
    static constexpr std::size_t other_records = 64U << 10;   // that wait to be written at that time

    template <typename Memory>
    static bool touch(Memory& memory, std::size_t more)
    {
        memory.resize(std::min(memory.size() + more, memory.capacity()));
        return memory.size() == memory.capacity();
    }

    std::shared_ptr<TransferPlace> place_;   // which the store shares: who has memory may outlive it
    std::size_t messages_;
    std::size_t there_;
    bool begun_ = false;
    std::vector<CopyRecord::Item> items_;
    std::string record_;
    std::vector<Entry> entries_;    // of the target, as many as there will be and some
};

}  // namespace store
