// Messages as threads: RFC 5256 §3 (ORDEREDSUBJECT, REFERENCES), and REFS, which is REFERENCES without the
// subjects, its threads in the order of their latest arrivals.
#pragma once

#include "imapd/engine/slices.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_thread_nodes = 1'000'000;  // messages, and those that are only referred to
// A message that many levels below its first ancestor begins a tree of its own.
constexpr unsigned max_thread_depth = 1000;
constexpr std::size_t max_references = 100;          // of one message: the last ones

enum class ThreadAlgorithm : unsigned char { OrderedSubject, References, Refs };

// What a message tells.
struct ThreadItem {
    std::uint32_t number = 0;          // as it will be told; not 0
    std::int64_t sent = 0;             // seconds
    std::int64_t arrived = 0;
    std::string subject;               // base subject, in the form that compares
    bool is_reply = false;
    std::string message_id;            // normalized; empty: none
    std::vector<std::string> references;
};

// Numbers of texts, in the order in which they first come.  In few pieces of memory, since a map of so many strings
// takes long to be given back.
class TextNumbers {
public:
    void reserve(std::size_t texts) { texts_.reserve(texts); }
    std::uint32_t number_of(std::string_view text);
    std::size_t size() const { return texts_.size(); }

private:
    static constexpr std::size_t chunk_size = 64U << 10;

    struct Text {
        std::size_t hash = 0;
        std::string_view text;         // in one of the chunks
    };

    // Senders choose the texts, and may choose such as all belong into one slot: what is not found among so many goes
    // where that makes no difference.
    static constexpr std::size_t max_probes = 64;
    static constexpr std::size_t crowded = SIZE_MAX;

    std::string_view keep(std::string_view text);
    void grow();
    // Its slot or the free one for it; `crowded`: neither is near.
    std::size_t slot_of(std::size_t hash, std::string_view text) const;

    std::vector<Text> texts_;
    std::vector<std::uint32_t> slots_;   // a number and 1, or 0; open addressing
    std::map<std::string_view, std::uint32_t> rest_;   // numbers of those whose slots are crowded
    std::vector<std::string> chunks_;
};

class ThreadTree {
public:
    // `messages`: about so many will come; their memory is taken when they do.
    explicit ThreadTree(ThreadAlgorithm algorithm, std::size_t messages = 0);

    // The messages in the order of the mailbox.  False: these are too many.
    bool add(const ThreadItem& item);
    // Once all are there.  True when text() is complete.
    bool finish(Pace& pace);
    // " (1 2)(3)" or nothing.
    const std::string& text() const { return text_; }

private:
    using Index = std::uint32_t;        // 0 is the root, or none
    struct Node {
        std::uint32_t number = 0;       // 0: a dummy, which is only referred to
        bool is_reply = false;
        std::int64_t sent = 0;
        std::int64_t arrived = 0;
        Index parent = 0;               // while links are made; from then on the children are what counts
        std::uint32_t subject = 0;      // 0: empty
        Index first = 0;                // child
        Index last = 0;
        Index next = 0;                 // sibling
    };
    // What siblings are sorted by.
    struct Place {
        std::int64_t key = 0;
        std::uint32_t number = 0;
        Index index = 0;
        bool operator<(const Place& other) const { return key != other.key ? key < other.key : number < other.number; }
    };
    // Each goes on where it paused (at_); true when it is done.
    using Stage = bool (ThreadTree::*)(Pace&);

    Index node_of(const std::string& message_id);
    bool may_link(Index parent, Index child) const;
    void append_child(Index parent, Index child);
    void append_children_of(Index parent, Index from);
    const Node& speaker_of(Index index) const;

    bool gather(Pace& pace);
    bool put_in_order(Pace& pace);
    bool prune(Pace& pace);
    bool sort_siblings(Pace& pace);
    bool list_threads(Pace& pace);
    bool find_subjects(Pace& pace);
    bool merge_subjects(Pace& pace);
    bool join_threads(Pace& pace);
    bool find_latest(Pace& pace);
    bool sort_by_arrival(Pace& pace);
    bool sort_by_date(Pace& pace);
    bool group_by_subject(Pace& pace);
    bool write(Pace& pace);

    bool sort_children(Index parent, Pace& pace);
    void relink(Index parent, const std::vector<Place>& children);
    void merge_into(Index& first, Index current);

    ThreadAlgorithm algorithm_;
    std::vector<Node> nodes_;
    TextNumbers ids_;
    std::vector<Index> nodes_of_ids_;
    TextNumbers subjects_;               // the empty one is 0

    std::size_t stage_ = 0;
    std::size_t at_ = 0;                 // of what the stage goes through
    std::vector<Index> order_;           // all nodes, parents before their children
    std::vector<Index> waiting_;
    std::vector<Index> threads_;         // children of the root; 0: one that is below another now
    std::vector<std::uint32_t> places_;  // by subject: 1 and where in threads_ its first thread is
    std::vector<std::int64_t> latest_;   // by node
    SlicedSort<Place> sort_;
    bool sorting_ = false;
    std::string text_;
};

}  // namespace imapd::engine
