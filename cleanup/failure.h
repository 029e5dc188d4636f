// Failure: why a message is not taken, as an answer to the client.
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"

#include <string_view>

namespace cleanup {

using Failure = ipc::Verdict;
Failure failure(ipc::Verdict::Kind kind, int code, std::string_view dsn, std::string_view text);
// What a client hears when the queue cannot take its message.
Failure queue_failure(const util::Error& error);
// The same when a table could not be read (451 4.3.0), or leads nowhere (451 4.6.0).
Failure lookup_failure(const util::Error& error);

}  // namespace cleanup
