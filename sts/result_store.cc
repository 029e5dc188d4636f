// Results of TLS that sts(8) keeps.
#include "sts/result_store.h"

#include "libtrust/sts_fetch.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <ctime>
#include <fcntl.h>

namespace sts {

namespace {

constexpr std::int64_t seconds_of_day = 86'400;

std::string list(const std::vector<std::string>& words)
{
    std::string text = "[";
    for (const std::string& word : words)
        util::append(text, text.size() > 1 ? "," : "", util::json_quote(word));
    return text + "]";
}

bool is_day(std::string_view name)
{
    if (name.size() != 10 || name[4] != '-' || name[7] != '-')
        return false;
    for (std::size_t i = 0; i < name.size(); ++i)
        if (i != 4 && i != 7 && !util::is_digit(name[i]))
            return false;
    return true;
}

util::Result<void> remove_day(const std::string& path)
{
    auto directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY));
    auto names = TRY(util::sys::list_directory(directory.get()));
    for (const std::string& name : names)
        TRY(util::sys::unlinkat(directory.get(), name));
    return util::sys::rmdir(path);
}

}  // namespace

std::string day_of(std::int64_t unix_seconds)
{
    std::time_t time = unix_seconds;
    std::tm parts{};
    char text[16] = "";
    if (::gmtime_r(&time, &parts))
        std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return text;
}

std::string to_json(const ipc::TlsResult& result)
{
    auto text = [](std::string_view name, std::string_view value) {
        return value.empty() ? std::string() : util::concat(",\"", name, "\":", util::json_quote(value));
    };
    return util::concat("{\"count\":", result.count, text("policy-type", result.policy_type),
                        text("policy-domain", result.policy_domain), ",\"policy-string\":", list(result.policy_strings),
                        ",\"mx-host\":", list(result.mx_hosts), text("result-type", result.result_type),
                        text("sending-mta-ip", result.sending_ip), text("receiving-mx-hostname", result.receiving_mx),
                        text("receiving-ip", result.receiving_ip), text("additional-information", result.text), "}\n");
}

util::Result<void> ResultStore::add(const ipc::TlsResult& result, std::int64_t now) const
{
    if (!trust::may_have_sts(result.policy_domain))
        return util::invalid("a result without domain");
    std::string day = util::concat(directory_, '/', day_of(now));
    for (const std::string& path : {directory_, day})
        if (auto made = util::sys::mkdir(path, 0700); !made.ok() && made.error().code != EEXIST)
            return made;
    std::string path = util::concat(day, '/', result.policy_domain);
    if (!util::sys::stat(path).ok()) {
        auto directory = TRY(util::sys::open(day, O_RDONLY | O_DIRECTORY));
        if (TRY(util::sys::list_directory(directory.get())).size() >= max_result_domains)
            return util::temporary("there are results of too many domains");
    }
    auto file = TRY(util::sys::open(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
    std::string line = to_json(result);
    if (std::size_t(TRY(util::sys::fstat(file.get())).st_size) + line.size() > max_result_file)
        return util::temporary("there are too many results");
    return util::sys::write_all(file.get(), line);
}

util::Result<void> ResultStore::forget(std::int64_t now) const
{
    auto opened = util::sys::open(directory_, O_RDONLY | O_DIRECTORY);
    if (!opened.ok() && opened.error().code == ENOENT)
        return {};  // nothing was ever kept
    auto directory = TRY(std::move(opened));
    std::string oldest = day_of(now - (result_days - 1) * seconds_of_day);
    auto names = TRY(util::sys::list_directory(directory.get()));
    for (const std::string& name : names)
        if (is_day(name) && name < oldest)
            TRY(remove_day(util::concat(directory_, '/', name)));
    return {};
}

}  // namespace sts
