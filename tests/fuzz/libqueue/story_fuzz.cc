// Stories: any bytes decode, and what decodes is written again and comes back the same.
#include "libqueue/story.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    (void)queue::decode_story(bytes);
    queue::StoryEntry entry;
    entry.text = bytes.substr(0, 500);
    entry.status.emplace().diagnostic = bytes.substr(0, 500);
    auto story = queue::decode_story(queue::encode_story_line(entry));
    if (story.damaged != 0 || story.entries.size() != 1 || story.entries[0].text != entry.text ||
        story.entries[0].status->diagnostic != entry.status->diagnostic)
        __builtin_trap();
    return 0;
}
