// The messages of calls, as oracles see them.
#ifndef GORILA_SIMULATION_PARSE_H_
#define GORILA_SIMULATION_PARSE_H_

#include <string>

#include "gorila/base/status.h"

namespace gorila::simulation {

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  GORILA_CHECK(message.ParseFromString(text), "not a {}", message.GetTypeName());
  return message;
}

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_PARSE_H_
