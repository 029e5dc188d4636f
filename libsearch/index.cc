// Which messages may hold a text.
#include "libsearch/index.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cstdio>

namespace search {

namespace {

constexpr std::size_t number_digits = 8;
// So few are read rather than asked about any more.
constexpr std::size_t few_chunks = 4;

std::optional<std::uint32_t> batch_number(std::string_view digits)
{
    std::uint32_t number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    if (error != std::errc() || end != digits.data() + digits.size() || number == 0 || number == UINT32_MAX)
        return std::nullopt;
    return number;
}

// The chunks that hold all keys; few keys of which one is rare say as much as all.
bool chunks_with(Segment& segment, const std::vector<Key>& keys, std::vector<std::uint32_t>& chunks)
{
    std::vector<Postings> lists(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!segment.find(keys[i], lists[i]).ok())
            return false;
        if (lists[i].count == 0)
            return true;
    }
    std::ranges::sort(lists, {}, &Postings::count);
    if (!lists[0].chunks(segment.chunks(), chunks))
        return false;
    for (std::size_t i = 1; i < lists.size() && chunks.size() > few_chunks; ++i)
        if (!lists[i].filter(segment.chunks(), chunks))
            return false;
    return true;
}

}  // namespace

Candidates& Candidates::operator&=(const Candidates& other)
{
    for (std::size_t i = 0; i < words_.size(); ++i)
        words_[i] &= other.words_[i];
    return *this;
}

Candidates& Candidates::operator|=(const Candidates& other)
{
    for (std::size_t i = 0; i < words_.size(); ++i)
        words_[i] |= other.words_[i];
    return *this;
}

std::size_t Candidates::count() const
{
    std::size_t count = 0;
    for (std::uint64_t word : words_)
        count += std::size_t(std::popcount(word));
    return count;
}

std::string Index::name_of(const Range& range)
{
    char name[2 * number_digits + 2];
    (void)std::snprintf(name, sizeof name, "%08x-%08x", range.first, range.last);
    return name;
}

std::optional<Index::Range> Index::range_of(std::string_view name)
{
    if (name.size() != 2 * number_digits + 1 || name[number_digits] != '-')
        return std::nullopt;
    auto first = batch_number(name.substr(0, number_digits));
    auto last = batch_number(name.substr(number_digits + 1));
    if (!first || !last || *first > *last)
        return std::nullopt;
    return Range{*first, *last};
}

util::Result<std::unique_ptr<Index>> Index::open(int directory)
{
    auto index = std::make_unique<Index>();
    std::vector<Range> ranges;
    for (auto& name : TRY(util::sys::list_directory(directory))) {
        if (auto range = range_of(name))
            ranges.push_back(*range);
    }
    // Of those that begin with the same batch the longest stands for the others.
    std::ranges::sort(ranges, [](const Range& a, const Range& b) {
        return a.first != b.first ? a.first < b.first : a.last > b.last;
    });
    std::uint32_t covered = 0;
    for (const Range& range : ranges) {
        if (range.first <= covered || index->parts_.size() >= max_segments) {
            index->useless_.push_back(name_of(range));
            continue;
        }
        auto fd = TRY(util::sys::openat(directory, name_of(range), O_RDONLY | O_NOFOLLOW));
        auto segment = Segment::open(std::move(fd));
        if (!segment.ok()) {
            if (segment.error().kind != util::Kind::Invalid)
                return segment.take_error();
            index->useless_.push_back(name_of(range));
            continue;
        }
        covered = range.last;
        index->parts_.push_back({range, segment.take(), {}});
    }
    index->number_documents();
    return index;
}

// A content that two segments know has one place.
void Index::number_documents()
{
    for (const Part& part : parts_)
        for (const Document& document : part.segment.documents())
            places_.push_back({document.content, document.guid});
    if (!std::ranges::is_sorted(places_, {}, &Place::content))
        std::ranges::stable_sort(places_, {}, &Place::content);
    auto behind = std::ranges::unique(places_, {}, &Place::content);
    places_.erase(behind.begin(), behind.end());
    for (Part& part : parts_) {
        auto at = places_.begin();
        for (const Document& document : part.segment.documents()) {
            if (at == places_.end() || at->content != document.content)
                at = std::ranges::lower_bound(places_, document.content, {}, &Place::content);
            part.places.push_back(std::uint32_t(at - places_.begin()));
            ++at;
        }
    }
}

std::optional<std::size_t> Index::find(store::Lsn content, const store::Guid& guid, std::size_t& hint) const
{
    if (hint >= places_.size() || places_[hint].content != content)
        hint = std::size_t(std::ranges::lower_bound(places_, content, {}, &Place::content) - places_.begin());
    if (hint >= places_.size() || places_[hint].content != content || places_[hint].guid != short_guid(guid))
        return std::nullopt;
    return hint++;
}

// The documents to which the chunks belong.
bool Index::add_chunks(Part& part, const std::vector<std::uint32_t>& chunks, Candidates& out) const
{
    const auto& documents = part.segment.documents();
    std::size_t at = 0;
    for (std::uint32_t chunk : chunks) {
        if (documents.empty() || documents.front().first_chunk > chunk)
            return false;
        if (at + 1 < documents.size() && documents[at + 1].first_chunk <= chunk)
            at = std::size_t(std::ranges::upper_bound(documents.begin() + std::ptrdiff_t(at), documents.end(), chunk, {},
                                                      &Document::first_chunk) - documents.begin()) - 1;
        out.add(part.places[at]);
    }
    return true;
}

bool Index::search_zone(std::string_view needle, Zone zone, Candidates& out)
{
    auto keys = needle_keys(zone, needle);
    std::vector<std::uint32_t> chunks;
    for (Part& part : parts_) {
        chunks.clear();
        if (!chunks_with(part.segment, keys, chunks) || !add_chunks(part, chunks, out)) {
            useless_.push_back(name_of(part.range));
            return false;
        }
    }
    return true;
}

std::optional<Candidates> Index::candidates(std::string_view needle, bool header, bool body)
{
    if (needle.size() < 3 || damaged_)
        return std::nullopt;
    Candidates out(size(), false);
    if ((header && !search_zone(needle, Zone::Header, out)) || (body && !search_zone(needle, Zone::Body, out))) {
        damaged_ = true;
        return std::nullopt;
    }
    for (const Part& part : parts_) {
        const auto& documents = part.segment.documents();
        for (std::size_t i = 0; i < documents.size(); ++i)
            if (documents[i].opaque)
                out.add(part.places[i]);
    }
    return out;
}

std::optional<Candidates> Index::candidates(const FuzzyText::Word& word, bool header, bool body)
{
    auto some = candidates(std::string_view(word.text), header, body);
    for (const std::string* half : {&word.front, &word.back}) {
        if (!some || half->empty())
            continue;
        auto more = candidates(std::string_view(*half), header, body);
        if (!more)
            return std::nullopt;
        *some |= *more;
    }
    return some;
}

std::uint64_t Index::bytes() const
{
    std::uint64_t sum = 0;
    for (const Part& part : parts_)
        sum += part.segment.bytes();
    return sum;
}

}  // namespace search
