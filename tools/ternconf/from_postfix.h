// ternconf --from-postfix: from Postfix's main.cf and master.cf to changes of Tern's.  Pure, but for myorigin's file.
//
// What Tern has under the same name is set in Tern's main.cf as it stands, unless its value would not do; a few
// parameters have another name here.  Services of smtpd(8) with a port come over with their -o settings; all
// others are those that Tern's master.cf has.
#pragma once

#include "libconf/main_cf.h"
#include "libutil/result.h"
#include "tools/ternconf/sections.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ternconf {

struct PostfixFiles {
    std::string directory;  // absolute; $config_directory in values becomes this
    std::string main_cf, master_cf;
};

// A setting or service that was looked at.
struct CarriedItem {
    std::string file;  // main.cf or master.cf, with the directory
    int line = 0;
    std::string name;  // of a service: "smtp/inet", of its setting "smtp/inet/name"
    bool carried = false;
    std::string note;  // why not; or under which name
};

struct Conversion {
    std::vector<std::string> main_requests;      // "name=value" for edit_main
    std::vector<std::string> service_requests;   // "smtp/inet=line" for edit_master
    std::vector<std::string> unwanted_services;  // of Tern's, "submission/inet": Postfix has no such port open
    std::vector<CarriedItem> items;              // in the order of the files
};

// `tern_master`: the text of Tern's master.cf.  `first_line`: of a file (Postfix's myorigin may be one).
// Invalid: the files are none of Postfix's.
util::Result<Conversion> convert_from_postfix(const PostfixFiles& files, std::string_view tern_master,
                                              const std::function<util::Result<std::string>(const std::string&)>& first_line);

// Reads Postfix's files, edits Tern's in `config_directory` (unless it is a dry run), and tells in `out` of all
// that was looked at, for people or as JSON, one object a line.
util::Result<void> carry_over(const std::string& postfix_directory, const std::string& config_directory, bool dry_run,
                              bool json, std::string& out);

}  // namespace ternconf
