// The directory of the index.
#include "libsearch/files.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <cerrno>

namespace search {

namespace {

constexpr const char* unfinished_name = "new";
constexpr const char* hint_name = "complete";
constexpr std::size_t max_hint = 64;

}  // namespace

util::Result<Files> Files::open(const std::string& store_directory)
{
    std::string path = store_directory + "/index";
    if (auto made = util::sys::mkdir(path, 0700); !made.ok() && made.error().code != EEXIST)
        return made.take_error();
    auto directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return Files(std::move(path), std::move(directory));
}

util::Result<std::unique_ptr<Index>> Files::read() const
{
    auto index = TRY(Index::open(directory_.get()));
    for (const auto& name : index->useless())
        TRY(util::sys::unlinkat(directory_.get(), name));
    if (!index->useless().empty())
        (void)util::sys::unlinkat(directory_.get(), hint_name);
    return index;
}

util::Result<util::UniqueFd> Files::begin() const
{
    return util::sys::openat(directory_.get(), unfinished_name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW);
}

void Files::drop_unfinished() const
{
    (void)util::sys::unlinkat(directory_.get(), unfinished_name);
}

util::Result<void> Files::adopt(const FeedReport& report, Index& before) const
{
    if (report.range.last == 0)
        return util::sys::unlinkat(directory_.get(), unfinished_name);
    // Who wrote it read mail from outside: the range is one that it may have, or it is none.
    bool begins = report.range.first == report.range.last;
    for (const auto& part : before.parts())
        begins = begins || part.range.first == report.range.first;
    if (report.range.last != before.next_batch() || !begins)
        return util::invalid("the search index was fed with a segment of another place");
    TRY(util::sys::renameat(directory_.get(), unfinished_name, directory_.get(), Index::name_of(report.range)));
    for (const auto& part : before.parts())
        if (part.range.first >= report.range.first)
            TRY(util::sys::unlinkat(directory_.get(), Index::name_of(part.range)));
    return {};
}

void Files::note_complete(store::Lsn last) const
{
    auto fd = util::sys::openat(directory_.get(), hint_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (fd.ok())
        (void)util::sys::pwrite_all(fd->get(), util::concat(last, "\n"), 0);
}

bool Files::was_complete(store::Lsn last) const
{
    auto fd = util::sys::openat(directory_.get(), hint_name, O_RDONLY | O_NOFOLLOW);
    if (!fd.ok())
        return false;
    auto text = util::sys::read_fd(fd->get(), max_hint);
    return text.ok() && *text == util::concat(last, "\n");
}

util::Result<void> Files::remove_all() const
{
    for (const auto& name : TRY(util::sys::list_directory(directory_.get())))
        TRY(util::sys::unlinkat(directory_.get(), name));
    return {};
}

}  // namespace search
