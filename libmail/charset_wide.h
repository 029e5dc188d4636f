// East Asian charsets in UTF-8; for libmail/charset.h.
//
// Charsets that mail takes for one another are read as the widest of them: GB 2312 and GBK as GB 18030,
// Big5 with the characters of Hong Kong, EUC-KR as Windows code page 949, the Japanese ones with
// the characters of code page 932.
//
// What is malformed becomes U+FFFD and takes nothing with it: an ASCII byte that cannot end a character
// is read by itself, and a shift or an escape lasts to the end of its line.
#pragma once

#include <string>
#include <string_view>

namespace mail {

std::string from_gb18030(std::string_view bytes);
std::string from_big5(std::string_view bytes);
std::string from_uhc(std::string_view bytes);
std::string from_shift_jis(std::string_view bytes);
std::string from_euc_jp(std::string_view bytes);
std::string from_iso2022_jp(std::string_view bytes);  // also -1 and -2, and katakana of seven bits
std::string from_iso2022_kr(std::string_view bytes);

}  // namespace mail
