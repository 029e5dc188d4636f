// The outline of a mailbox's messages (Outline in store.h): from its entries, and as a snapshot keeps it.
#pragma once

#include "libstore/store.h"

#include <optional>
#include <string>
#include <string_view>

namespace store {

// Of what may be shown up to `horizon`.
Outline outline_of(const Mailbox& mailbox, Lsn horizon);

// Takes the entries of a mailbox one by one and makes bytes of what an outline says of them: the first unseen
// uid, then runs of uids.
class OutlineWriter {
public:
    void add(const Entry& entry);
    std::string take();

private:
    void end_run();

    std::string runs_;
    std::uint32_t first_unseen_ = 0;
    std::uint32_t run_first_ = 0;      // 0: none has begun
    std::uint32_t run_last_ = 0;
    std::uint32_t before_ = 0;         // the last uid of the run before
};

// Nothing: that is not the outline of so many messages.
std::optional<Outline> decode_outline(std::string_view bytes, std::uint32_t messages);

}  // namespace store
