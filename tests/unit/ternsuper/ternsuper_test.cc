// tools/ternsuper: the command line; structure.h over files made here.
#include "libqueue/change.h"
#include "libqueue/reader.h"
#include "libqueue/writer.h"
#include "libutil/time.h"
#include "tests/unit/suite.h"
#include "tools/ternsuper/options.h"
#include "tools/ternsuper/structure.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>

using namespace ternsuper;
using queue::Place;

namespace {

const std::string id_a = "3Cbn4n0000z1234", id_b = "3Cbn4n0001z1234";

util::Result<Options> parse(std::vector<std::string> words)
{
    words.insert(words.begin(), "ternsuper");
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return parse_options(int(words.size()), pointers.data());
}

class Bed {
public:
    Bed()
    {
        char name[] = "/tmp/tern-super-test.XXXXXX";
        path = ::mkdtemp(name);
        for (Place place : queue::all_places)
            OK(util::sys::mkdir(queue::path_of(path, place), 0700));
        directory.emplace(queue::Directory::open(path).take());
    }
    ~Bed() { THAT(std::system(("rm -rf " + path).c_str()) == 0); }

    void write(const std::string& id, Place place)
    {
        queue::Writer writer(queue::WriterOptions{.directory = queue::path_of(path, Place::Incoming)});
        ipc::Envelope envelope;
        envelope.queue_id = id;
        envelope.arrival = util::wall_now().time_since_epoch().count();
        OK(writer.begin(envelope));
        OK(writer.add_recipient({"a@here", "", 0}));
        OK(writer.add_content("Subject: x\r\n\r\nbody\r\n"));
        OK(writer.finish({}));
        OK(writer.name(id));
        if (place != Place::Incoming)
            OK(directory->move(id, Place::Incoming, place));
    }
    void touch(Place place, const std::string& name, std::int64_t age)
    {
        auto file = util::sys::open(queue::path_of(path, place) + "/" + name, O_RDWR | O_CREAT);
        OK(file);
        OK(util::sys::set_times(file->get(), (util::unix_seconds(util::wall_now()) - age) * 1'000'000));
    }
    bool has(Place place, const std::string& name) const { return directory->stat(place, name).ok(); }

    std::string path;
    std::optional<queue::Directory> directory;
    std::string said;
    std::function<void(std::string_view)> say = [this](std::string_view text) { util::append(said, text, "\n"); };
};

TEST(reads_postsupers_letters)
{
    auto options = parse({"-v", "-d", "ALL", "-h", id_a, "-r", "-", "deferred", "hold"});
    OK(options);
    EQ(options->actions.size(), 3u);
    EQ(options->actions[1].letter, 'h');
    EQ(options->actions[1].id, id_a);
    EQ(options->queues, queue::set_of(Place::Deferred) | queue::set_of(Place::Hold));
    for (const auto& [words, text] : std::initializer_list<std::pair<std::vector<std::string>, std::string>>{
             {{}, "nothing to do"},
             {{"-d"}, "-d wants a word after it"},
             {{"-d", "all"}, "-d all: for all messages write ALL"},
             {{"-d", "../x"}, "-d ../x is no queue id"},
             {{"-d", "-", "-h", "-"}, "standard input can be read once"},
             {{"-x"}, "unknown option -x"},
             {{"-d", "ALL", "defer"}, "there is no queue defer (there are incoming active deferred hold corrupt)"}}) {
        auto refused = parse(words);
        THAT(!refused.ok());
        EQ(refused.error().text, text);
    }
}
END_TEST

TEST(a_damaged_message_is_set_aside_and_one_in_work_left_alone)
{
    Bed bed;
    bed.write(id_a, Place::Deferred);
    bed.write(id_b, Place::Hold);
    auto damaged = bed.directory->open_file(Place::Hold, id_b, O_RDWR);
    OK(util::sys::pwrite_all(damaged->get(), "X", 200));
    bed.touch(Place::Deferred, "leftover", 0);
    auto working = bed.directory->open_file(Place::Deferred, id_a, O_RDONLY);
    THAT(*util::sys::try_lock_shared(working->get()));

    Structure first(*bed.directory, queue::waiting_queues, bed.say);
    OK(first.check());
    EQ(first.report().busy, 1u);
    EQ(first.report().damaged, 1u);
    EQ(first.report().strange, 1u);
    THAT(bed.has(Place::Corrupt, id_b) && !bed.has(Place::Hold, id_b));
    THAT(bed.said.find("hold/" + id_b + ": damaged, moved to the corrupt queue") != std::string::npos);
    THAT(bed.said.find("deferred/leftover: not the name of a message") != std::string::npos);
    working->reset();
    Structure second(*bed.directory, queue::waiting_queues, bed.say);
    OK(second.check());
    EQ(second.report().checked, 1u);
}
END_TEST

TEST(only_old_litter_is_purged)
{
    Bed bed;
    bed.touch(Place::Incoming, "tmp.old", Structure::litter_age + 5);
    bed.touch(Place::Incoming, "tmp.young", Structure::litter_age - 60);
    bed.write(id_a, Place::Incoming);
    Structure structure(*bed.directory, queue::waiting_queues, bed.say);
    OK(structure.purge());
    EQ(structure.report().purged, 1u);
    THAT(!bed.has(Place::Incoming, "tmp.old") && bed.has(Place::Incoming, "tmp.young") && bed.has(Place::Incoming, id_a));
}
END_TEST

TEST(files_are_changed_where_nobody_works_on_them)
{
    using Kind = ipc::QueueChange::Kind;
    Bed bed;
    bed.write(id_a, Place::Deferred);
    auto change = [&](Kind kind, ipc::QueueSet queues) {
        return queue::change_file(*bed.directory, id_a, kind, queues, "to be seen");
    };
    EQ(change(Kind::Hold, queue::set_of(Place::Incoming)).error().text, "no such message");
    EQ(change(Kind::Release, queue::all_queues).error().text, "not on hold");
    auto working = bed.directory->open_file(Place::Deferred, id_a, O_RDONLY);
    THAT(*util::sys::try_lock_shared(working->get()));
    EQ(change(Kind::Hold, queue::all_queues).error().text, "it is being delivered");
    working->reset();
    EQ(*change(Kind::Hold, queue::all_queues), Place::Deferred);
    THAT(bed.has(Place::Hold, id_a));
    EQ(*change(Kind::ExpireRelease, queue::all_queues), Place::Hold);
    THAT(bed.has(Place::Incoming, id_a));
    auto file = bed.directory->open_file(Place::Incoming, id_a, O_RDONLY);
    auto story = queue::Reader::open(file->get())->story();
    EQ(story->entries.size(), 3u);
    EQ(story->entries[0].text, "to be seen");
    EQ(story->entries[1].kind, queue::StoryEntry::Kind::Expire);
    EQ(story->entries[2].kind, queue::StoryEntry::Kind::Released);
    EQ(*change(Kind::Remove, queue::all_queues), Place::Incoming);
    EQ(change(Kind::Remove, queue::all_queues).error().text, "no such message");
}
END_TEST

}  // namespace

SUITE(ternsuper, reads_postsupers_letters, a_damaged_message_is_set_aside_and_one_in_work_left_alone, only_old_litter_is_purged,
      files_are_changed_where_nobody_works_on_them)
