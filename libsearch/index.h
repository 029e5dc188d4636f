// The search index of one user's store: which messages may hold a text, so that only these are read.
//
// It is a directory of segments (segment.h) and derived from the store: whatever of it is lost, torn or wrong is
// thrown away and made again, and until then the messages it told of are read instead.  Nothing is ever synced, and
// no answer depends on it: it names candidates, and who asked looks at each of them.
//
// A segment is named by the first and the last batch of new messages in it, "00000007-0000000c".  One that was merged
// of others has the range of all of them, which is how a start knows what it replaces.  Messages are named by the
// record that brought their content, so copies and moves change nothing here.
//
// Why not Xapian: substrings need trigrams anyway, of which it would only keep the lists; it syncs and locks for a
// truth of its own, which this is not; it is a megabyte of code that throws, in each user's process.
#pragma once

#include "libsearch/fuzzy.h"
#include "libsearch/segment.h"
#include "libstore/types.h"

#include <memory>

namespace search {

constexpr std::size_t max_segments = 256;

// A set of the index's messages, by their places in it.
class Candidates {
public:
    Candidates() = default;
    Candidates(std::size_t size, bool all) : words_((size + 63) / 64, all ? ~std::uint64_t(0) : 0) {}

    void add(std::size_t place) { words_[place / 64] |= std::uint64_t(1) << (place % 64); }
    bool has(std::size_t place) const { return words_[place / 64] >> (place % 64) & 1; }
    Candidates& operator&=(const Candidates& other);
    Candidates& operator|=(const Candidates& other);
    std::size_t count() const;

private:
    std::vector<std::uint64_t> words_;
};

class Index {
public:
    struct Range {
        std::uint32_t first = 0;   // batches
        std::uint32_t last = 0;
        auto operator<=>(const Range&) const = default;
    };
    static std::string name_of(const Range& range);
    static std::optional<Range> range_of(std::string_view name);

    // What lies in the directory (a descriptor of it).
    static util::Result<std::unique_ptr<Index>> open(int directory);

    // The place of a message's content, or nothing if the index does not know it.  Who walks through contents in
    // ascending order begins with a hint of 0 and keeps it.
    std::optional<std::size_t> find(store::Lsn content, const store::Guid& guid, std::size_t& hint) const;
    std::size_t size() const { return places_.size(); }

    // Those that may hold the folded needle: in their own header, in their parts, or in one of both.  Nothing when
    // the index cannot tell: the needle is too short, or a segment turned out to be damaged.
    std::optional<Candidates> candidates(std::string_view needle, bool header, bool body);
    // Or something that fits the word.
    std::optional<Candidates> candidates(const FuzzyText::Word& word, bool header, bool body);

    // A segment turned out to be damaged: the index is to be opened anew, without what is useless.
    bool damaged() const { return damaged_; }
    // Names of files in the directory that are damaged, replaced, or not of the index; to be removed.
    const std::vector<std::string>& useless() const { return useless_; }
    // The number after that of the last batch.
    std::uint32_t next_batch() const { return parts_.empty() ? 1 : parts_.back().range.last + 1; }
    std::uint64_t bytes() const;

    struct Part {
        Range range;
        Segment segment;
        std::vector<std::uint32_t> places;   // of its documents
    };
    // In the order of their batches.
    std::vector<Part>& parts() { return parts_; }

private:
    struct Place {
        store::Lsn content = 0;
        std::uint64_t guid = 0;
    };
    void number_documents();
    bool add_chunks(Part& part, const std::vector<std::uint32_t>& chunks, Candidates& out) const;
    bool search_zone(std::string_view needle, Zone zone, Candidates& out);

    std::vector<Part> parts_;
    std::vector<Place> places_;   // by content
    std::vector<std::string> useless_;
    bool damaged_ = false;
};

}  // namespace search
