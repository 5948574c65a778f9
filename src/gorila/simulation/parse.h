// The messages of calls, as oracles see them.
#ifndef GORILA_SIMULATION_PARSE_H_
#define GORILA_SIMULATION_PARSE_H_

#include <string>

#include "gorila/base/status.h"

namespace gorila::simulation {

// Into a message that is used again and again: its memory stays.
template <typename Message>
const Message& ParseInto(Message& message, const std::string& text) {
  GORILA_CHECK(message.ParseFromString(text), "not a {}", message.GetTypeName());
  return message;
}

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  ParseInto(message, text);
  return message;
}

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_PARSE_H_
