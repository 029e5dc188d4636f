// The snapshot (see snapshot.h and tern-store(5)).
#include "libstore/snapshot.h"

#include "libstore/codec.h"
#include "libstore/outline.h"
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

util::Error damaged()
{
    return util::permanent("snapshot is damaged");
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

bool decode_all_limits(std::string_view bytes, State& state)
{
    Reader reader(bytes);
    while (reader.ok() && !reader.left().empty()) {
        Folder* folder = state.folder(reader.u64());
        std::string_view limits = reader.raw(limits_size);
        if (!folder || !decode_limits(limits, folder->limits, folder->limits_fixed))
            reader.fail();
    }
    return reader.ok();
}

// False: not well formed.
bool decode_annotations(std::string_view bytes, State& state)
{
    Reader reader(bytes);
    while (reader.ok() && !reader.left().empty()) {
        Annotations* all = state.annotations_of(reader.u64());
        std::string name(reader.text());
        Annotation annotation;
        annotation.lsn = reader.u64();
        annotation.size = reader.u32();
        annotation.value = reader.text();
        if (all)
            all->emplace(std::move(name), std::move(annotation));
        else
            reader.fail();
    }
    return reader.ok();
}

bool decode_readers(std::string_view bytes, State& state)
{
    Reader reader(bytes);
    while (reader.ok() && !reader.left().empty()) {
        Folder* folder = state.folder(reader.u64());
        std::string name(reader.text());
        auto ranges = decode_ranges(reader);
        if (folder)
            state.set_seen(*folder, name, std::move(ranges));
        else
            reader.fail();
    }
    return reader.ok();
}

bool decode_outlines(std::string_view bytes, State& state)
{
    Reader reader(bytes);
    while (reader.ok() && !reader.left().empty()) {
        Folder* folder = state.folder(reader.u64());
        SnapshotPart place = decode_part(reader);
        if (folder)
            folder->outline = place;
        else
            reader.fail();
    }
    return reader.ok();
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
    state.annotations_missing = true;
    while (reader.ok() && !reader.left().empty()) {
        std::uint32_t section = reader.u32();
        std::string_view bytes = reader.text();
        bool good = true;
        if (section == snapshot_section_annotations) {
            good = decode_annotations(bytes, state);
            state.annotations_missing = false;
        } else if (section == snapshot_section_readers) {
            good = decode_readers(bytes, state);
        } else if (section == snapshot_section_limits) {
            good = decode_all_limits(bytes, state);
        } else if (section == snapshot_section_outlines) {
            good = decode_outlines(bytes, state);
        }
        if (!good)
            reader.fail();
    }
    std::ranges::sort(state.subscriptions);
    for (auto& [id, folder] : state.folders)
        folder->subscribed = state.is_subscribed(folder->name);
}

}  // namespace

std::string Snapshot::encode_header(const State& state, std::uint64_t tag, LogPosition position)
{
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
    return header;
}

void Snapshot::encode_part(const SnapshotPart& part, std::string& out)
{
    Writer writer(out);
    writer.u64(part.offset);
    writer.u64(part.count);
    writer.u32(part.checksum);
    writer.u32(0);
}

std::string Snapshot::complete_header(std::string header, const SnapshotPart& contents, const SnapshotPart& kept,
                                      const SnapshotPart& index)
{
    Writer head(header);
    encode_part(contents, header);
    encode_part(kept, header);
    encode_part(index, header);
    header.resize(snapshot_header_size - 4);
    head.u32(util::crc32c(header));
    return header;
}

util::Result<std::string> Snapshot::read_contents() const
{
    return read_part(contents_.offset, contents_.count * sizeof(Content), contents_.checksum);
}

util::Result<std::string> Snapshot::read_kept() const
{
    return read_part(kept_.offset, kept_.count * sizeof(Kept), kept_.checksum);
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
    // One of a release that knew no annotations: what the log may hold of them it does not tell.
    if (entries.ok() && state.annotations_missing)
        return util::Error{util::Kind::NotFound, "the snapshot is of an earlier release"};
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
template <typename Items>
util::Result<std::uint32_t> read_items(int fd, std::uint64_t offset, std::uint64_t count,
                                       std::uint32_t checksum, Items& out)
{
    using Item = typename Items::value_type;
    auto status = TRY(util::sys::fstat(fd));
    if (offset > std::uint64_t(status.st_size) ||
        count > (std::uint64_t(status.st_size) - offset) / sizeof(Item))
        return damaged();
    constexpr std::size_t piece = (128U << 10) / sizeof(Item);
    std::string buffer(std::min<std::uint64_t>(count, piece) * sizeof(Item), '\0');
    if constexpr (requires { out.reserve(count); })
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
bool all_ascending(const std::vector<Item>& items, Key key)
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
    if (checksum != folder.stored_checksum || !all_ascending(entries, &Entry::uid))
        return damaged();
    folder.entries = std::move(entries);
    folder.gone = std::move(gone);
    State::adopt_entries(folder);
    return {};
}

util::Result<Outline> Snapshot::read_outline(const Folder& folder) const
{
    if (folder.outline.count == 0)
        return util::not_found("the snapshot has no outline of this mailbox");
    // So many messages as the file has entries for: that bounds what is made of runs.
    auto status = TRY(util::sys::fstat(fd_.get()));
    if (folder.stored_messages > std::uint64_t(status.st_size) / entry_size)
        return damaged();
    std::string bytes = TRY(read_part(folder.outline.offset, folder.outline.count, folder.outline.checksum));
    auto outline = decode_outline(bytes, folder.stored_messages);
    if (!outline)
        return damaged();
    outline->uid_next = folder.uid_next;
    return std::move(*outline);
}

util::Result<void> Snapshot::load_contents(State& state) const
{
    std::vector<Content> contents;
    std::uint32_t checksum = TRY(read_items(fd_.get(), contents_.offset, contents_.count, 0, contents));
    if (checksum != contents_.checksum || !all_ascending(contents, &Content::lsn))
        return damaged();
    contents.insert(contents.end(), state.contents.begin(), state.contents.end());
    state.contents = std::move(contents);
    state.contents_loaded = true;
    return {};
}

util::Result<void> Snapshot::load_kept(State& state) const
{
    KeptMessages::Items kept;
    std::uint32_t checksum = TRY(read_items(fd_.get(), kept_.offset, kept_.count, 0, kept));
    if (checksum != kept_.checksum)
        return damaged();
    state.kept.push_front(kept);
    state.kept_loaded = true;
    return {};
}

}  // namespace store
