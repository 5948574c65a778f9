// Text in XML and HTML.
#ifndef GORILA_BASE_XML_H_
#define GORILA_BASE_XML_H_

#include <string>
#include <string_view>

namespace gorila {

// `text` as the contents of an element, or of an attribute in double quotes. Control characters,
// which XML does not allow, become spaces, but for line ends and tabs.
inline std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default: {
        const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
        escaped += control ? ' ' : c;
      }
    }
  }
  return escaped;
}

}  // namespace gorila

#endif  // GORILA_BASE_XML_H_
