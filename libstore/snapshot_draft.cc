// Copying the state in slices, and writing what was copied.
#include "libstore/snapshot_draft.h"

#include "libstore/codec.h"
#include "libstore/outline.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace store {

namespace {

constexpr std::size_t write_piece = 256U << 10;

}  // namespace

// --- copying -----------------------------------------------------------------------------------------

bool SnapshotDraft::copy_folder(const Folder& folder, Copy& copy, Steps& steps)
{
    if (copy.next_uid == 0) {
        copy = {};
        copy.since = std::max(folder.highest_modseq, folder.changes_from);
        copy.entries.reserve(folder.entries.size());
        copy.next_uid = 1;
    }
    std::size_t at = folder.lower_bound(copy.next_uid);
    std::size_t count = std::min<std::uint64_t>(folder.entries.size() - at, steps.left);
    auto first = folder.entries.begin() + std::ptrdiff_t(at);
    copy.entries.insert(copy.entries.end(), first, first + std::ptrdiff_t(count));
    steps.spend(count + 1);
    if (count > 0)
        copy.next_uid = copy.entries.back().uid + 1;
    if (at + count < folder.entries.size())
        return false;
    copy.gone = folder.gone;
    steps.spend(folder.gone.size() / 16);
    copy.complete = true;
    return true;
}

// False: history does not reach back that far.
bool SnapshotDraft::catch_up(const Folder& folder, Copy& copy)
{
    if (folder.changes_from > copy.since)
        return false;
    auto news = std::ranges::upper_bound(folder.changes, copy.since, {}, &Change::lsn);
    bool gone = false;
    for (auto change = news; change != folder.changes.end(); ++change) {
        if (change->kind == Change::Kind::Expunged) {
            copy.removed.push_back(change->uid);
            gone = true;
            continue;
        }
        const Entry* now = folder.find(change->uid);
        if (!now)
            continue;   // expunged since, as a later change says; or a change of keywords
        auto place = std::ranges::lower_bound(copy.entries, change->uid, {}, &Entry::uid);
        if (place != copy.entries.end() && place->uid == change->uid)
            *place = *now;
        else
            copy.entries.insert(place, *now);
    }
    if (gone)
        copy.gone = folder.gone;
    return true;
}

// Contents and deleted messages: both grow at their end, but for what a restore or a purge takes out, and for
// what is loaded in between.
bool SnapshotDraft::copy_tables(const State& state, Steps& steps)
{
    if (contents_loaded_ != state.contents_loaded) {
        contents_loaded_ = state.contents_loaded;
        contents_.clear();
        contents_.reserve(state.contents.size() + state.contents.size() / 8);
    }
    if (kept_loaded_ != state.kept_loaded || kept_removals_ != state.kept_removals) {
        kept_loaded_ = state.kept_loaded;
        kept_removals_ = state.kept_removals;
        kept_.clear();
    }
    auto copy = [&](const auto& from, auto& to) {
        std::size_t count = std::min<std::uint64_t>(from.size() - to.size(), steps.left);
        auto first = from.begin() + std::ptrdiff_t(to.size());
        to.insert(to.end(), first, first + std::ptrdiff_t(count));
        steps.spend(count);
        return to.size() == from.size();
    };
    return copy(state.contents, contents_) && copy(state.kept, kept_);
}

bool SnapshotDraft::advance(const State& state, Steps& steps)
{
    for (const auto& [id, folder] : state.folders) {
        if (!folder->loaded)
            continue;
        Copy& copy = copies_[id];
        if (copy.complete && folder->changes_from > copy.since)
            copy = {};
        if (!copy.complete && (steps.left == 0 || !copy_folder(*folder, copy, steps)))
            return false;
    }
    return copy_tables(state, steps);
}

