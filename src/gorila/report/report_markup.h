// The two forms of a report about runs: an HTML page, and Markdown with its pictures beside it.
#ifndef GORILA_REPORT_REPORT_MARKUP_H_
#define GORILA_REPORT_REPORT_MARKUP_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Rows of cells. Cells are inline HTML, which Markdown takes as well. The first column names the
// row, numbers are right-aligned.
struct ReportTable {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows = {};
};

// A picture that a report refers to.
struct ReportPicture {
  std::string name;  // "curve-frames.svg"; of one report all differ
  std::string bytes;
  std::string narrow = {};  // the same for a phone's page; empty = none
};

// Puts a report together. Texts are inline HTML but for `pre`; what is returned is a block of the
// report. One thread.
class ReportMarkup {
 public:
  virtual ~ReportMarkup() = default;

  virtual std::string Section(std::string_view heading, const std::string& contents) = 0;
  virtual std::string SubHeading(std::string_view heading) = 0;
  virtual std::string Paragraph(std::string_view text) = 0;
  virtual std::string Table(const ReportTable& table) = 0;
  // An SVG picture.
  virtual std::string Figure(const ReportPicture& picture, std::string_view caption) = 0;
  // Small SVG pictures beside each other, each with its title inside.
  virtual std::string Panels(const std::vector<ReportPicture>& pictures,
                             const std::vector<std::string>& descriptions) = 0;
  // A GIF; `description` for who does not see it.
  virtual std::string Film(const ReportPicture& picture, std::string_view description,
                           std::string_view caption) = 0;
  // What is shown when somebody asks for it.
  virtual std::string Details(std::string_view summary, const std::vector<std::string>& pre) = 0;
  virtual std::string Document(std::string_view title, std::string_view summary,
                               const std::string& contents) = 0;
};

// Everything in one page, pictures too.
std::unique_ptr<ReportMarkup> MakeHtmlMarkup();

// The pictures that the report refers to go into `pictures`, which must outlive the markup.
std::unique_ptr<ReportMarkup> MakeMarkdownMarkup(std::vector<ReportPicture>& pictures);

}  // namespace gorila

#endif  // GORILA_REPORT_REPORT_MARKUP_H_
