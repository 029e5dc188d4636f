// The drop directory.
#include "pickup/drop_directory.h"

#include "libqueue/maildrop.h"
#include "libutil/log.h"

#include <algorithm>
#include <fcntl.h>

namespace pickup {

namespace {

// A drop file is larger than its message: frames, envelope.
constexpr std::uint64_t frame_allowance = 16'000'000;

}  // namespace

util::Result<DropDirectory> DropDirectory::open(const std::string& path, std::uint64_t size_limit)
{
    auto directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY));
    return DropDirectory(std::move(directory), size_limit);
}

void DropDirectory::scan(Intake& intake)
{
    auto names = util::sys::list_directory(directory_.get());
    if (!names.ok())
        return util::log::error("scan of the drop directory: ", names.error().text);
    std::sort(names->begin(), names->end());
    for (const auto& name : *names) {
        if (name.starts_with(set_aside_prefix))
            continue;
        auto passed = pass_on(name, intake);
        intake.abandon();
        if (passed.ok())
            continue;
        if (passed.error().kind == util::Kind::Temporary)
            return util::log::warning("drop file ", util::printable(name), ": ", passed.error().text,
                                      "; trying again later");
        set_aside(name, passed.error().text);
    }
}

util::Result<void> DropDirectory::pass_on(const std::string& name, Intake& intake)
{
    // The owner may still write, and could have put anything here: never wait, never follow.
    auto named = TRY(util::sys::fstatat(directory_.get(), name, AT_SYMLINK_NOFOLLOW));
    if (!S_ISREG(named.st_mode) && !S_ISDIR(named.st_mode)) {
        util::log::error("drop file ", util::printable(name), ": not a plain file; removed");
        return util::sys::unlinkat(directory_.get(), name);
    }
    auto file = TRY(util::sys::openat(directory_.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    auto status = TRY(util::sys::fstat(file.get()));
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        return util::invalid("not a plain file with one name");
    if (size_limit_ > 0 && std::uint64_t(status.st_size) > size_limit_ + frame_allowance)
        return util::invalid("larger than message_size_limit");
    TRY(intake.start(status.st_uid));
    TRY(queue::read_drop(file.get(), [&](std::string_view bytes) -> util::Result<void> {
        ipc::Packet packet;
        packet.bytes = bytes;
        return intake.record(packet);
    }));
    if (!intake.complete())
        return util::invalid("the message is not complete");
    auto verdict = TRY(intake.finish());
    switch (verdict.kind) {
    case ipc::Verdict::Kind::Kept:
    case ipc::Verdict::Kind::Delivered:
        return util::sys::unlinkat(directory_.get(), name);
    case ipc::Verdict::Kind::Failed:
        return util::temporary(util::concat(verdict.dsn, " ", verdict.text));
    case ipc::Verdict::Kind::Refused:
        break;
    }
    return util::permanent(util::concat(verdict.dsn, " ", verdict.text));
}

void DropDirectory::set_aside(const std::string& name, std::string_view why)
{
    std::string aside = util::concat(set_aside_prefix, name);
    util::log::error("drop file ", util::printable(name), ": ", util::printable(why), "; set aside as ",
                     util::printable(aside));
    auto renamed = util::sys::renameat(directory_.get(), name, directory_.get(), aside);
    if (!renamed.ok())
        util::log::error("drop file ", util::printable(name), ": ", renamed.error().text);
}

}  // namespace pickup
