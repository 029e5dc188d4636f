// Editing main.cf and master.cf as texts: what is not touched stays byte for byte, comments too.
#pragma once

#include "libutil/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ternconf {

// A setting or a service in a configuration file: its physical lines.  Comments and empty lines
// between a line and its continuations are not among them.
struct Entry {
    std::vector<std::size_t> lines;  // indexes, from 0
    std::string text;                // all of it in one line, as libconf reads it
};

// A configuration file taken apart.
class FileText {
public:
    explicit FileText(std::string_view text);

    const std::vector<Entry>& entries() const { return entries_; }
    // Puts `text` (one or more whole lines) in the place of an entry.
    void replace(std::size_t entry, std::string_view text);
    void remove(std::size_t entry);
    // Puts # before each of its lines.
    void comment_out(std::size_t entry);
    void append(std::string_view text);

    std::string text() const;

private:
    std::vector<std::string> lines_;  // with their ends; emptied when removed
    std::vector<Entry> entries_;
};

// --- main.cf -------------------------------------------------------------------------------------------

enum class Action : unsigned char { Set, Remove, CommentOut };

// For Set: "name=value"; else a name.  A name that stands there twice has one place afterwards.
// Invalid: no name, a control byte in a value.  NotFound: nothing to remove or comment out.
util::Result<std::string> edit_main(std::string_view text, Action action, const std::vector<std::string>& requests);

// --- master.cf -----------------------------------------------------------------------------------------

// What is edited: whole services ("smtp/inet=smtp inet n - - - - smtpd"), one field of them
// ("smtp/inet/maxproc=5", "*/inet/chroot=n"), or one -o ("smtp/inet/smtpd_timeout=10s").
enum class Target : unsigned char { Service, Field, Parameter };

util::Result<std::string> edit_master(std::string_view text, Target target, Action action,
                                      const std::vector<std::string>& requests);

// The words of a service's line: seven columns, then the command and its arguments.
struct ServiceWords {
    std::vector<std::string> words;
    std::vector<std::string> arguments() const { return {words.begin() + 8, words.end()}; }
    std::string id() const { return words[0] + "/" + words[1]; }
};
// Invalid: less than eight columns, braces that do not match.
util::Result<ServiceWords> split_service(std::string_view line);
// In columns, one "-o name=value" a line when `folded`.
std::string render_service(const ServiceWords& service, bool folded);
// service type private unpriv chroot wakeup maxproc command
std::span<const std::string_view> field_names();
std::string field_of(const ServiceWords& service, std::size_t field);
// "-o" pairs among the arguments: index of -o, name, value.
struct Override {
    std::size_t at = 0;     // of its first word in words
    std::size_t count = 2;  // words: "-o" "a=b", or "-oa=b"
    std::string name;
    std::string value;
};
std::vector<Override> overrides_of(const ServiceWords& service);

}  // namespace ternconf
