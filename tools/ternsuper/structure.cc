// ternsuper -s and -p.
#include "tools/ternsuper/structure.h"

#include "libqueue/change.h"
#include "libqueue/queue_id.h"
#include "libqueue/reader.h"
#include "libutil/time.h"

#include <fcntl.h>

namespace ternsuper {

namespace {

constexpr std::string_view litter_prefix = "tmp.";

std::string name_in(queue::Place place, std::string_view name)
{
    return util::concat(queue::name_of(place), '/', util::printable(name, 100));
}

}  // namespace

util::Result<void> Structure::check()
{
    for (queue::Place place : queue::all_places) {
        // What is in the corrupt queue is known.
        if (place == queue::Place::Corrupt || !(queues_ & queue::set_of(place)))
            continue;
        for (const std::string& name : TRY(directory_.list(place)))
            check_file(place, name);
    }
    return {};
}

void Structure::check_file(queue::Place place, const std::string& name)
{
    if (name.starts_with(litter_prefix))
        return;
    auto complain = [&](std::uint64_t& count, std::string_view text) {
        ++count;
        say_(util::concat(name_in(place, name), ": ", text));
    };
    auto status = directory_.stat(place, name);
    if (!status)
        return;  // it has been delivered meanwhile
    if (!queue::is_queue_id(name) || !S_ISREG(status->st_mode))
        return complain(report_.strange, queue::is_queue_id(name) ? "not a file" : "not the name of a message");
    auto file = directory_.open_file(place, name, O_RDONLY);
    if (!file && file.error().kind == util::Kind::NotFound)
        return;
    if (!file)
        return complain(report_.unreadable, file.error().text);
    if (!util::sys::try_lock_exclusive(file->get()).value_or(false)) {
        ++report_.busy;
        return;
    }
    auto reader = queue::Reader::open(file->get());
    if (reader) {
        ++report_.checked;
        return;
    }
    if (reader.error().kind != util::Kind::Invalid)
        return complain(report_.unreadable, reader.error().text);
    auto moved = directory_.move(name, place, queue::Place::Corrupt);
    complain(report_.damaged,
             moved ? util::concat("damaged, moved to the corrupt queue: ", reader.error().text)
                   : util::concat("damaged (", reader.error().text, "), and cannot be moved: ", moved.error().text));
}

util::Result<void> Structure::purge()
{
    constexpr queue::Place place = queue::Place::Incoming;
    if (!(queues_ & queue::set_of(place)))
        return {};
    std::int64_t old = util::unix_seconds(util::wall_now()) - litter_age;
    for (const std::string& name : TRY(directory_.list(place))) {
        auto status = directory_.stat(place, name);
        if (!name.starts_with(litter_prefix) || !status || status->st_mtim.tv_sec > old)
            continue;
        TRY(directory_.remove(place, name));
        ++report_.purged;
        say_(util::concat(name_in(place, name), ": removed: it was never completed"));
    }
    return {};
}

}  // namespace ternsuper
