// Editing: what is not touched stays, and what was set is read back.
#include "libconf/main_cf.h"
#include "libutil/check.h"
#include "libutil/text.h"
#include "tools/ternconf/edit.h"

#include <cstdint>

using namespace ternconf;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string same = FileText(text).text();
    CHECK(same == text || same == util::concat(text, '\n'));

    conf::Problems before, after;
    auto old_settings = conf::MainCf::parse(text, "main.cf", "/", before);
    auto edited = edit_main(text, Action::Set, {"name_of_mine = a b"});
    CHECK(edited.ok());
    auto settings = conf::MainCf::parse(*edited, "main.cf", "/", after);
    if (!before.any()) {
        const conf::Setting* set = settings.find("name_of_mine");
        CHECK(set && set->value == "a b");
        CHECK(settings.settings().size() == old_settings.settings().size() + (old_settings.find("name_of_mine") ? 0 : 1));
    }
    (void)edit_main(text, Action::CommentOut, {"name_of_mine"});
    (void)edit_master(text, Target::Service, Action::Set, {"a/unix=a unix - - - - - b"});
    (void)edit_master(text, Target::Field, Action::Set, {"*/*/chroot=n"});
    (void)edit_master(text, Target::Parameter, Action::Set, {"*/*/c=d e"});
    (void)edit_master(text, Target::Parameter, Action::Remove, {"*/*/*"});
    return 0;
}
