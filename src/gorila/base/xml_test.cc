#include "gorila/base/xml.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

TEST(EscapeXmlTest, LeavesNothingThatIsMarkup) {
  EXPECT_EQ(EscapeXml("a < b && \"c\" > d\n"), "a &lt; b &amp;&amp; &quot;c&quot; &gt; d\n");
  EXPECT_EQ(EscapeXml("&amp;"), "&amp;amp;");
  EXPECT_EQ(EscapeXml("a\x01"
                      "b\tc"),
            "a b\tc");
}

}  // namespace
}  // namespace gorila
