// Turns Ctrl-C into a request to stop instead of the end of the process.
#ifndef GORILA_CLI_STOP_SIGNAL_H_
#define GORILA_CLI_STOP_SIGNAL_H_

namespace gorila::cli {

// Makes SIGINT, SIGTERM and SIGHUP (the terminal was closed) set StopRequested(). SIGHUP stays
// ignored if it was, as under nohup. A pipe on standard output or error whose reader is gone (tee
// was killed) is like a closed terminal; SIGPIPE is ignored. A SIGINT after that ends the process
// at once with kInterrupted: somebody presses Ctrl-C again. SIGTERM and SIGHUP mean the same
// however often they come: a launcher's death sends SIGTERM for each of its threads, `timeout`
// sends it twice, and a shell repeats its terminal's SIGHUP. Call before threads are started: they
// inherit that these signals are blocked. `before_exit` (may be null) runs before the end at once,
// in another thread. The "^C" that a terminal shows for the key is erased, so that nothing is
// printed behind it.
//
// No thread that computes may run a signal handler: oneDNN's SGEMM points the stack pointer into a
// buffer on the heap (2.6.3, AVX2 and AVX-512), and the system puts a handler's frame below it,
// overwriting the heap there. So one thread waits for the signals instead.
void CatchStopSignals(void (*before_exit)() = nullptr);

// Thread-safe.
bool StopRequested();

}  // namespace gorila::cli

#endif  // GORILA_CLI_STOP_SIGNAL_H_
