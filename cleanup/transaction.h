// Transaction: one message from its envelope to its sealed form.
//
// It owns the queue file as long as that has no name.  A Failure is an answer to the client, not an
// error: the session goes on with the next message.
#pragma once

#include "cleanup/config.h"
#include "cleanup/header_scan.h"
#include "cleanup/stray.h"
#include "libconf/common.h"
#include "libipc/submission.h"
#include "libqueue/writer.h"

#include <functional>
#include <optional>
#include <unordered_set>

namespace cleanup {

// Recipients that stand for one: itself, or what an alias expands to.
struct Expansion {
    std::vector<std::string> addresses;
    bool expanded = false;
};
using Expander = std::function<util::Result<Expansion>(const std::string& address)>;

using Failure = ipc::Verdict;
Failure failure(ipc::Verdict::Kind kind, int code, std::string_view dsn, std::string_view text);
// What a client hears when the queue cannot take its message.
Failure queue_failure(const util::Error& error);

class Transaction {
public:
    Transaction(const Config& config, const conf::Common& common, const HeaderRules& rules,
                const Expander& expander, queue::WriterOptions options);

    std::optional<Failure> begin(ipc::Envelope envelope);
    std::optional<Failure> add_recipients(const std::vector<ipc::Recipient>& recipients);
    std::optional<Failure> add_content(std::string& bytes);   // `bytes` is changed
    std::optional<Failure> finish();

    // After finish():
    const util::UniqueFd& message() const { return message_; }
    const ipc::Envelope& envelope() const { return envelope_; }
    bool expanded() const { return expanded_; }
    std::uint64_t file_size() const { return writer_.file_size(); }
    util::Result<void> name() { return writer_.name(envelope_.queue_id); }
    // Forgets the message; a nameless file goes with its descriptor.
    void forget();

private:
    std::optional<Failure> add_one(const ipc::Recipient& recipient, const std::string& address, bool expanded);
    std::optional<Failure> write_content(std::string_view bytes);
    std::optional<Failure> add_patches();
    MissingFields missing_fields() const;

    const Config& config_;
    const conf::Common& common_;
    const HeaderRules& rules_;
    const Expander& expander_;
    int directory_fd_;
    queue::Writer writer_;
    ipc::Envelope envelope_;
    std::optional<HeaderScan> header_;
    StrayFilter stray_;
    std::unordered_set<std::string> known_;   // recipients, in lower case
    bool expanded_ = false;
    bool complete_ = false;    // own clients: the header is completed
    bool eight_bit_ = false;
    util::UniqueFd message_;
};

// A date for a header field, in the machine's time zone.
std::string format_local_date(std::int64_t microseconds);

}  // namespace cleanup
