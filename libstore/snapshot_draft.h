// A snapshot in the making: the state is copied in slices, while it goes on changing, and written by the helper
// thread.
//
// Entries are copied in the order of uids.  What changes in a mailbox afterwards its history of changes tells
// (Mailbox::changes): before the end the copy is brought up to date by it, so that all of it shows the
// state as it is at one moment, finish().  Where history does not reach back that far a mailbox is copied anew.
// Compaction, which moves contents, must not run meanwhile.
#pragma once

#include "libstore/snapshot.h"
#include "libstore/steps.h"

#include <map>
#include <optional>
#include <vector>

namespace store {

// A state at one moment, with all that writing it needs; of what was not loaded, where the old snapshot has it.
struct SnapshotPicture {
    struct Part {
        bool stored = false;                    // in the old snapshot
        MailboxId id = 0;
        SnapshotPart place, outline;            // there; `count` is bytes
        std::size_t stored_messages = 0;
        std::vector<Entry> entries;
        std::vector<std::uint32_t> removed;     // uids that are to be left out, ascending
        std::vector<Gone> gone;
        std::string before, after;              // of the folder's place in the directory
    };
    std::string header;                         // up to the places of the parts
    std::vector<Part> folders;
    std::string directory;                      // behind the folders
    std::vector<Content> contents;              // behind those of the old snapshot, if they are not loaded
    KeptMessages::Items kept;
    bool contents_loaded = true, kept_loaded = true;

    bool needs_old() const;
    // Writes it to an empty file.  `before`: the old snapshot.  Permanent: that is damaged; with Error::code EFBIG, no
    // reader would take the new one.
    util::Result<void> write(int fd, const Snapshot* before);
};

class SnapshotDraft {
public:
    // Goes on copying; true when finish() is due.
    bool advance(const State& state, Steps& steps);
    // The state as it is now.  Nothing: too much has changed meanwhile, advance() goes on.
    std::optional<SnapshotPicture> finish(const State& state, std::uint64_t tag, LogPosition position);

private:
    struct Copy {
        std::vector<Entry> entries;
        std::vector<std::uint32_t> removed;
        std::vector<Gone> gone;
        Lsn since = 0;              // when copying began: entries show all changes up to here
        std::uint32_t next_uid = 0; // copied up to here
        bool complete = false;
    };

    bool copy_folder(const Folder& folder, Copy& copy, Steps& steps);
    static bool catch_up(const Folder& folder, Copy& copy);
    bool copy_tables(const State& state, Steps& steps);

    std::map<MailboxId, Copy> copies_;
    std::optional<bool> contents_loaded_, kept_loaded_;   // when copying began
    std::vector<Content> contents_;
    KeptMessages::Items kept_;
    std::uint64_t kept_removals_ = 0;
};

}  // namespace store
