#include <csignal>
#include <initializer_list>

#include "gorila/env/worker/plugin_worker.h"

namespace {

// Schedulers send stop signals to every process. This one ends with its parent, which needs it
// until then. The signals are handled, not ignored: a program that a plug-in starts would inherit
// that.
void StayOn(int) {}

}  // namespace

int main() {
  struct sigaction stay {};
  stay.sa_handler = &StayOn;
  stay.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &stay, nullptr);
  return gorila::RunPluginWorker();
}
