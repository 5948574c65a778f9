#include "gorila/base/utf8_locale.h"

#include <gtest/gtest.h>

#include "gorila/base/testing.h"

namespace gorila {
namespace {

bool Utf8With(const char* all, const char* ctype, const char* lang) {
  const ScopedVariable first("LC_ALL", all);
  const ScopedVariable second("LC_CTYPE", ctype);
  const ScopedVariable third("LANG", lang);
  return LocaleIsUtf8();
}

TEST(Utf8LocaleTest, TheFirstVariableThatIsSetToSomethingDecides) {
  EXPECT_TRUE(Utf8With("", "", "C.UTF-8"));
  EXPECT_TRUE(Utf8With("", "en_GB.utf8", "C"));
  EXPECT_FALSE(Utf8With("C", "en_GB.utf8", "C.UTF-8"));
  EXPECT_FALSE(Utf8With("", "POSIX", "C.UTF-8"));
}

TEST(Utf8LocaleTest, WithoutALocaleCharactersAreAscii) { EXPECT_FALSE(Utf8With("", "", "")); }

TEST(Utf8LocaleTest, OtherEncodingsAreNotUtf8) {
  EXPECT_FALSE(Utf8With("", "", "de_DE.ISO-8859-1"));
  EXPECT_FALSE(Utf8With("", "", "en_US"));
}

}  // namespace
}  // namespace gorila
