// Threads that the system may refuse, and whose work may run out of memory.
#ifndef GORILA_BASE_THREAD_H_
#define GORILA_BASE_THREAD_H_

#include <functional>
#include <string_view>
#include <thread>

#include "gorila/base/status.h"

namespace gorila {

// A thread that runs `work`. ResourceExhausted, naming `name`, when none can be started. Where
// `work` itself runs out of memory or threads, that ends the program (EndProgram): work that can
// report an error uses WithoutThrowing.
StatusOr<std::thread> StartThread(std::string_view name, std::function<void()> work);

// For callers that cannot report an error: the program ends if no thread can be started.
std::thread StartThreadOrEnd(std::string_view name, std::function<void()> work);

// Whether `count` threads can be had at once, by trying: some libraries abort where they cannot.
// `who` wants them.
Status CheckThreads(std::string_view who, int count);

}  // namespace gorila

#endif  // GORILA_BASE_THREAD_H_
