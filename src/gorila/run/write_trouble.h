// Reports disk failures while a run trains.
#ifndef GORILA_RUN_WRITE_TROUBLE_H_
#define GORILA_RUN_WRITE_TROUBLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "gorila/base/append_file.h"
#include "gorila/base/status.h"

namespace gorila {

// Speaks at the first failure and at the first success after it, and counts those between. One
// thread.
class WriteTrouble {
 public:
  using Say = std::function<void(std::string_view)>;  // may be empty

  // Reports whether `what` could be written.
  void Note(std::string_view what, const Status& status, const Say& say);

  // Writes the records that wait, if there are any, and notes the result.
  void Retry(std::string_view what, AppendFile& file, const Say& say);

 private:
  std::map<std::string, std::int64_t, std::less<>> failures_;  // since the last success
  std::map<std::string, std::int64_t, std::less<>> dropped_;   // records that were reported
};

}  // namespace gorila

#endif  // GORILA_RUN_WRITE_TROUBLE_H_
