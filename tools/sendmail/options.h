// The command line of sendmail(1), as programs have called it for forty years.
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"

#include <span>
#include <string>
#include <vector>

namespace sendmail {

enum class Mode { Deliver, ListQueue, Flush, Smtp, Start, NewAliases };

struct Options {
    Mode mode = Mode::Deliver;
    std::string config_directory;      // -C or -c; empty: the built-in one
    std::optional<std::string> sender;  // -f, -r; as given
    std::string full_name;             // -F, or $NAME
    bool recipients_from_header = false;   // -t
    bool dot_ends = true;              // off by -i, -oi
    bool complete_header = true;       // off by -G
    ipc::ReturnPart return_part = ipc::ReturnPart::Default;   // -R
    std::uint8_t notify = ipc::NotifyDefault;                 // -N
    std::string envelope_id;           // -V
    ipc::Report report = ipc::Report::None;                   // -bv, -v
    std::string flush_id;              // -qIID
    std::string flush_site;            // -qRSITE
    std::vector<std::string> recipients;
};

// `program` is the name it was called by: mailq means -bp, newaliases -bi.  Invalid: what is wrong, for people.
util::Result<Options> parse_options(std::string_view program, std::span<char* const> arguments);

}  // namespace sendmail
