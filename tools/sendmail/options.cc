// The command line of sendmail(1).
#include "tools/sendmail/options.h"

#include "libutil/text.h"

#include <algorithm>

namespace sendmail {

namespace {

// Which options have a value, in the same word or the next, and which have none, so that several may share a
// word: as Postfix has it.  -q has one in its own word only.
constexpr std::string_view with_value = "bCcFfNoRrV";
constexpr std::string_view ignored_with_value = "ABehLOpX";
constexpr std::string_view flags = "GIitv";
constexpr std::string_view ignored_flags = "mnUx";

util::Result<std::uint8_t> parse_notify(std::string_view text)
{
    if (util::equal_nocase(text, "never"))
        return ipc::NotifyNever;
    unsigned notify = 0;
    for (std::string_view word : util::split_words(text, ",")) {
        if (util::equal_nocase(word, "success"))
            notify |= ipc::NotifySuccess;
        else if (util::equal_nocase(word, "failure"))
            notify |= ipc::NotifyFailure;
        else if (util::equal_nocase(word, "delay"))
            notify |= ipc::NotifyDelay;
        else
            return util::invalid("-N takes never, or success, failure and delay with commas between");
    }
    return std::uint8_t(notify);
}

class Parser {
public:
    explicit Parser(std::span<char* const> arguments) : arguments_(arguments) {}

    util::Result<void> run(Options& options)
    {
        for (; at_ < arguments_.size(); ++at_) {
            std::string_view word = arguments_[at_];
            if (word == "--") {
                ++at_;
                break;
            }
            if (word.size() < 2 || word[0] != '-')
                break;
            TRY(option(word[1], word.substr(2), options));
        }
        for (; at_ < arguments_.size(); ++at_)
            options.recipients.emplace_back(arguments_[at_]);
        return {};
    }

private:
    // The rest of the word, or the next word.
    util::Result<std::string_view> value(char letter, std::string_view rest)
    {
        if (!rest.empty())
            return rest;
        if (at_ + 1 >= arguments_.size())
            return util::invalid(util::concat("option -", letter, " needs a value"));
        return std::string_view(arguments_[++at_]);
    }

    util::Result<void> option(char letter, std::string_view rest, Options& options)
    {
        if (with_value.find(letter) != std::string_view::npos)
            return valued(letter, TRY(value(letter, rest)), options);
        if (ignored_with_value.find(letter) != std::string_view::npos) {
            TRY(value(letter, rest));
            return {};
        }
        if (letter == 'q')
            return flush(rest, options);
        if (flags.find(letter) == std::string_view::npos && ignored_flags.find(letter) == std::string_view::npos)
            return util::invalid(util::concat("unknown option -", letter));
        flag(letter, options);
        return rest.empty() ? util::Result<void>() : option(rest[0], rest.substr(1), options);
    }

    static void flag(char letter, Options& options)
    {
        if (letter == 'G')
            options.complete_header = false;
        else if (letter == 'I')
            options.mode = Mode::NewAliases;
        else if (letter == 'i')
            options.dot_ends = false;
        else if (letter == 't')
            options.recipients_from_header = true;
        else if (letter == 'v' && options.report == ipc::Report::None)
            options.report = ipc::Report::Delivery;
    }

    static util::Result<void> valued(char letter, std::string_view text, Options& options)
    {
        switch (letter) {
        case 'b':
            return mode(text, options);
        case 'o':
            // -oi; the rest of sendmail.cf's one-letter settings change nothing here.
            if (text.starts_with('i'))
                options.dot_ends = false;
            break;
        case 'C':
        case 'c':
            options.config_directory = text;
            break;
        case 'F':
            options.full_name = text;
            break;
        case 'f':
        case 'r':
            options.sender = text;
            break;
        case 'N':
            options.notify = TRY(parse_notify(text));
            break;
        case 'R':
            if (util::starts_with_nocase(text, "hdrs") || util::starts_with_nocase(text, "headers"))
                options.return_part = ipc::ReturnPart::Headers;
            else if (util::equal_nocase(text, "full"))
                options.return_part = ipc::ReturnPart::Full;
            else
                return util::invalid("-R takes full or hdrs");
            break;
        case 'V':
            // RFC 3461 §4.4: printable, without blanks.
            if (text.size() > 100 || !std::ranges::all_of(text, [](char c) { return util::is_printable(c) && c != ' '; }))
                return util::invalid("-V takes up to 100 printable characters without blanks");
            options.envelope_id = text;
            break;
        }
        return {};
    }

    static util::Result<void> mode(std::string_view rest, Options& options)
    {
        if (rest == "m") {
            options.mode = Mode::Deliver;
            return {};
        }
        if (rest == "p") {
            options.mode = Mode::ListQueue;
            return {};
        }
        if (rest == "s") {
            options.mode = Mode::Smtp;
            return {};
        }
        if (rest == "v") {
            options.mode = Mode::Deliver;
            options.report = ipc::Report::Deliverability;
            return {};
        }
        if (rest == "d") {
            options.mode = Mode::Start;
            return {};
        }
        if (rest == "i") {
            options.mode = Mode::NewAliases;
            return {};
        }
        return util::invalid(util::concat("mode -b", rest,
                                          " is not supported: -bm delivers, -bv verifies, -bp lists the queue, "
                                          "-bs speaks SMTP, -bi makes alias tables, -bd starts the mail system"));
    }

    // -q, -q30m: all; -qIID: one message; -qRSITE: one destination.
    static util::Result<void> flush(std::string_view rest, Options& options)
    {
        options.mode = Mode::Flush;
        if (rest.starts_with('I'))
            options.flush_id = rest.substr(1);
        else if (rest.starts_with('R'))
            options.flush_site = rest.substr(1);
        return {};
    }

    std::span<char* const> arguments_;
    std::size_t at_ = 0;
};

}  // namespace

util::Result<Options> parse_options(std::string_view program, std::span<char* const> arguments)
{
    Options options;
    if (program == "mailq")
        options.mode = Mode::ListQueue;
    else if (program == "newaliases")
        options.mode = Mode::NewAliases;
    TRY(Parser(arguments).run(options));
    if (options.report == ipc::Report::Deliverability && options.recipients_from_header)
        return util::invalid("-t does not go with -bv: there is no message");
    return options;
}

}  // namespace sendmail
