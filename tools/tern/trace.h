// tern trace: where is my mail?  tern tail.
#pragma once

#include <string>

namespace tern {

// `words` after "trace" and "tail"; the exit status.
int trace(const std::string& config_directory, int count, char** words);
int tail(const std::string& config_directory, int count, char** words);

}  // namespace tern
