// The directories of the queue: incoming, deferred, hold, corrupt below queue_directory.
//
// A message's file bears its queue id and is in one of them at a time; it moves by rename.
#pragma once

#include "libutil/sys.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

enum class Place : std::uint8_t { Incoming, Deferred, Hold, Corrupt };
constexpr std::array<Place, 4> all_places = {Place::Incoming, Place::Deferred, Place::Hold, Place::Corrupt};
std::string_view name_of(Place place);
std::string path_of(std::string_view queue_directory, Place place);

class Directory {
public:
    // NotFound or Permanent when a directory is missing or may not be used.
    static util::Result<Directory> open(const std::string& queue_directory);

    // All names in a place, in no order; also those that are no queue ids.
    util::Result<std::vector<std::string>> list(Place place) const;
    util::Result<util::UniqueFd> open_file(Place place, const std::string& id, int flags) const;
    util::Result<struct stat> stat(Place place, const std::string& id) const;
    util::Result<void> move(const std::string& id, Place from, Place to) const;
    util::Result<void> remove(Place place, const std::string& id) const;
    util::Result<util::sys::FreeSpace> free_space() const;

private:
    int fd(Place place) const { return places_[static_cast<std::size_t>(place)].get(); }

    std::array<util::UniqueFd, all_places.size()> places_;
};

}  // namespace queue
