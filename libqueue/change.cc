// Changes by hand.
#include "libqueue/change.h"

#include "libqueue/story.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <fcntl.h>

namespace queue {

namespace {

using Kind = ipc::QueueChange::Kind;

// A line that is lost takes nothing else along.
void tell(int fd, StoryEntry::Kind kind, std::string text)
{
    (void)append_story(fd, {kind, util::wall_now().time_since_epoch().count(), {}, {}, std::move(text)});
}

// The next attempt follows from the file's time: a mark for its end must not put that off.  Only the owner
// and root can set it; qmgr tries such a message at once.
void tell_expiry(int fd)
{
    auto before = util::sys::fstat(fd);
    tell(fd, StoryEntry::Kind::Expire, "by request");
    if (before)
        (void)util::sys::set_times(fd, std::int64_t(before->st_mtim.tv_sec) * 1'000'000 + before->st_mtim.tv_nsec / 1000);
}

util::Result<void> change(const Directory& directory, const std::string& id, Place place, Kind kind, int fd,
                          const std::string& reason)
{
    switch (kind) {
    case Kind::Remove:
        return directory.remove(place, id);
    case Kind::Hold:
        if (place == Place::Hold)
            return {};
        TRY(directory.move(id, place, Place::Hold));
        tell(fd, StoryEntry::Kind::Held, reason);
        return {};
    case Kind::Expire:
        tell_expiry(fd);
        return {};
    case Kind::ExpireRelease:
        tell_expiry(fd);
        if (place != Place::Hold)
            return {};
        [[fallthrough]];
    case Kind::Release:
        TRY(directory.move(id, place, Place::Incoming));
        tell(fd, StoryEntry::Kind::Released, "");
        return {};
    }
    return {};
}

}  // namespace

util::Result<ipc::QueueSet> parse_queues(std::span<const std::string> names)
{
    ipc::QueueSet queues = 0;
    for (const std::string& name : names) {
        ipc::QueueSet one = name == "active" ? active_queue : ipc::QueueSet(0);
        for (Place place : all_places)
            if (name == name_of(place))
                one = set_of(place);
        if (one == 0)
            return util::invalid(util::concat("there is no queue ", util::printable(name, 60),
                                              " (there are incoming active deferred hold corrupt)"));
        queues = static_cast<ipc::QueueSet>(queues | one);
    }
    return queues;
}

util::Result<Place> change_file(const Directory& directory, const std::string& id, Kind kind, ipc::QueueSet queues,
                                const std::string& reason)
{
    if (kind == Kind::Release)
        queues &= set_of(Place::Hold);
    else if (kind != Kind::Remove)
        queues &= waiting_queues;
    for (Place place : all_places) {
        if (!(queues & set_of(place)) || !directory.stat(place, id))
            continue;
        auto file = directory.open_file(place, id, O_RDWR);
        if (!file && kind != Kind::Remove)
            return file.take_error();
        // What cannot be opened nobody works on.
        if (file && !TRY(util::sys::try_lock_exclusive(file->get())))
            return util::temporary("it is being delivered");
        TRY(change(directory, id, place, kind, file ? file->get() : -1, reason));
        return place;
    }
    return util::not_found(kind == Kind::Release ? "not on hold" : "no such message");
}

}  // namespace queue
