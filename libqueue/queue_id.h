// Queue ids: the name that a message keeps from its first byte to its last log line.
//
// "4Hqx3D0bCdzBw7K": six digits of seconds since 1970 and four of microseconds in base 52, 'z', and
// a component in base 51 that tells processes apart; the alphabet of Postfix's long queue ids,
// without vowels.  Ids of one process ascend; text order is the order of time until the year 2600.
//
// The inode number is not a part: the id is fixed before there is a file (a message may live and
// be delivered in memory only), and inode numbers come back.
#pragma once

#include "libutil/time.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace queue {

constexpr std::size_t min_queue_id_length = 12;
constexpr std::size_t max_queue_id_length = 24;

// Could this be a queue id that IdSource made?  Whoever uses an id as a file name asks first.
bool is_queue_id(std::string_view text);

// The time in a queue id, microseconds since 1970; is_queue_id(id) holds.
std::int64_t time_of(std::string_view id);

// Makes ids that no other process makes, now or later: the component is the process id and ten
// random bits, and no microsecond is used twice, also when the clock is set back.
class IdSource {
public:
    IdSource();
    explicit IdSource(std::uint64_t component) : component_(component) {}

    std::string next(util::WallTime now);

private:
    std::uint64_t component_;
    std::int64_t last_ = 0;
};

}  // namespace queue
