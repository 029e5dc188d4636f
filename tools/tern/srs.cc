#include "tools/tern/srs.h"

#include "libmail/srs.h"
#include "libconf/common.h"
#include "librouting/checked_config.h"
#include "librouting/router.h"
#include "libutil/random.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/tern/start.h"

#include <sysexits.h>
#include <unistd.h>

#include <cerrno>

namespace tern {

namespace {

constexpr std::size_t secret_bytes = 24;   // random ones, before base64
constexpr std::size_t max_file = 1'000'000;

struct Settings {
    conf::Common common;
    routing::CheckedConfig config;

    util::Result<void> load(const std::string& directory)
    {
        conf::Problems problems;
        auto settings = conf::MainCf::load(directory, problems);
        settings.fill({&common, &config}, problems);
        return problems.result();
    }
};

// In front of those there are, which stay good.
int new_secret(const routing::Config& config)
{
    const std::string& path = *config.srs_secrets_file;
    std::string text;
    if (auto old = util::sys::read_file(path, max_file); old.ok())
        text = old.take();
    else if (old.error().code != ENOENT)
        return complain(EX_NOINPUT, old.error().text);
    text.insert(0, util::encode_base64(util::random_string(secret_bytes)) + "\n");
    auto secrets = mail::parse_srs_secrets(text);
    if (!secrets.ok())
        return complain(EX_DATAERR, util::concat(path, ": ", secrets.error().text));
    if (auto written = util::sys::replace_file(path, text, 0600); !written.ok())
        return complain(EX_CANTCREAT, written.error().text);
    print(STDERR_FILENO, util::concat("tern: ", path, " has ", secrets->size(), secrets->size() == 1 ? " secret" : " secrets",
                                      config.srs_domain->empty() ? "; they are used once srs_domain is set"
                                                                 : "; \"tern reload\" makes the programs read it", "\n"));
    return EX_OK;
}

int convert(const Settings& settings, bool forward, const std::string& text)
{
    if (settings.config.srs_domain->empty())
        return complain(EX_CONFIG, "srs_domain is empty: senders stay as they are");
    auto router = routing::Router::open(settings.common, settings.config, routing::Aliases::Direct);
    if (!router.ok())
        return complain(EX_CONFIG, router.error().text);
    if (auto opened = (*router)->open_srs(); !opened.ok())
        return complain(opened.error().code == EACCES ? EX_NOPERM : EX_CONFIG, opened.error().text);
    auto address = mail::parse_address(text);
    if (!address.ok())
        return complain(EX_DATAERR, util::concat(util::printable(text), ": ", address.error().text));
    if (!forward) {
        auto original = (*router)->srs_original(*address);
        if (!original.ok())
            return complain(EX_UNAVAILABLE, original.error().text);
        util::print_out(mail::to_text(*original) + "\n");
        return EX_OK;
    }
    auto made = (*router)->srs_sender(*address);
    if (!made.ok())
        return complain(EX_TEMPFAIL, made.error().text);
    if (!*made)
        return complain(EX_UNAVAILABLE,
                        util::concat(mail::to_text(*address), " stays as it is: one of ours, excluded, or too long"));
    util::print_out(mail::to_text(**made) + "\n");
    return EX_OK;
}

}  // namespace

int srs(const Instance& instance, int count, char** words)
{
    std::vector<std::string> arguments(words + 1, words + count);
    bool makes_secret = arguments.size() == 1 && arguments[0] == "new-secret";
    bool converts = arguments.size() == 2 && (arguments[0] == "forward" || arguments[0] == "reverse");
    if (!makes_secret && !converts)
        return complain(EX_USAGE, "usage: tern srs new-secret | forward address | reverse address");
    Settings settings;
    if (auto loaded = settings.load(instance.config_directory()); !loaded.ok())
        return complain(EX_CONFIG, loaded.error().text);
    return makes_secret ? new_secret(settings.config) : convert(settings, arguments[0] == "forward", arguments[1]);
}

}  // namespace tern
