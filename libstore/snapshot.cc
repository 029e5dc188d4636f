// The snapshot (see snapshot.h and tern-store(5)).
#include "libstore/snapshot.h"

#include "libstore/codec.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>

namespace store {

static_assert(sizeof(Content) == 24 && sizeof(Gone) == 16 && sizeof(Kept) == 24 + entry_size &&
              offsetof(Kept, entry) == 24 && std::is_trivially_copyable_v<Kept>,
              "snapshots hold these records as they are in memory");

namespace {

constexpr std::string_view magic("TERNSNP\1", 8);
constexpr std::size_t date_padding = offsetof(Entry, internal_date) + 10;  // 6 bytes of no meaning

util::Error damaged()
{
    return util::permanent("snapshot is damaged");
}

template <typename Item>
std::string_view bytes_of(const std::vector<Item>& items)
{
    return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(Item)};
}

// Entries as they are in memory, but with the same bytes for the same values.
void append_entries(const std::vector<Entry>& entries, std::string& out)
{
    std::size_t start = out.size();
    out.append(bytes_of(entries));
    for (std::size_t at = start + date_padding; at < out.size(); at += entry_size)
        std::memset(out.data() + at, 0, 6);
}

void append_gone(const std::vector<Gone>& items, std::string& out)
{
    Writer writer(out);
    for (const auto& gone : items) {
        writer.u64(gone.lsn);
        writer.u32(gone.uid);
        writer.u32(0);
    }
}

SnapshotPart append_part(std::string_view bytes, std::uint64_t count, std::string& out)
{
    SnapshotPart part{out.size(), count, util::crc32c(bytes)};
    out.append(bytes);
    return part;
}

void encode_part(const SnapshotPart& part, Writer& writer)
{
    writer.u64(part.offset);
    writer.u64(part.count);
    writer.u32(part.checksum);
    writer.u32(0);
}

SnapshotPart decode_part(Reader& reader)
{
    SnapshotPart part;
    part.offset = reader.u64();
    part.count = reader.u64();
    part.checksum = reader.u32();
    reader.u32();
    return part;
}

void encode_folder(const Folder& folder, std::uint64_t at, std::uint32_t checksum, Writer& writer)
{
    writer.u64(folder.id);
    writer.text(folder.name);
    writer.u32(folder.uid_validity);
    writer.u32(folder.uid_next);
    writer.u32(folder.first_recent_uid);
    writer.u64(folder.highest_modseq);
    writer.u64(folder.modseq_floor);
    writer.u8(std::uint8_t(folder.special_use));
    writer.u32(folder.unseen);
    writer.u32(folder.deleted);
    writer.u64(folder.bytes);
    writer.u64(folder.gone_from);
    writer.u32(std::uint32_t(folder.message_count()));
    writer.u32(folder.loaded ? std::uint32_t(folder.gone.size()) : folder.stored_gone);
    writer.u64(at);
    writer.u32(checksum);
    writer.u32(std::uint32_t(folder.keywords.size()));
    for (const auto& keyword : folder.keywords)
        writer.text(keyword);
}

std::unique_ptr<Folder> decode_folder(Reader& reader)
{
    auto folder = std::make_unique<Folder>();
    folder->id = reader.u64();
    folder->name = reader.text();
    folder->named = true;
    folder->uid_validity = reader.u32();
    folder->uid_next = reader.u32();
    folder->first_recent_uid = reader.u32();
    folder->highest_modseq = reader.u64();
    folder->modseq_floor = reader.u64();
    folder->special_use = SpecialUse(reader.u8());
    folder->unseen = reader.u32();
    folder->deleted = reader.u32();
    folder->bytes = reader.u64();
    folder->gone_from = reader.u64();
    folder->stored_messages = reader.u32();
    folder->stored_gone = reader.u32();
    folder->stored_at = reader.u64();
    folder->stored_checksum = reader.u32();
    folder->keywords.resize(reader.count(4));
    for (auto& keyword : folder->keywords)
        keyword = reader.text();
    folder->loaded = folder->stored_messages == 0 && folder->stored_gone == 0;
    if (folder->special_use > SpecialUse::Trash || folder->keywords.size() > max_keywords)
        reader.fail();
    return folder;
}

void decode_directory(Reader& reader, State& state)
{
    std::uint32_t count = reader.count(64);
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
        auto folder = decode_folder(reader);
        state.names[folder->name] = folder->id;
        state.folders[folder->id] = std::move(folder);
    }
    std::uint32_t subscriptions = reader.count(4);
    for (std::uint32_t i = 0; i < subscriptions && reader.ok(); ++i)
        state.subscriptions.emplace_back(reader.text());
    std::uint32_t removed = reader.count(12);
    for (std::uint32_t i = 0; i < removed && reader.ok(); ++i) {
        MailboxId id = reader.u64();
        state.removed_names[id] = reader.text();
    }
    std::uint32_t deliveries = reader.count(28);
    for (std::uint32_t i = 0; i < deliveries && reader.ok(); ++i) {
        DuplicateMemory::Item item;
        item.key = reader.u64();
        item.lsn = reader.u64();
        item.mailbox = reader.u64();
        item.uid = reader.u32();
        state.duplicates.add(item);
    }
    std::ranges::sort(state.subscriptions);
    for (auto& [id, folder] : state.folders)
        folder->subscribed = state.is_subscribed(folder->name);
}

}  // namespace

