// Mail that a mailbox keeps for a time only, such as that in Trash and Junk.
#pragma once

#include "libstore/store.h"

#include <span>
#include <string>

namespace store {

// `mailbox`: a name, which means those below it, too (but for INBOX, which is one); or a special use,
// "\Trash"; or "*", all.  Age is the time since a message came into its mailbox.
struct ExpiryRule {
    std::string mailbox;
    std::int64_t seconds = 0;
};

// The rule for a mailbox: the first that fits; nullptr if none does.
const ExpiryRule* rule_for(std::span<const ExpiryRule> rules, const Mailbox& mailbox);

// Removes old mail step by step, so that whoever runs the loop never waits for long.
class Expiry {
public:
    Expiry(Store& store, std::vector<ExpiryRule> rules, std::int64_t now);

    // Looks at one mailbox, or removes up to `limit` messages of one, as EXPUNGE would: they can be put
    // back for undelete_time.  True when there is nothing left to do.
    util::Result<bool> step(std::size_t limit);
    std::uint64_t messages() const { return messages_; }
    std::uint64_t bytes() const { return bytes_; }
    // What was removed is gone for certain when durable() has reached this.
    Lsn lsn() const { return lsn_; }

private:
    Store& store_;
    std::vector<ExpiryRule> rules_;
    std::int64_t now_;
    std::vector<MailboxId> mailboxes_;   // that are still to be looked at
    std::uint64_t messages_ = 0;
    std::uint64_t bytes_ = 0;
    Lsn lsn_ = 0;
};

}  // namespace store
