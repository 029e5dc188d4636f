// Runs the dialogues of tests/dialog/smtp in memory: a real Session and real restrictions over a
// scripted client, a scripted cleanup and one account.  tests/dialog/README.md has the language.
#pragma once

#include <string>
#include <string_view>

namespace test {

// Runs one file; the empty string, or "file:line: what is wrong".
std::string run_smtp_dialog(const std::string& path);
// The same from text.
std::string run_smtp_dialog_text(std::string_view text, const std::string& path);
// All files of a directory; all that is wrong.
std::string run_smtp_dialogs(const std::string& directory);

}  // namespace test