util::Result<std::string> Snapshot::encode(const State& state, std::uint64_t tag,
                                           LogPosition position, const Snapshot* before)
{
    CHECK(before || (state.contents_loaded && state.kept_loaded));
    std::string out(snapshot_header_size, '\0');
    std::string directory;
    Writer writer(directory);
    writer.u32(std::uint32_t(state.folders.size()));
    for (const auto& [id, folder] : state.folders) {
        std::size_t at = out.size();
        if (folder->loaded) {
            append_entries(folder->entries, out);
            append_gone(folder->gone, out);
        } else {
            CHECK(before);
            std::size_t length = std::size_t(folder->stored_messages) * entry_size +
                                 std::size_t(folder->stored_gone) * sizeof(Gone);
            out += TRY(before->read_part(folder->stored_at, length, folder->stored_checksum));
        }
        encode_folder(*folder, at, util::crc32c(std::string_view(out).substr(at)), writer);
    }
    writer.u32(std::uint32_t(state.subscriptions.size()));
    for (const auto& name : state.subscriptions)
        writer.text(name);
    writer.u32(std::uint32_t(state.removed_names.size()));
    for (const auto& [id, name] : state.removed_names) {
        writer.u64(id);
        writer.text(name);
    }
    writer.u32(std::uint32_t(state.duplicates.items().size()));
    for (const auto& item : state.duplicates.items()) {
        writer.u64(item.key);
        writer.u64(item.lsn);
        writer.u64(item.mailbox);
        writer.u32(item.uid);
    }

    std::string content_bytes;
    if (!state.contents_loaded)
        content_bytes = TRY(before->read_part(before->contents_.offset,
                                              before->contents_.count * sizeof(Content),
                                              before->contents_.checksum));
    content_bytes.append(bytes_of(state.contents));
    SnapshotPart contents = append_part(content_bytes, content_bytes.size() / sizeof(Content), out);
    std::string kept_bytes;
    if (!state.kept_loaded)
        kept_bytes = TRY(before->read_part(before->kept_.offset, before->kept_.count * sizeof(Kept),
                                           before->kept_.checksum));
    kept_bytes.append(bytes_of(state.kept));
    for (std::size_t at = 24 + date_padding; at < kept_bytes.size(); at += sizeof(Kept))
        std::memset(kept_bytes.data() + at, 0, 6);
    SnapshotPart kept = append_part(kept_bytes, kept_bytes.size() / sizeof(Kept), out);
    SnapshotPart index = append_part(directory, directory.size(), out);

    std::string header;
    Writer head(header);
    head.raw(magic);
    head.u32(1);
    head.u32(std::uint32_t(snapshot_header_size));
    head.u64(tag);
    head.u64(state.last);
    head.u64(state.ceiling);
    head.u64(state.reservation_open);
    head.u64(state.recovered);
    head.u64(state.purged);
    head.u64(state.last_uid_validity);
    head.u64(state.kept_bytes);
    head.u64(state.garbage_bytes);
    head.u64(position.segment);
    head.u64(position.offset);
    encode_part(contents, head);
    encode_part(kept, head);
    encode_part(index, head);
    header.resize(snapshot_header_size - 4);
    head.u32(util::crc32c(header));
    out.replace(0, snapshot_header_size, header);
    return out;
}

