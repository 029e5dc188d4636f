// A log of any records, with right checksums, folds into a state without harm, and the state goes
// through a snapshot unchanged.  Input: records of one byte type, two bytes length, meta; what is
// left over is appended as it is.
#include "libstore/replay.h"
#include "libstore/snapshot_draft.h"
#include "libutil/check.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

namespace {

constexpr std::uint64_t tag = 0x1122334455667788;

std::string build_log(std::string_view input)
{
    std::string log(store::segment_header_size, '\0');
    store::Lsn lsn = 0;
    while (input.size() >= 3) {
        auto type = store::Type(input[0] & 31);
        std::size_t length = std::uint8_t(input[1]) + std::size_t(std::uint8_t(input[2])) * 256;
        input.remove_prefix(3);
        std::string_view meta = input.substr(0, length);
        input.remove_prefix(meta.size());
        ++lsn;
        store::encode_header({.lsn = lsn,
                              .durable = lsn - 1,
                              .length = std::uint32_t(store::record_header_size + meta.size()),
                              .meta_length = std::uint32_t(meta.size()),
                              .type = type,
                              .meta_checksum = util::crc32c(meta)},
                             tag, log);
        log.append(meta);
        log.resize(store::padded(log.size()));
    }
    return log.append(input);
}

std::string picture(const store::State& state)
{
    std::string out;
    for (const auto& [name, id] : state.names) {
        const store::Folder* folder = state.folder(id);
        CHECK(folder && folder->name == name);
        util::append(out, name, " ", id, " ", folder->uid_next, " ", folder->unseen, " ", folder->bytes, "\n");
        for (const auto& [key, annotation] : folder->annotations)
            util::append(out, key, "=", annotation.value, " ", annotation.lsn, "\n");
        for (const auto& [reader, ranges] : folder->readers)
            for (const auto& range : ranges)
                util::append(out, reader, " ", range.first, "-", range.last, "\n");
        std::uint32_t last = 0;
        for (const auto& entry : folder->entries) {
            CHECK(entry.uid > last && entry.uid < folder->uid_next);
            last = entry.uid;
            util::append(out, entry.uid, " ", entry.flags, " ", entry.modseq, "\n");
        }
    }
    for (const auto& [key, annotation] : state.annotations)
        util::append(out, key, "=", annotation.value, " ", annotation.lsn, "\n");
    util::append(out, state.kept.size(), " ", state.contents.size(), " ", state.kept_bytes);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string log = build_log({reinterpret_cast<const char*>(data), size});
    store::State state(tag);
    store::Scan scan = store::scan_segment(log, tag, true);
    for (const auto& frame : scan.frames) {
        state.last = frame.header.lsn;
        (void)store::replay_frame(state, frame, 1, nullptr);
    }
    state.name_orphans();
    std::string before = picture(state);

    store::SnapshotDraft draft;
    for (;;) {
        store::Steps slice{.left = 7};
        if (draft.advance(state, slice))
            break;
    }
    auto finished = draft.finish(state, tag, {1, log.size()});
    CHECK(finished);
    auto file = util::sys::memfd("snapshot");
    CHECK(file.ok() && finished->write(file->get(), nullptr).ok());
    store::State again(tag);
    auto snapshot = store::Snapshot::open(util::concat("/proc/self/fd/", file->get()), tag, again);
    CHECK(snapshot.ok());
    for (auto& [id, folder] : again.folders)
        CHECK(snapshot->load(*folder).ok());
    CHECK(again.contents_loaded || snapshot->load_contents(again).ok());
    CHECK(again.kept_loaded || snapshot->load_kept(again).ok());
    CHECK(picture(again) == before);
    return 0;
}