namespace {

void encode_folder(const Folder& folder, SnapshotPicture::Part& part)
{
    Writer writer(part.before);
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
    Writer behind(part.after);
    behind.u32(std::uint32_t(folder.keywords.size()));
    for (const auto& keyword : folder.keywords)
        behind.text(keyword);
}

std::string encode_annotations(const State& state)
{
    std::string section;
    Writer writer(section);
    auto add = [&writer](MailboxId holder, const Annotations& some) {
        for (const auto& [name, annotation] : some) {
            writer.u64(holder);
            writer.text(name);
            writer.u64(annotation.lsn);
            writer.u32(annotation.size);
            writer.text(annotation.value);
        }
    };
    add(0, state.annotations);
    for (const auto& [id, folder] : state.folders)
        add(id, folder->annotations);
    return section;
}

std::string encode_readers(const State& state)
{
    std::string section;
    Writer writer(section);
    for (const auto& [id, folder] : state.folders)
        for (const auto& [reader, ranges] : folder->readers) {
            writer.u64(id);
            writer.text(reader);
            writer.u32(std::uint32_t(ranges.size()));
            for (const auto& range : ranges) {
                writer.u32(range.first);
                writer.u32(range.last);
            }
        }
    return section;
}

std::string encode_directory(const State& state)
{
    std::string directory;
    Writer writer(directory);
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
    // What came later: sections with a number and a length, so that a release passes over what it does not know.
    std::string limits;
    for (const auto& [id, folder] : state.folders)
        if (folder->limits.any() || folder->limits_fixed) {
            Writer(limits).u64(id);
            encode_limits(folder->limits, folder->limits_fixed, limits);
        }
    if (!limits.empty()) {
        writer.u32(snapshot_section_limits);
        writer.text(limits);
    }
    writer.u32(snapshot_section_annotations);
    writer.text(encode_annotations(state));
    writer.u32(snapshot_section_readers);
    writer.text(encode_readers(state));
    return directory;
}

}  // namespace

std::optional<SnapshotPicture> SnapshotDraft::finish(const State& state, std::uint64_t tag, LogPosition position)
{
    Steps rest{.left = UINT64_MAX};
    for (const auto& [id, folder] : state.folders) {
        auto copy = folder->loaded ? copies_.find(id) : copies_.end();
        if (folder->loaded && (copy == copies_.end() || !copy->second.complete || !catch_up(*folder, copy->second)))
            return {};
    }
    if (!copy_tables(state, rest))
        return {};
    SnapshotPicture picture;
    picture.folders.reserve(state.folders.size());
    for (const auto& [id, folder] : state.folders) {
        SnapshotPicture::Part& part = picture.folders.emplace_back();
        encode_folder(*folder, part);
        part.id = id;
        part.stored = !folder->loaded;
        if (part.stored) {
            part.place = {folder->stored_at,
                          std::uint64_t(folder->stored_messages) * entry_size +
                              std::uint64_t(folder->stored_gone) * sizeof(Gone),
                          folder->stored_checksum};
            part.outline = folder->outline;
            part.stored_messages = folder->stored_messages;
            continue;
        }
        Copy& copy = copies_[id];
        part.entries = std::move(copy.entries);
        part.removed = std::move(copy.removed);
        part.gone = std::move(copy.gone);
        std::ranges::sort(part.removed);
    }
    picture.directory = encode_directory(state);
    picture.contents = std::move(contents_);
    picture.kept = std::move(kept_);
    picture.contents_loaded = state.contents_loaded;
    picture.kept_loaded = state.kept_loaded;
    picture.header = Snapshot::encode_header(state, tag, position);
    return picture;
}

// --- writing -----------------------------------------------------------------------------------------

namespace {

template <typename Item>
std::string_view raw_bytes(const Item* items, std::size_t count)
{
    return {reinterpret_cast<const char*>(items), count * sizeof(Item)};
}

// A file written from its start, in large pieces; each part has a checksum.
class PartWriter {
public:
    PartWriter(int fd, std::uint64_t offset) : fd_(fd), offset_(offset) { buffer_.reserve(2 * write_piece); }

    std::uint64_t offset() const { return offset_ + buffer_.size(); }
    void begin()
    {
        start_ = offset();
        checksum_ = 0;
    }
    SnapshotPart part(std::uint64_t count) const { return {start_, count, checksum_}; }

    util::Result<void> add(std::string_view bytes)
    {
        checksum_ = util::crc32c(bytes, checksum_);
        buffer_ += bytes;
        return buffer_.size() < write_piece ? util::Result<void>() : flush();
    }
    util::Result<void> flush()
    {
        TRY(util::sys::pwrite_all(fd_, buffer_, offset_));
        offset_ += buffer_.size();
        buffer_.clear();
        return {};
    }

    // Entries as they are in memory, but with the same bytes for the same values; `removed` stay out.
    util::Result<void> add_entries(std::span<const Entry> entries, std::span<const std::uint32_t> removed,
                                   OutlineWriter& outline)
    {
        std::string piece;
        for (const Entry& entry : entries) {
            while (!removed.empty() && removed.front() < entry.uid)
                removed = removed.subspan(1);
            if (!removed.empty() && removed.front() == entry.uid)
                continue;
            outline.add(entry);
            std::size_t at = piece.size();
            piece.append(reinterpret_cast<const char*>(&entry), entry_size);
            std::memset(piece.data() + at + date_padding, 0, date_padding_size);
            if (piece.size() >= write_piece) {
                TRY(add(piece));
                piece.clear();
            }
        }
        return add(piece);
    }