util::Result<Snapshot> Snapshot::open(const std::string& path, std::uint64_t tag, State& state)
{
    Snapshot snapshot;
    snapshot.fd_ = TRY(util::sys::open(path, O_RDONLY));
    std::string header(snapshot_header_size, '\0');
    std::size_t got = TRY(util::sys::pread(snapshot.fd_.get(), header, 0));
    if (got != header.size() || !header.starts_with(magic))
        return damaged();
    Reader tail(std::string_view(header).substr(snapshot_header_size - 4));
    if (tail.u32() != util::crc32c(std::string_view(header).substr(0, snapshot_header_size - 4)))
        return damaged();
    Reader reader(std::string_view(header).substr(magic.size()));
    if (reader.u32() != 1 || reader.u32() != snapshot_header_size || reader.u64() != tag)
        return damaged();
    snapshot.lsn_ = state.last = reader.u64();
    state.ceiling = reader.u64();
    state.reservation_open = reader.u64() != 0;
    state.recovered = reader.u64();
    state.purged = reader.u64();
    state.last_uid_validity = std::uint32_t(reader.u64());
    state.kept_bytes = reader.u64();
    state.garbage_bytes = reader.u64();
    snapshot.position_.segment = std::uint32_t(reader.u64());
    snapshot.position_.offset = reader.u64();
    snapshot.contents_ = decode_part(reader);
    snapshot.kept_ = decode_part(reader);
    SnapshotPart index = decode_part(reader);
    if (index.count > max_snapshot_directory)
        return damaged();
    std::string directory = TRY(snapshot.read_part(index.offset, index.count, index.checksum));
    Reader entries(directory);
    decode_directory(entries, state);
    if (!entries.ok() || state.names.size() != state.folders.size())
        return damaged();
    state.contents_loaded = snapshot.contents_.count == 0;
    state.kept_loaded = snapshot.kept_.count == 0;
    return snapshot;
}

util::Result<std::string> Snapshot::read_part(std::uint64_t offset, std::uint64_t length,
                                              std::uint32_t checksum) const
{
    auto status = TRY(util::sys::fstat(fd_.get()));
    if (offset > std::uint64_t(status.st_size) || length > std::uint64_t(status.st_size) - offset)
        return damaged();
    std::string bytes(length, '\0');
    std::size_t got = 0;
    while (got < length) {
        std::size_t more = TRY(util::sys::pread(fd_.get(), std::span(bytes).subspan(got), offset + got));
        if (more == 0)
            return damaged();
        got += more;
    }
    if (util::crc32c(bytes) != checksum)
        return damaged();
    return bytes;
}

namespace {

// Reads `count` records in pieces that stay in the processor's cache between copy and checksum.
template <typename Item>
util::Result<std::uint32_t> read_items(int fd, std::uint64_t offset, std::uint64_t count,
                                       std::uint32_t checksum, std::vector<Item>& out)
{
    auto status = TRY(util::sys::fstat(fd));
    if (offset > std::uint64_t(status.st_size) ||
        count > (std::uint64_t(status.st_size) - offset) / sizeof(Item))
        return damaged();
    constexpr std::size_t piece = (128U << 10) / sizeof(Item);
    std::string buffer(std::min<std::uint64_t>(count, piece) * sizeof(Item), '\0');
    out.reserve(out.size() + count);
    while (count > 0) {
        std::size_t number = std::min<std::uint64_t>(count, piece);
        std::size_t length = number * sizeof(Item);
        std::size_t got = TRY(util::sys::pread(fd, std::span(buffer).first(length), offset));
        if (got != length)
            return damaged();
        checksum = util::crc32c(std::string_view(buffer).substr(0, length), checksum);
        const auto* items = reinterpret_cast<const Item*>(buffer.data());
        out.insert(out.end(), items, items + number);
        offset += length;
        count -= number;
    }
    return checksum;
}

template <typename Item, typename Key>
bool ascending(const std::vector<Item>& items, Key key)
{
    return std::ranges::adjacent_find(items, std::ranges::greater_equal(), key) == items.end();
}

}  // namespace

util::Result<void> Snapshot::load(Folder& folder) const
{
    if (folder.loaded)
        return {};
    std::vector<Entry> entries;
    std::vector<Gone> gone;
    std::uint32_t checksum =
        TRY(read_items(fd_.get(), folder.stored_at, folder.stored_messages, 0, entries));
    checksum = TRY(read_items(fd_.get(), folder.stored_at + folder.stored_messages * entry_size,
                              folder.stored_gone, checksum, gone));
    if (checksum != folder.stored_checksum || !ascending(entries, &Entry::uid))
        return damaged();
    folder.entries = std::move(entries);
    folder.gone = std::move(gone);
    State::adopt_entries(folder);
    return {};
}

util::Result<void> Snapshot::load_contents(State& state) const
{
    std::vector<Content> contents;
    std::uint32_t checksum = TRY(read_items(fd_.get(), contents_.offset, contents_.count, 0, contents));
    if (checksum != contents_.checksum || !ascending(contents, &Content::lsn))
        return damaged();
    contents.insert(contents.end(), state.contents.begin(), state.contents.end());
    state.contents = std::move(contents);
    state.contents_loaded = true;
    return {};
}

util::Result<void> Snapshot::load_kept(State& state) const
{
    std::vector<Kept> kept;
    std::uint32_t checksum = TRY(read_items(fd_.get(), kept_.offset, kept_.count, 0, kept));
    if (checksum != kept_.checksum)
        return damaged();
    kept.insert(kept.end(), state.kept.begin(), state.kept.end());
    state.kept = std::move(kept);
    state.kept_loaded = true;
    return {};
}

}  // namespace store
