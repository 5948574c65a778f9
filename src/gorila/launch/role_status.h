// The words in which workers report to shard 0, and in which the coordinator and `gorila status`
// read them: names of a RoleStatus' counters and gauges.
#ifndef GORILA_LAUNCH_ROLE_STATUS_H_
#define GORILA_LAUNCH_ROLE_STATUS_H_

#include <cstdint>
#include <string>

#include "gorila/learner/learner.h"
#include "gorila/metrics/work_clock.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// 0 where the status has none of that name.
std::int64_t CounterOf(const v1::RoleStatus& status, const std::string& name);
double GaugeOf(const v1::RoleStatus& status, const std::string& name);

// Gradients by what became of them, and the loss.
void AddLearnerCounters(const LearnerCounters& learner, v1::RoleStatus& status);

// Sums since the process started; the maximum is that of the time since the report before.
void AddLearning(const LearnerStatistics& learning, v1::RoleStatus& status);
LearnerStatistics LearningOf(const v1::RoleStatus& status);

// What a leader says of its group; nothing without one.
void AddGroup(const NetworkGroup* group, v1::RoleStatus& status);

// Seconds since the process started; all 0 from a process that does not tell.
void AddWork(const WorkSeconds& work, v1::RoleStatus& status);
WorkSeconds WorkOf(const v1::RoleStatus& status);

}  // namespace gorila

#endif  // GORILA_LAUNCH_ROLE_STATUS_H_
