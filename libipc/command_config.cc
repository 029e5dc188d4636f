#include "libipc/command_config.h"

#include "libutil/text.h"

#include <cstdlib>

namespace ipc {

std::vector<std::string> CommandConfig::environment() const
{
    std::vector<std::string> variables;
    for (const std::string& name : *export_environment) {
        if (name.find('=') != std::string::npos)
            variables.push_back(name);
        else if (const char* value = std::getenv(name.c_str()))
            variables.push_back(util::concat(name, "=", value));
    }
    return variables;
}

}  // namespace ipc
