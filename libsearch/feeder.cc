// Fills the index.
#include "libsearch/feeder.h"

#include "libmail/casefold.h"
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace search {

namespace {

// Of the memory: a posting is here twice while they are sorted.
constexpr std::size_t bytes_for_posting = 2 * sizeof(std::uint64_t);
// Of a message: as it is, decoded, in UTF-8, folded.
constexpr std::size_t copies_of_message = 8;

// A message of the store, known by its content.
struct Item {
    store::Entry entry;
    auto operator<=>(const Item& other) const { return entry.content <=> other.entry.content; }
    bool operator==(const Item& other) const { return entry.content == other.entry.content; }
};

util::Result<std::vector<Item>> all_contents(store::Store& store)
{
    std::vector<Item> items;
    std::vector<store::MailboxId> ids;
    for (const auto& [name, id] : store.mailboxes())
        ids.push_back(id);
    for (store::MailboxId id : ids) {
        const store::Mailbox* mailbox = TRY(store.mailbox(id));
        for (const auto& entry : mailbox->entries)
            if (entry.content <= store.durable())   // others may never have been
                items.push_back({entry});
    }
    std::ranges::sort(items);
    auto behind = std::ranges::unique(items);
    items.erase(behind.begin(), behind.end());
    return items;
}

// Texts become chunks of postings.
class Batch {
public:
    explicit Batch(const FeedOptions& options)
        : limit_(std::max(options.memory, least_memory) / 2 / bytes_for_posting)
    {
        postings_.reserve(limit_);
    }

    void add(const store::Entry& entry, std::string_view message, const mail::MimeTreeView& tree);
    void add_opaque(const store::Entry& entry) { begin(entry, true); }
    // The next message might not fit.
    bool full(std::size_t message) const { return postings_.size() + std::min(message, limit_ / 2) * 2 > limit_; }

    const std::vector<Document>& documents() const { return documents_; }
    std::uint32_t chunks() const { return chunk_; }
    // By key and chunk: the key in the upper half.
    const std::vector<std::uint64_t>& sort();

private:
    void begin(const store::Entry& entry, bool opaque)
    {
        documents_.push_back({entry.content, short_guid(entry.guid), chunk_, opaque});
    }
    void add_text(Zone zone, std::string_view text);
    void end_chunk();

    std::size_t limit_;
    std::vector<std::uint64_t> postings_;
    std::vector<Document> documents_;
    KeySet keys_;
    std::size_t in_chunk_ = 0;
    std::uint32_t chunk_ = 0;
};

void Batch::end_chunk()
{
    in_chunk_ = 0;
    if (keys_.size() == 0)
        return;
    for (Key key : keys_.take())
        postings_.push_back(std::uint64_t(key) << 32 | chunk_);
    ++chunk_;
}

void Batch::add_text(Zone zone, std::string_view text)
{
    while (!text.empty()) {
        if (in_chunk_ >= chunk_bytes)
            end_chunk();
        std::size_t room = std::max(chunk_bytes - in_chunk_, asked_bytes);
        keys_.add(zone, text.substr(0, room));
        in_chunk_ += std::min(room, text.size());
        if (text.size() <= room)
            return;
        // What begins in the last bytes of this chunk goes on in the next.
        text.remove_prefix(room - (asked_bytes - 1));
        end_chunk();
    }
}

void Batch::add(const store::Entry& entry, std::string_view message, const mail::MimeTreeView& tree)
{
    begin(entry, false);
    each_text(message, tree, true, [this](const TextView& text) {
        add_text(text.zone, text.folded);
        return false;
    });
    // The value of a field by itself may read otherwise than the whole field, of which it is the end: where bytes are not
    // ASCII, or words are encoded.
    mail::HeaderReader reader(message.substr(0, tree.root().body));
    for (mail::FieldView field; reader.next(field);)
        if (field.text.find("=?") != field.text.npos || !util::is_ascii(field.text))
            add_text(Zone::Header, mail::fold_case(mail::decode_header_text(field.value)));
    end_chunk();
}

// Chunks ascend already.  Several rounds by a few bits of the key, so that what is written at a time stays in the cache.
const std::vector<std::uint64_t>& Batch::sort()
{
    constexpr unsigned digit_bits = 9;
    constexpr std::uint64_t digit_mask = (1U << digit_bits) - 1;
    std::vector<std::uint64_t> other(postings_.size());
    for (unsigned shift = 32; shift < 32 + key_bits; shift += digit_bits) {
        std::array<std::size_t, digit_mask + 2> places{};
        for (std::uint64_t posting : postings_)
            ++places[(posting >> shift & digit_mask) + 1];
        for (std::size_t i = 1; i < places.size(); ++i)
            places[i] += places[i - 1];
        for (std::uint64_t posting : postings_)
            other[places[posting >> shift & digit_mask]++] = posting;
        postings_.swap(other);
    }
    return postings_;
}

// --- merging ----------------------------------------------------------------------------------------

constexpr std::uint32_t gone = UINT32_MAX;

// A segment, or the batch, key by key; its chunks get the numbers that they have in the new segment.
class Source {
public:
    Source(Segment* segment, const std::vector<std::uint64_t>* postings, std::uint32_t chunks)
        : postings_(postings), numbers_(chunks, gone)
    {
        if (segment)
            walk_.emplace(*segment);
    }

    util::Result<void> next();
    bool over() const { return over_; }
    Key key() const { return key_; }
    util::Result<void> take(std::vector<std::uint32_t>& out);
    void number(std::uint32_t chunk, std::uint32_t as) { numbers_[chunk] = as; }

private:
    const std::vector<std::uint64_t>* postings_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    std::optional<Segment::Walk> walk_;
    std::vector<std::uint32_t> numbers_;
    std::vector<std::uint32_t> chunks_;
    Key key_ = 0;
    bool over_ = false;
};

util::Result<void> Source::next()
{
    if (walk_) {
        over_ = !TRY(walk_->next());
        if (!over_)
            key_ = walk_->key();
        return {};
    }
    at_ = end_;
    over_ = at_ == postings_->size();
    if (over_)
        return {};
    key_ = Key((*postings_)[at_] >> 32);
    while (end_ < postings_->size() && (*postings_)[end_] >> 32 == key_)
        ++end_;
    return {};
}

util::Result<void> Source::take(std::vector<std::uint32_t>& out)
{
    chunks_.clear();
    if (walk_)
        TRY(walk_->chunks(chunks_));
    for (std::size_t i = at_; i < end_; ++i)
        chunks_.push_back(std::uint32_t((*postings_)[i]));
    for (std::uint32_t chunk : chunks_)
        if (numbers_[chunk] != gone)
            out.push_back(numbers_[chunk]);
    return {};
}

struct Old {
    Document document;
    std::size_t source = 0;
    std::uint32_t end = 0;   // of its chunks
};

// What the parts from `begin` on and the batch have of what is alive.
util::Result<void> merge(Index& index, std::size_t begin, Batch& batch, const std::vector<Item>& alive, int fd)
{
    std::vector<Source> sources;
    sources.reserve(index.parts().size() - begin + 1);
    std::vector<Old> olds;
    auto take = [&](const std::vector<Document>& documents, std::uint32_t chunks) {
        for (std::size_t i = 0; i < documents.size(); ++i)
            olds.push_back(
                {documents[i], sources.size() - 1, i + 1 < documents.size() ? documents[i + 1].first_chunk : chunks});
    };
    for (std::size_t i = begin; i < index.parts().size(); ++i) {
        Segment& segment = index.parts()[i].segment;
        sources.emplace_back(&segment, nullptr, segment.chunks());
        take(segment.documents(), segment.chunks());
    }
    sources.emplace_back(nullptr, &batch.sort(), batch.chunks());
    take(batch.documents(), batch.chunks());
    std::ranges::stable_sort(olds, {}, [](const Old& old) { return old.document.content; });

    std::vector<Document> documents;
    std::uint32_t chunks = 0;
    auto item = alive.begin();
    for (const Old& old : olds) {
        while (item != alive.end() && item->entry.content < old.document.content)
            ++item;
        bool lives = item != alive.end() && item->entry.content == old.document.content &&
                     short_guid(item->entry.guid) == old.document.guid;
        if (!lives || (!documents.empty() && documents.back().content == old.document.content))
            continue;
        documents.push_back({old.document.content, old.document.guid, chunks, old.document.opaque});
        for (std::uint32_t chunk = old.document.first_chunk; chunk < old.end; ++chunk)
            sources[old.source].number(chunk, chunks++);
    }

    SegmentWriter writer(fd, std::move(documents), chunks);
    for (Source& source : sources)
        TRY(source.next());
    std::vector<std::uint32_t> merged;
    for (;;) {
        const Source* least = nullptr;
        for (const Source& source : sources)
            if (!source.over() && (!least || source.key() < least->key()))
                least = &source;
        if (!least)
            return writer.finish();
        Key key = least->key();
        merged.clear();
        for (Source& source : sources) {
            if (source.over() || source.key() != key)
                continue;
            TRY(source.take(merged));
            TRY(source.next());
        }
        if (!std::ranges::is_sorted(merged))
            std::ranges::sort(merged);
        if (!merged.empty())
            TRY(writer.add(key, merged));
    }
}

// The first of the parts that become one with the batch: those that are not much larger than what is behind them,
// and from the first on of which most is gone.
std::size_t merge_from(Index& index, std::uint32_t chunks, const std::vector<Item>& alive)
{
    auto& parts = index.parts();
    std::size_t begin = parts.size();
    for (std::uint64_t size = chunks; begin > 0; --begin) {
        std::uint32_t more = parts[begin - 1].segment.chunks();
        if (more >= merged_chunks || more > 3 * size)
            break;
        size += more;
    }
    for (std::size_t i = 0; i < begin; ++i) {
        const auto& documents = parts[i].segment.documents();
        auto item = alive.begin();
        std::size_t live = 0;
        for (const Document& document : documents) {
            while (item != alive.end() && item->entry.content < document.content)
                ++item;
            live +=
                item != alive.end() && item->entry.content == document.content && short_guid(item->entry.guid) == document.guid;
        }
        if (live * 2 < documents.size())
            return i;
    }
    return begin;
}

}  // namespace

std::string FeedReport::encode() const
{
    return util::concat("fed ", range.first, " ", range.last, " ", added, " ", merged, " ", complete ? 1 : 0, "\n");
}

std::optional<FeedReport> FeedReport::decode(std::string_view bytes)
{
    auto words = util::split_words(bytes);
    if (words.size() != 6 || words[0] != "fed" || !bytes.ends_with('\n'))
        return std::nullopt;
    std::uint64_t numbers[5];
    for (std::size_t i = 0; i < 5; ++i) {
        auto number = util::parse_unsigned(words[i + 1], i < 2 ? UINT32_MAX - 1 : UINT64_MAX);
        if (!number.ok())
            return std::nullopt;
        numbers[i] = *number;
    }
    FeedReport report;
    report.range = {std::uint32_t(numbers[0]), std::uint32_t(numbers[1])};
    report.added = numbers[2];
    report.merged = numbers[3];
    report.complete = numbers[4] == 1;
    return report;
}

util::Result<FeedReport> feed(store::Store& store, Index& index, int fd, const FeedOptions& options)
{
    auto deadline = util::Deadline::in(options.time);
    auto alive = TRY(all_contents(store));
    FeedReport report;
    Batch batch(options);
    std::string message;
    std::size_t hint = 0;
    for (const Item& item : alive) {
        const store::Entry& entry = item.entry;
        if (index.find(entry.content, entry.guid, hint))
            continue;
        if (report.added > 0 && (batch.full(entry.size) || deadline.passed())) {
            report.complete = false;
            break;
        }
        ++report.added;
        if (options.opaque.contains(entry.content) || entry.size > std::max(options.memory, least_memory) / copies_of_message) {
            batch.add_opaque(entry);
            continue;
        }
        if (options.reading)
            options.reading->store(entry.content);
        message.clear();
        if (store.append_content(entry, 0, entry.size, message).ok())
            batch.add(entry, message, mail::parse_mime(message));
        else
            batch.add_opaque(entry);
        if (options.reading)
            options.reading->store(0);
    }
    std::size_t begin = merge_from(index, batch.chunks(), alive);
    if (report.added == 0 && begin == index.parts().size())
        return report;
    for (std::size_t i = begin; i < index.parts().size(); ++i)
        report.merged += index.parts()[i].segment.documents().size();
    TRY(merge(index, begin, batch, alive, fd));
    report.range.last = index.next_batch();
    report.range.first = begin < index.parts().size() ? index.parts()[begin].range.first : report.range.last;
    return report;
}

}  // namespace search
