// A worker process for plug-ins: what `plugin-process:` starts.
#ifndef GORILA_ENV_WORKER_PLUGIN_WORKER_H_
#define GORILA_ENV_WORKER_PLUGIN_WORKER_H_

namespace gorila {

// Speaks worker_protocol.h at the files that it names, until the first one ends. Observations are
// written between bytes that must not change: a plug-in that writes beyond its buffer is told so.
// Gives the exit status.
int RunPluginWorker();

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_PLUGIN_WORKER_H_
