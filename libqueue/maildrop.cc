// Drop files: writing and reading.
#include "libqueue/maildrop.h"

#include "libipc/wire.h"
#include "libutil/random.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <fcntl.h>
#include <unistd.h>

namespace queue {

namespace {

constexpr std::size_t read_size = 64 * 1024;

std::string end_line(std::uint32_t crc)
{
    const char bytes[] = {char(crc >> 24), char(crc >> 16), char(crc >> 8), char(crc)};
    return util::concat("end ", util::hex({bytes, sizeof bytes}), "\n");
}

// A window over a file that is read once from front to back.
class Window {
public:
    explicit Window(int fd) : fd_(fd) {}

    // At least `size` bytes at the front of view(), unless the file ends before.
    util::Result<bool> fill(std::size_t size)
    {
        while (buffer_.size() - begin_ < size) {
            if (begin_ > 0) {
                buffer_.erase(0, begin_);
                begin_ = 0;
            }
            std::size_t old = buffer_.size();
            buffer_.resize(old + read_size);
            std::size_t got = TRY(util::sys::read(fd_, std::span(buffer_).subspan(old)));
            buffer_.resize(old + got);
            if (got == 0)
                return false;
        }
        return true;
    }
    std::string_view view() const { return std::string_view(buffer_).substr(begin_); }
    void consume(std::size_t size, std::uint32_t& crc)
    {
        crc = util::crc32c(view().substr(0, size), crc);
        begin_ += size;
    }

private:
    int fd_;
    std::string buffer_;
    std::size_t begin_ = 0;
};

}  // namespace

util::Result<void> DropEncoder::write(std::string_view bytes)
{
    crc_ = util::crc32c(bytes, crc_);
    return util::sys::write_all(fd_, bytes);
}

util::Result<void> DropEncoder::begin() { return write(drop_magic); }

util::Result<void> DropEncoder::add(std::string_view record)
{
    return write(util::concat(record.size(), ":", record, ","));
}

util::Result<void> DropEncoder::end() { return util::sys::write_all(fd_, end_line(crc_)); }

util::Result<DropWriter> DropWriter::create(const std::string& directory)
{
    // Its group may read, whatever the umask is: pickup is in the directory's group and nothing else is.
    auto file = TRY(util::sys::open_nameless(directory, O_RDWR, 0640));
    TRY(util::sys::fchmod(file.get(), 0640));
    // terndrop(1) has that group by its set-gid bit; root, in an instance without that, gives it.
    if (::geteuid() == 0) {
        auto status = TRY(util::sys::stat(directory));
        TRY(util::sys::fchown(file.get(), uid_t(-1), status.st_gid));
    }
    DropWriter writer(directory, std::move(file));
    TRY(writer.encoder_.begin());
    return writer;
}

util::Result<std::string> DropWriter::commit()
{
    TRY(encoder_.end());
    TRY(util::sys::fsync(file_.get()));
    auto directory = TRY(util::sys::open(directory_, O_PATH | O_DIRECTORY));
    std::string name = util::concat(util::wall_now().time_since_epoch().count(), "-",
                                    util::hex(util::random_string(4)));
    TRY(util::sys::link_fd(file_.get(), directory.get(), name));
    // The directory cannot be opened for a sync by those who may only add to it; on ext4, xfs and
    // btrfs the sync of a file whose link count changed makes its name durable too.
    TRY(util::sys::fsync(file_.get()));
    return name;
}

util::Result<void> read_drop(int fd, const std::function<util::Result<void>(std::string_view)>& record)
{
    Window window(fd);
    std::uint32_t crc = 0;
    const auto torn = [] { return util::invalid("the drop file is torn"); };
    if (!TRY(window.fill(drop_magic.size())) || !window.view().starts_with(drop_magic))
        return util::invalid("not a drop file, or one of another version");
    window.consume(drop_magic.size(), crc);
    for (;;) {
        // A length of up to six digits, or the end line, which is longer.
        if (!TRY(window.fill(8)))
            return torn();
        if (window.view().starts_with("end ")) {
            std::string wanted = end_line(crc);
            (void)TRY(window.fill(wanted.size() + 1));
            if (window.view() != wanted)
                return torn();
            return {};
        }
        std::size_t colon = window.view().substr(0, 8).find(':');
        if (colon == std::string_view::npos)
            return torn();
        auto length = util::parse_unsigned(window.view().substr(0, colon), ipc::max_packet_size);
        if (!length.ok())
            return torn();
        std::size_t whole = colon + 1 + std::size_t(*length) + 1;
        if (!TRY(window.fill(whole)) || window.view()[whole - 1] != ',')
            return torn();
        TRY(record(window.view().substr(colon + 1, std::size_t(*length))));
        window.consume(whole, crc);
    }
}

}  // namespace queue
