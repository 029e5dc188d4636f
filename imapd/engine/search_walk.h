// The messages that search keys meet: what SEARCH, SORT and THREAD have in common.
#pragma once

#include "imapd/engine/message_content.h"
#include "imapd/engine/search_aids.h"
#include "imapd/engine/search_keys.h"
#include "imapd/engine/session.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace imapd::engine {

// One key against one message.
class Matcher {
public:
    // Numbers in the keys change: sets are resolved once, `*` and `$` are what they are now.
    Matcher(Session& session, SearchKey& root);

    void open(const store::Entry& entry, std::size_t index)
    {
        message_.open(entry);
        index_ = index;
        scores_ = score_sum_ = 0;
    }
    void close() { message_.close(); }
    util::Result<bool> matches(const SearchKey& key);
    // What the set of a key names, as it was resolved.
    const std::vector<syntax::SequenceSet::Range>& set_of(const SearchKey& key) const { return sets_[std::size_t(key.number)]; }
    // Of the message that matched: the mean of what its FUZZY keys say, 1 to 100.
    int relevancy() const { return scores_ ? score_sum_ / scores_ : 100; }
    MessageContent& message() { return message_; }

private:
    void resolve(SearchKey& key);
    bool keyword(const SearchKey& key) const;
    bool scored(int score);
    util::Result<bool> sent(const SearchKey& key);
    util::Result<bool> header(const SearchKey& key);
    util::Result<bool> text(const SearchKey& key);

    Session& session_;
    MessageContent message_;
    std::size_t index_ = 0;
    std::int64_t now_;
    int scores_ = 0;
    int score_sum_ = 0;
    std::vector<std::vector<syntax::SequenceSet::Range>> sets_;
};

struct Hit {
    std::uint32_t number = 0;   // sequence number
    std::uint32_t uid = 0;
    store::Lsn modseq = 0;
    unsigned char relevancy = 100;   // RFC 6203 §4, before it is stretched over the whole range
};

// So many bytes are looked at by the session itself; more than that is another process's work.
constexpr std::uint64_t own_work = 1U << 20;

// Walks the mailbox in slices.
//
// With aids (search_aids.h), what needs no reading is decided first, and with an index what cannot match; the rest is
// read by another process.  The answers are the same whatever there is of that.
class SearchWalk {
public:
    // `limit`: how many messages are looked at at most, the highest of those that sets name; 0: all.
    SearchWalk(Session& session, SearchKey key, std::size_t limit = 0);
    ~SearchWalk();

    // For each hit, while its message is open.
    void on_hit(std::function<util::Result<void>(MessageContent&, const Hit&)> visit) { visit_ = std::move(visit); }
    // True when all messages have been looked at.
    bool step(util::Instant until);
    bool waits() const;

    // Where nobody has visited them.
    const std::vector<Hit>& hits() const { return hits_; }
    bool unreadable() const { return unreadable_; }
    // The other process ended before its time: not all messages were looked at.
    bool gave_up() const { return gave_up_; }
    store::Lsn highest_modseq() const { return highest_modseq_; }
    // message_limit_code(), if there were more.
    const std::string& limited() const { return limited_; }

private:
    // What is known of a message: the relevancy of one that matches, or
    using Verdict = unsigned char;
    static constexpr Verdict no = 0;
    static constexpr Verdict best = 100;
    static constexpr Verdict unknown = 254;
    static constexpr Verdict unreadable_message = 255;
    enum class Phase : unsigned char { Ask, Sift, Listen, Walk };

    void narrow(const SearchKey& key, std::vector<IndexRange>& ranges) const;
    void keep_to(std::size_t limit);
    void collect(SearchKey& key);
    bool ask_index(util::Instant until);
    bool sift(util::Instant until);
    Verdict sift(const SearchKey& key, const store::Entry& entry);
    void send_out();
    bool listen();
    Verdict look(const store::Entry& entry, std::size_t index);
    void take(const store::Entry& entry, Verdict verdict);
    bool walk(util::Instant until);

    Session& session_;
    SearchKey key_;
    Matcher matcher_;
    std::function<util::Result<void>(MessageContent&, const Hit&)> visit_;
    Phase phase_ = Phase::Walk;
    std::size_t first_ = 0;         // index of the lowest message that is looked at
    std::string limited_;
    std::size_t index_ = 0;
    std::size_t hint_ = 0;
    std::vector<Hit> hits_;
    bool unreadable_ = false;
    bool gave_up_ = false;
    store::Lsn highest_modseq_ = 0;

    // Only with aids.  Shared: see SearchAids.
    std::shared_ptr<search::Index> search_index_;
    std::vector<SearchKey*> texts_;                 // keys that the index may know something of
    std::vector<search::Candidates> candidates_;    // and what it said: of key.number - 1
    std::size_t word_ = 0;                          // of the text that the index is being asked for
    std::size_t place_hint_ = 0;
    std::optional<std::size_t> place_;              // of the message at hand
    std::vector<Verdict> verdicts_;                 // by index in the view; empty: nothing is known
    std::uint64_t unknown_bytes_ = 0;
    std::vector<std::uint32_t> sent_out_;           // indices of the messages that the errand looks at
    std::size_t heard_ = 0;
    std::unique_ptr<SearchAids::Errand> errand_;
};

// The tagged answer, after what was found.
void end_search(Session& session, std::string_view verb, const SearchWalk& walk);

}  // namespace imapd::engine
