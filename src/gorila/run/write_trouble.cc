#include "gorila/run/write_trouble.h"

#include <utility>

namespace gorila {

void WriteTrouble::Note(std::string_view what, const Status& status, const Say& say) {
  std::int64_t& failures = failures_[std::string(what)];
  if (!status.ok()) {
    if (++failures == 1 && say) {
      say(std::string(status.message()) + "; training continues and tries again");
    }
  } else if (std::exchange(failures, 0) > 0 && say) {
    say(fmt::format("the {} can be written again", what));
  }
}

void WriteTrouble::Retry(std::string_view what, AppendFile& file, const Say& say) {
  Note(what, file.Flush(), say);
  std::int64_t& told = dropped_[std::string(what)];
  if (!file.status().ok() || file.dropped() == told) return;
  if (say) {
    say(fmt::format("lost {} records of the {}: more than {} MiB were waiting to be written",
                    file.dropped() - told, what, AppendFile::kMostWaitingBytes >> 20));
  }
  told = file.dropped();
}

}  // namespace gorila
