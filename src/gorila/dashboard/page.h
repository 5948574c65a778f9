// The files of the dashboard's page, which are part of the program; their sources are in page/.
#ifndef GORILA_DASHBOARD_PAGE_H_
#define GORILA_DASHBOARD_PAGE_H_

#include <span>
#include <string_view>

namespace gorila {

struct PageFile {
  std::string_view path;  // in the URL
  std::string_view type;  // for Content-Type
  std::string_view contents;
};

std::span<const PageFile> PageFiles();

}  // namespace gorila

#endif  // GORILA_DASHBOARD_PAGE_H_
