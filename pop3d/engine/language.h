// LANG: RFC 6856 §3.  Answers are in English, before log-in and after it.
#pragma once

#include "libutil/text.h"

#include <string>
#include <string_view>

namespace pop3d {

// The answer to LANG with this argument; false when it is -ERR, which the caller says.
inline bool append_language(std::string& out, std::string_view argument)
{
    if (argument.empty()) {
        out += "+OK Languages follow\r\nen English\r\n.\r\n";
        return true;
    }
    // RFC 4647 §3.3.1: of the ranges only "en" matches the tag "en"; "*" is ours to choose.
    if (argument != "*" && !util::equal_nocase(argument, "en"))
        return false;
    out += "+OK en Answers are in English\r\n";
    return true;
}

}  // namespace pop3d