    template <typename Item>
    util::Result<void> add_items(const std::vector<Item>& items)
    {
        auto bytes = raw_bytes(items.data(), items.size());
        for (; !bytes.empty(); bytes.remove_prefix(std::min(write_piece, bytes.size())))
            TRY(add(bytes.substr(0, write_piece)));
        return {};
    }

private:
    int fd_;
    std::uint64_t offset_;   // of the buffer
    std::string buffer_;
    std::uint64_t start_ = 0;
    std::uint32_t checksum_ = 0;
};

// Entries and expunged uids of a mailbox that were not loaded go over as they are.  The answer is their outline.
util::Result<std::string> copy_folder(const SnapshotPicture::Part& part, const Snapshot& before, PartWriter& out)
{
    std::string bytes = TRY(before.read_part(part.place.offset, part.place.count, part.place.checksum));
    TRY(out.add(bytes));
    if (part.outline.count > 0)
        return before.read_part(part.outline.offset, part.outline.count, part.outline.checksum);
    OutlineWriter outline;   // a release that made none has written the old snapshot
    Entry entry;
    for (std::size_t at = 0; at < part.stored_messages * entry_size; at += entry_size) {
        std::memcpy(&entry, bytes.data() + at, entry_size);
        outline.add(entry);
    }
    return outline.take();
}

util::Result<std::string> write_folder(const SnapshotPicture::Part& part, const Snapshot* before, PartWriter& out)
{
    if (part.stored) {
        CHECK(before);
        return copy_folder(part, *before, out);
    }
    OutlineWriter outline;
    TRY(out.add_entries(part.entries, part.removed, outline));
    std::string bytes;
    Writer writer(bytes);
    for (const Gone& gone : part.gone) {
        writer.u64(gone.lsn);
        writer.u32(gone.uid);
        writer.u32(0);
    }
    TRY(out.add(bytes));
    return outline.take();
}

}  // namespace

bool SnapshotPicture::needs_old() const
{
    return !contents_loaded || !kept_loaded || std::ranges::any_of(folders, &Part::stored);
}

util::Result<void> SnapshotPicture::write(int fd, const Snapshot* before)
{
    CHECK(before || (contents_loaded && kept_loaded));
    PartWriter out(fd, snapshot_header_size);
    std::string index;
    Writer writer(index);
    std::vector<std::string> outlines;
    writer.u32(std::uint32_t(folders.size()));
    for (const Part& part : folders) {
        out.begin();
        outlines.push_back(TRY(write_folder(part, before, out)));
        SnapshotPart place = out.part(0);
        writer.raw(part.before);
        writer.u64(place.offset);
        writer.u32(place.checksum);
        writer.raw(part.after);
    }
    writer.raw(directory);

    out.begin();
    std::uint64_t count = contents.size();
    if (!contents_loaded) {
        std::string stored = TRY(before->read_contents());
        count += stored.size() / sizeof(Content);
        TRY(out.add(stored));
    }
    TRY(out.add_items(contents));
    SnapshotPart contents_place = out.part(count);

    out.begin();
    count = kept.size();
    if (!kept_loaded) {
        std::string stored = TRY(before->read_kept());
        count += stored.size() / sizeof(Kept);
        TRY(out.add(stored));
    }
    for (Kept& item : kept)
        std::memset(reinterpret_cast<char*>(&item.entry) + date_padding, 0, date_padding_size);
    for (const Kept& item : kept)
        TRY(out.add(raw_bytes(&item, 1)));
    SnapshotPart kept_place = out.part(count);

    // Beside the directory, which is read just before them.
    std::string places;
    for (std::size_t i = 0; i < folders.size(); ++i) {
        out.begin();
        TRY(out.add(outlines[i]));
        Writer(places).u64(folders[i].id);
        Snapshot::encode_part(out.part(outlines[i].size()), places);
    }
    writer.u32(snapshot_section_outlines);
    writer.text(places);
    if (index.size() > max_snapshot_directory)
        return util::Error{util::Kind::Permanent, "there are too many names for its directory", EFBIG};

    out.begin();
    TRY(out.add(index));
    SnapshotPart index_place = out.part(index.size());
    TRY(out.flush());
    // Last: until the manifest names the file nobody reads it.
    return util::sys::pwrite_all(fd, Snapshot::complete_header(std::move(header), contents_place, kept_place, index_place), 0);
}

}  // namespace store
