// What a service of pipe(8) is told in master.cf, behind the program's name: flags=, user=, ... argv=.
#pragma once

#include "libmail/local_form.h"
#include "libutil/result.h"
#include "pipe/template.h"

#include <optional>
#include <string>
#include <vector>

namespace piping {

// Words of master.cf, before anybody looked up who and what they name.
struct Attributes {
    std::string user;             // name or number
    std::string group;            // empty: the user's
    std::string chroot;           // an absolute path, or empty
    std::string directory;        // empty: $queue_directory
    std::string null_sender = "MAILER-DAEMON";
    std::uint64_t size_limit = 0; // bytes of a message; 0: none
    Folding folding;              // flags h, q and u
    mail::LocalForm form;         // flags B, D, F, O, R, . and >; eol=
    bool final_delivery = false;  // flag X
    std::vector<Template> command;

    // Fields that say whom the message is for: one recipient at a time.
    bool single_recipient() const { return form.delivered_to || form.original_to; }
};

// Reads the words; each that is wrong adds a text to `complaints`, what it is for keeps its default.
Attributes parse_attributes(const std::vector<std::string>& words, std::vector<std::string>& complaints);

// C's \a \b \f \n \r \t \v \\ and \ooo; Invalid: another.
util::Result<std::string> unescape(std::string_view text);

}  // namespace piping
