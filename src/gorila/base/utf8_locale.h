// Whether the person's terminal takes more than ASCII.
#ifndef GORILA_BASE_UTF8_LOCALE_H_
#define GORILA_BASE_UTF8_LOCALE_H_

namespace gorila {

// Whether the locale's characters are UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set to
// something decides. Without any the locale is C, whose characters are ASCII.
bool LocaleIsUtf8();

}  // namespace gorila

#endif  // GORILA_BASE_UTF8_LOCALE_H_
