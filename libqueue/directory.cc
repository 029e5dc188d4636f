// The directories of the queue.
#include "libqueue/directory.h"

#include "libutil/text.h"

#include <fcntl.h>

namespace queue {

std::string_view name_of(Place place)
{
    constexpr std::string_view names[] = {"incoming", "deferred", "hold", "corrupt"};
    return names[static_cast<std::size_t>(place)];
}

std::string path_of(std::string_view queue_directory, Place place)
{
    return util::concat(queue_directory, '/', name_of(place));
}

util::Result<Directory> Directory::open(const std::string& queue_directory)
{
    Directory directory;
    for (Place place : all_places)
        directory.places_[static_cast<std::size_t>(place)] =
            TRY(util::sys::open(path_of(queue_directory, place), O_RDONLY | O_DIRECTORY));
    return directory;
}

util::Result<std::vector<std::string>> Directory::list(Place place) const
{
    return util::sys::list_directory(fd(place));
}

util::Result<util::UniqueFd> Directory::open_file(Place place, const std::string& id, int flags) const
{
    return util::sys::openat(fd(place), id, flags | O_NOFOLLOW | O_NONBLOCK);
}

util::Result<struct stat> Directory::stat(Place place, const std::string& id) const
{
    return util::sys::fstatat(fd(place), id, AT_SYMLINK_NOFOLLOW);
}

util::Result<void> Directory::move(const std::string& id, Place from, Place to) const
{
    return util::sys::renameat(fd(from), id, fd(to), id);
}

util::Result<void> Directory::remove(Place place, const std::string& id) const
{
    return util::sys::unlinkat(fd(place), id);
}

util::Result<util::sys::FreeSpace> Directory::free_space() const
{
    return util::sys::free_space(fd(Place::Incoming));
}

}  // namespace queue
