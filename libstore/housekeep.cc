// Idle-time work.
#include "libstore/journal.h"

namespace store {

bool LogStore::housekeep(util::Duration)
{
    return false;
}

}  // namespace store
