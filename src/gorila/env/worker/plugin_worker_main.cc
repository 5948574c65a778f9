#include "gorila/env/worker/plugin_worker.h"

int main() { return gorila::RunPluginWorker(); }
