// A session's dialogue in a file.
#include "mailbox/transcript.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <vector>

namespace mailbox {

namespace {

constexpr std::string_view directory_name = "transcripts";

std::string two_digits(unsigned number) { return util::concat(number < 10 ? "0" : "", number); }

// 2026-11-23T10:00:00.123456: names that sort by time.
std::string format_wall(util::WallTime time)
{
    auto day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day date(day);
    std::chrono::hh_mm_ss clock(time - day);
    std::string fraction = std::to_string(clock.subseconds().count());
    return util::concat(int(date.year()), "-", two_digits(unsigned(date.month())), "-", two_digits(unsigned(date.day())), "T",
                        two_digits(unsigned(clock.hours().count())), ":", two_digits(unsigned(clock.minutes().count())), ":",
                        two_digits(unsigned(clock.seconds().count())), ".", std::string(6 - fraction.size(), '0'), fraction);
}

// Room for one more.
util::Result<void> remove_oldest(int directory)
{
    std::vector<std::string> names = TRY(util::sys::list_directory(directory));
    if (names.size() < max_transcripts)
        return {};
    std::sort(names.begin(), names.end());
    for (std::size_t i = 0; i + max_transcripts <= names.size(); ++i)
        TRY(util::sys::unlinkat(directory, names[i]));
    return {};
}

}  // namespace

util::Result<std::unique_ptr<Transcript>> Transcript::open(const std::string& home, const ipc::SessionFacts& facts)
{
    std::string path = util::concat(home, "/", directory_name);
    if (!util::sys::stat(path).ok())
        TRY(util::sys::mkdir(path, 0700));
    util::UniqueFd directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY));
    TRY(remove_oldest(directory.get()));
    std::string session = facts.session;
    std::replace_if(session.begin(), session.end(), [](char c) { return c == '/' || !util::is_printable(c); }, '_');
    std::string name =
        util::concat(format_wall(util::wall_now()), "-", session, facts.service == ipc::Service::Pop3 ? ".pop3" : ".imap");
    util::UniqueFd file = TRY(util::sys::openat(directory.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600));
    return std::unique_ptr<Transcript>(new Transcript(std::move(file), std::move(name)));
}

Transcript::Transcript(util::UniqueFd file, std::string name)
    : file_(std::move(file)), name_(std::move(name)), started_(util::now())
{
}

void Transcript::begin_line(Speaker speaker)
{
    char front[40];
    std::snprintf(front, sizeof front, "%10.6f %c: ", std::chrono::duration<double>(util::now() - started_).count(),
                  char(speaker));
    text_ += front;
    in_line_ = true;
    speaker_ = speaker;
}

void Transcript::show(char c)
{
    if (static_cast<unsigned char>(c) < ' ' && c != '\t') {
        char shown[8];
        std::snprintf(shown, sizeof shown, "\\x%02x", static_cast<unsigned char>(c));
        text_ += shown;
    } else {
        text_ += c;
    }
}

// CRLF ends a line; other control characters, and line ends of another kind, are shown as what they are.
void Transcript::said(Speaker speaker, std::string_view bytes)
{
    if (!file_ || bytes.empty())
        return;
    if (in_line_ && speaker != speaker_) {
        text_ += after_cr_ ? "\\r\\\n" : "\\\n";
        in_line_ = after_cr_ = false;
    }
    for (char c : bytes) {
        if (!in_line_)
            begin_line(speaker);
        if (c == '\n') {
            text_ += after_cr_ ? "\n" : "\\n\n";
            in_line_ = false;
        } else {
            text_ += after_cr_ ? "\\r" : "";
            if (c != '\r')
                show(c);
        }
        after_cr_ = c == '\r';
    }
    append(std::exchange(text_, {}));
}

void Transcript::append(std::string_view text)
{
    bool full = written_ + text.size() > max_transcript_size;
    std::string_view part = text.substr(0, max_transcript_size - written_);
    auto done =
        util::sys::write_all(file_.get(), full ? util::concat(part, "\n(the rest is not written down)\n") : std::string(part));
    if (!done.ok())
        util::log::warning("transcript ", name_, ": ", done.error().text);
    written_ += text.size();
    if (full || !done.ok())
        file_.reset();
}

}  // namespace mailbox
