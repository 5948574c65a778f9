// Ctrl-C as a wish to stop, not as a death.
#ifndef GORILA_CLI_STOP_SIGNAL_H_
#define GORILA_CLI_STOP_SIGNAL_H_

namespace gorila::cli {

// From now on the first SIGINT or SIGTERM makes StopRequested() true, and the second ends the
// process at once with kInterrupted. Call once, before threads are started.
// `before_exit` (may be null) runs in the handler of the second one.
void CatchStopSignals(void (*before_exit)() = nullptr);

// Thread-safe.
bool StopRequested();

}  // namespace gorila::cli

#endif  // GORILA_CLI_STOP_SIGNAL_H_
