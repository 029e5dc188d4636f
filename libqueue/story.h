// The story of a message: lines appended to its queue file, one for each thing that happened.
//
// A line is "\n" CRC-32C in eight hex digits, then name=value separated by tabs, "\n".  Each stands
// for itself: a torn or rotten line is counted and passed over, those around it are read.
#pragma once

#include "libipc/delivery.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

// More lines than this are not kept in memory: the first and the last halves are.
constexpr std::size_t max_story_lines = 20'000;
constexpr std::size_t max_story_line_size = 8'192;
// The story is read up to this many bytes from its end.
constexpr std::size_t max_story_size = 16U << 20;

struct StoryEntry {
    enum class Kind : std::uint8_t {
        Attempt,    // the outcome for one recipient
        Died,       // an agent ended while it worked on this message
        Warned,     // a delay warning was handed to cleanup
        Notified,   // the sender was told of this recipient's failure (or success)
        Held,
        Released,
        Expire,     // it is to go back to its sender
        Reported,   // the report that the sender asked for was handed to cleanup
        Note,
        last_ = Note
    };
    Kind kind = Kind::Note;
    std::int64_t time = 0;                    // microseconds since 1970
    std::optional<std::uint32_t> recipient;   // its index in the file
    std::optional<ipc::DeliveryStatus> status;
    std::string text;
};

std::string_view name_of(StoryEntry::Kind kind);

struct Story {
    std::vector<StoryEntry> entries;
    std::size_t damaged = 0;   // lines that could not be read
};

std::string encode_story_line(const StoryEntry& entry);
Story decode_story(std::string_view bytes);

// Writes a line at the end of the file, without a sync; the caller is the only one who writes
// there.  A failure loses the line, nothing else: callers log it and go on.
util::Result<void> append_story(int fd, const StoryEntry& entry);

}  // namespace queue
