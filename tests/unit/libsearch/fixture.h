// A store with an index, filled as a mailbox does it, and searches in both ways.
#pragma once

#include "libsearch/files.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/libstore/fixture.h"

#include <algorithm>
#include <optional>

namespace test {

struct Indexed {
    Directory directory;
    std::unique_ptr<store::Store> store = open(directory.path);
    search::Files files = search::Files::open(directory.path).take();
    std::unique_ptr<search::Index> index = files.read().take();

    void deliver(std::string_view content)
    {
        test::deliver(*store, content);
    }
    const std::vector<store::Entry>& entries() { return (*store->mailbox("INBOX"))->entries; }

    // One batch.
    search::FeedReport feed(const search::FeedOptions& options = {})
    {
        OK(store->sync());
        OK(store->collect());
        auto target = files.begin();
        OK(target);
        auto report = search::feed(*store, *index, target->get(), options);
        OK(report);
        OK(files.adopt(*report, *index));
        read();
        return *report;
    }
    void read()
    {
        auto opened = files.read();
        OK(opened);
        index = opened.take();
    }

    static bool contains(store::Store& store, const store::Entry& entry, std::string_view needle, bool header)
    {
        auto content = store.read_content(entry);
        OK(content);
        return search::message_contains(*content, mail::parse_mime(*content), needle, header);
    }
    // The uids that hold it: all are read, or those alone that the index does not exclude; `read` counts them.
    std::vector<std::uint32_t> scan(std::string_view needle, bool header = true)
    {
        std::vector<std::uint32_t> found;
        for (const auto& entry : entries())
            if (contains(*store, entry, needle, header))
                found.push_back(entry.uid);
        return found;
    }
    std::vector<std::uint32_t> look_up(std::string_view needle, bool header = true, std::size_t* read = nullptr)
    {
        auto candidates = index->candidates(needle, header, true);
        std::vector<std::uint32_t> found;
        std::size_t hint = 0;
        for (const auto& entry : entries()) {
            auto place = index->find(entry.content, entry.guid, hint);
            if (candidates && place && !candidates->has(*place))
                continue;
            if (read)
                ++*read;
            if (contains(*store, entry, needle, header))
                found.push_back(entry.uid);
        }
        return found;
    }
};

inline std::string numbered_message(int number)
{
    return util::concat("From: sender", number % 7, "@example.org\r\nSubject: number ", number, " of them\r\n\r\n",
                        "Word", number, "x and some words that all have; every third: ", number % 3 ? "none" : "tertius",
                        "\r\n");
}

}  // namespace test
