// ternconf --from-postfix: files in, files out.
#include "tools/ternconf/from_postfix.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternconf/edit.h"

#include <fcntl.h>

namespace ternconf {

using util::concat;

namespace {

constexpr std::size_t max_name_file = 1000;  // Postfix's myorigin may be such a file

util::Result<std::string> first_line(const std::string& path)
{
    std::string text = TRY(util::sys::read_file(path, max_name_file));
    return std::string(util::trim(std::string_view(text).substr(0, text.find('\n'))));
}

util::Result<std::string> edit_services(std::string_view text, const Conversion& conversion)
{
    std::string edited = TRY(edit_master(text, Target::Service, Action::Set, conversion.service_requests));
    if (!conversion.unwanted_services.empty())
        edited = TRY(edit_master(edited, Target::Service, Action::CommentOut, conversion.unwanted_services));
    return edited;
}

util::Result<void> replace(const std::string& path, std::string_view text)
{
    struct stat status = TRY(util::sys::stat(path));
    return util::sys::replace_file(path, text, status.st_mode & 07777);
}

void tell(const CarriedItem& item, bool json, std::string& out)
{
    if (json) {
        util::append(out, "{\"file\": ", util::json_quote(item.file), ", \"line\": ", item.line,
                     ", \"name\": ", util::json_quote(item.name), ", \"carried\": ", item.carried ? "true" : "false");
        if (!item.note.empty())
            util::append(out, ", \"note\": ", util::json_quote(item.note));
        out += "}\n";
        return;
    }
    util::append(out, item.file, ":", item.line, ": ", util::printable(item.name, 100),
                 item.carried ? ": carried over" : ": left out",
                 item.note.empty() ? ""
                 : item.carried    ? " "
                                   : ": ",
                 util::printable(item.note), "\n");
}

}  // namespace

util::Result<void> carry_over(const std::string& postfix_directory, const std::string& config_directory, bool dry_run,
                              bool json, std::string& out)
{
    PostfixFiles files;
    files.directory = postfix_directory;
    files.main_cf = TRY(util::sys::read_file(postfix_directory + "/main.cf", conf::max_configuration_size));
    files.master_cf = TRY(util::sys::read_file(postfix_directory + "/master.cf", conf::max_configuration_size));
    util::UniqueFd directory = TRY(util::sys::open(config_directory, O_RDONLY | O_DIRECTORY));
    TRY(util::sys::lock_exclusive(directory.get()));  // as every other editor does
    std::string main_path = config_directory + "/main.cf", master_path = config_directory + "/master.cf";
    std::string main_cf = TRY(util::sys::read_file(main_path, conf::max_configuration_size));
    std::string master_cf = TRY(util::sys::read_file(master_path, conf::max_configuration_size));
    Conversion conversion = TRY(convert_from_postfix(files, master_cf, first_line));
    std::string new_main = TRY(edit_main(main_cf, Action::Set, conversion.main_requests));
    std::string new_master = TRY(edit_services(master_cf, conversion));
    for (const CarriedItem& item : conversion.items)
        tell(item, json, out);
    for (const std::string& service : conversion.unwanted_services)
        tell({master_path, 0, service, true, "as a comment: Postfix does not listen there"}, json, out);
    if (dry_run)
        return {};
    TRY(replace(main_path, new_main));
    return replace(master_path, new_master);
}

}  // namespace ternconf
