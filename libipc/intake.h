// Intake: where a message goes once it is accepted.  Submitter is the real one.
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

class Intake {
public:
    // Makes the content's first lines, header fields that hold the queue id that the message gets.  They
    // are kept apart from what follows (mail::trace_separator).
    using Trace = std::function<std::string(const std::string& queue_id)>;

    virtual ~Intake() = default;

    // The id that the next message will have.  An error, never Permanent, when there is nobody to
    // take it.
    virtual util::Result<std::string> next_queue_id() = 0;

    // Begins a message; the envelope's queue_id is filled in here.  Nothing is sent yet.
    virtual void begin(Envelope envelope, std::vector<Recipient> recipients, Trace trace) = 0;
    // Append content here, then call flow(), which sends what fills whole pieces.
    virtual std::string& buffer() = 0;
    // False: the peer wants no more (it has said why, finish() tells), or is gone.  A server reads
    // its client's message to the end all the same.
    virtual bool flow() = 0;
    // Sends the rest and waits for the verdict.  Temporary when the peer is lost: the message is
    // not kept, as far as anybody knows, and the client is told to try again.
    virtual util::Result<Verdict> finish() = 0;
    // Nothing of the message begun remains.
    virtual void abandon() = 0;
    // The id of the message begun or just finished; it may have changed since next_queue_id().
    virtual const std::string& queue_id() const = 0;
};

} // namespace ipc
