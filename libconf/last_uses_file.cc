// When each app password was last used.
#include "libconf/last_uses_file.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <fcntl.h>

namespace conf {

LastUses parse_last_uses(std::string_view text)
{
    LastUses uses;
    if (!text.starts_with(last_uses_version_line))
        return uses;
    for (std::string_view line : util::split(text.substr(last_uses_version_line.size()), '\n')) {
        auto words = util::split(line, ' ');
        bool good = line.size() <= max_last_uses_line && words.size() == 5 &&
                    std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }) &&
                    std::ranges::none_of(words, &std::string_view::empty);
        auto time = good ? util::parse_unsigned(words[2], INT64_MAX) : util::Result<std::uint64_t>(util::invalid("no line"));
        if (time.ok())
            uses[{std::string(words[0]), std::string(words[1])}] = {std::int64_t(*time), std::string(words[3]),
                                                                    std::string(words[4])};
    }
    return uses;
}

std::string format_last_uses(const LastUses& uses)
{
    std::string text(last_uses_version_line);
    for (const auto& entry : uses) {
        const LastUse& use = entry.second;
        std::string line =
            util::concat(entry.first.first, ' ', entry.first.second, ' ', use.time, ' ', use.protocol, ' ', use.client_address);
        // A door's word for its client's address is not an address in every case.
        if (parse_last_uses(util::concat(last_uses_version_line, line)).size() == 1)
            util::append(text, line, '\n');
    }
    return text;
}

std::string auth_directory(const std::string& data_directory) { return data_directory + "/auth"; }
std::string last_uses_path(const std::string& data_directory) { return auth_directory(data_directory) + "/last-uses"; }

LastUses read_last_uses(const std::string& path)
{
    auto text = util::sys::read_file(path, max_last_uses_size);
    return text.ok() ? parse_last_uses(*text) : LastUses();
}

util::Result<void> write_last_uses(const std::string& path, const LastUses& uses)
{
    std::string fresh = path + ".new";
    util::UniqueFd file = TRY(util::sys::open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    TRY(util::sys::write_all(file.get(), format_last_uses(uses)));
    return util::sys::rename(fresh, path);
}

}  // namespace conf
