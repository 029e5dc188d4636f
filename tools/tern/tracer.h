// Tracer: finds the messages that a question is about, and all that the log says of each.  It is given the log's
// lines in order, as often as it asks for them: a message's own lines may come before the one that says that it
// belongs to another.  No I/O.
//
// What ties messages together: a line of one that ends with another's id ("sender non-delivery notification:
// ID", "(forwarded as ID)", "(requeued as ID)", "earlier_id=ID"), and an equal message-id.
#pragma once

#include "libutil/text.h"
#include "tools/common/log_line.h"
#include "tools/common/time_words.h"

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tern {

struct TraceQuestion {
    std::string queue_id;                      // or
    std::string address;                       // sender, recipient or message-id, without <>; or
    std::optional<tools::TimeSpan> time;       // all that something happened to in it
    std::optional<std::int64_t> since, until;  // besides: when the messages that are looked for have a line
    std::size_t limit = 100;                   // messages; of more the last are taken
};

struct TraceEvent {
    std::string time;
    std::string service;
    std::uint32_t pid = 0;
    std::string level;
    std::string text;  // behind the id
};

// What became of one recipient, as its last line says.
struct TraceRecipient {
    std::string address;
    std::string original;
    std::string relay, delay, dsn;
    std::string status;  // "sent"
    std::string text;    // why
    std::string time;
};

struct TracedMessage {
    std::string id;
    std::string sender;
    std::string message_id;
    bool has_sender = false;
    bool removed = false;  // it left the queue
    std::vector<TraceEvent> events;
    std::size_t left_out = 0;  // events beyond the limit
    std::vector<TraceRecipient> recipients;
    std::set<std::string> related;
};

class Tracer {
public:
    static constexpr std::size_t max_events = 100'000;     // of all messages
    static constexpr std::size_t max_recipients = 10'000;  // of one message
    static constexpr std::size_t max_related = 1'000;      // messages beyond those that were asked for
    static constexpr std::size_t max_refusals = 1'000;     // NOQUEUE lines; of more the last are kept
    static constexpr unsigned max_passes = 8;

    explicit Tracer(TraceQuestion question);

    void line(const tools::LogLine& line);
    // After each pass over the log.  True: another one is wanted.
    bool end_pass();

    // In the order of their first lines.
    std::vector<const TracedMessage*> messages() const;
    // Of the question's address or time: what was refused before it had an id.
    const std::deque<TraceEvent>& refusals() const { return refusals_; }
    // Messages that fit the question and were left out for its limit.
    std::size_t left_out() const { return left_out_; }

private:
    void find(const tools::LogLine& line);
    void collect(const tools::LogLine& line);
    bool fits(const tools::LogLine& line) const;
    bool in_span(const tools::LogLine& line) const;
    bool add_id(std::string_view id);
    void note(TracedMessage& message, const tools::LogLine& line);
    void note_recipient(TracedMessage& message, const tools::LogLine& line, std::string_view address);
    void relate(TracedMessage& message, std::string_view id);

    TraceQuestion question_;
    bool finding_;
    bool changed_ = false;  // the ids grew in this pass
    unsigned passes_ = 0;
    std::deque<std::string> found_;         // the last ids that fit, in order
    std::unordered_set<std::string> seen_;  // those in found_
    std::size_t left_out_ = 0;
    std::size_t events_ = 0;
    std::unordered_map<std::string, TracedMessage, util::HashText, std::equal_to<>> messages_;
    std::unordered_set<std::string, util::HashText, std::equal_to<>> message_ids_;
    std::vector<std::string> order_;  // ids by first line
    std::deque<TraceEvent> refusals_;
};

}  // namespace tern
