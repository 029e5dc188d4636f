// Transaction: one message from its envelope to its sealed form.
//
// It owns the queue file as long as that has no name.  A Failure is an answer to the client, not an
// error: the session goes on with the next message.
#pragma once

#include "cleanup/inspector.h"
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
// `bounce`: the message has no sender, so that it may go home by an SRS address of ours.
using Expander = std::function<util::Result<Expansion>(const std::string& address, bool bounce)>;

// What is done to messages; null: not done.
struct Treatment {
    AddressRules* addresses = nullptr;
    ContentChecks* checks = nullptr;
};

class Transaction {
public:
    Transaction(const Config& config, const conf::Common& common, const HeaderRules& rules,
                const Expander& expander, queue::WriterOptions options, Treatment treatment = {});

    std::optional<Failure> begin(ipc::Envelope envelope);
    std::optional<Failure> add_recipients(const std::vector<ipc::Recipient>& recipients);
    std::optional<Failure> add_content(std::string& bytes);   // `bytes` is changed
    // A message that is to be discarded gives a Failure of the kind Delivered.
    std::optional<Failure> finish();

    // After finish():
    const util::UniqueFd& message() const { return message_; }
    const ipc::Envelope& envelope() const { return envelope_; }
    bool expanded() const { return expanded_; }
    bool held() const { return inspector_->hold(); }
    std::uint64_t file_size() const { return writer_.file_size(); }
    util::Result<void> name() { return writer_.name(envelope_.queue_id); }
    // Forgets the message; a nameless file goes with its descriptor.
    void forget();

private:
    std::optional<Failure> add_all(const ipc::Recipient& recipient, const std::vector<std::string>& addresses, bool expanded);
    std::optional<Failure> add_one(const ipc::Recipient& recipient, const std::string& address, bool expanded);
    std::optional<Failure> map_sender();
    std::optional<Failure> add_recipient(const ipc::Recipient& recipient);
    std::optional<Failure> add_copies();
    std::optional<Failure> add_copy(const std::string& address);
    bool copies_wanted() const;
    bool comes_back() const;
    std::optional<Failure> look_up_failed(std::string_view address, const util::Error& error) const;
    std::optional<Failure> write_content(std::string_view bytes);
    std::optional<Failure> inspect(std::string_view bytes);
    void begin_body(std::uint64_t seen);
    std::optional<Failure> check_end() const;
    std::optional<Failure> add_patches();
    std::optional<Failure> add_patches(const std::vector<queue::Patch>& patches);
    queue::Summary summary() const;
    MissingFields missing_fields() const;

    const Config& config_;
    const conf::Common& common_;
    const HeaderRules& rules_;
    const Expander& expander_;
    Treatment treatment_;
    int directory_fd_;
    queue::Writer writer_;
    ipc::Envelope envelope_;
    std::optional<Inspector> inspector_;
    std::optional<HeaderScan> header_;
    std::vector<std::string> copies_;         // who gets one besides: automatic copies
    std::vector<ipc::Recipient> aliases_;     // whose expansion is a success to be told
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
