// Ctrl-C as a wish to stop, not as a death.
#ifndef GORILA_CLI_STOP_SIGNAL_H_
#define GORILA_CLI_STOP_SIGNAL_H_

namespace gorila::cli {

// From now on the first SIGINT, SIGTERM or SIGHUP (a terminal that is closed) makes StopRequested()
// true, and the second ends the process at once with kInterrupted. SIGHUP stays ignored where it
// was, as nohup has it. Call before threads are started: they inherit that these signals are
// blocked. `before_exit` (may be null) runs at the second one, in another thread.
//
// No thread that computes may run a signal handler: oneDNN's SGEMM points the stack pointer into a
// buffer on the heap (2.6.3, AVX2 and AVX-512), and the system puts a handler's frame below it,
// over whatever lies there. So one thread waits for the signals, and there is no handler.
void CatchStopSignals(void (*before_exit)() = nullptr);

// Thread-safe.
bool StopRequested();

}  // namespace gorila::cli

#endif  // GORILA_CLI_STOP_SIGNAL_H_
