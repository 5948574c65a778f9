#include "gorila/base/utf8_locale.h"

#include <cctype>
#include <cstdlib>
#include <string>

namespace gorila {

bool LocaleIsUtf8() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string letters;  // "utf8" of "C.UTF-8" and "de_DE.utf8"
    for (const char* c = value; *c != '\0'; ++c) {
      if (std::isalnum(static_cast<unsigned char>(*c)) != 0) {
        letters += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
      }
    }
    return letters.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace gorila
