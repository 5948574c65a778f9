// One process of a distributed run as Prometheus metrics.
#ifndef GORILA_DASHBOARD_ROLE_METRICS_H_
#define GORILA_DASHBOARD_ROLE_METRICS_H_

#include <string>

#include "gorila/metrics/prometheus_text.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// Adds the process's figures; every sample has the labels role and index. Families that its role
// does not have are omitted.
void AddRoleMetrics(const v1::RoleStatus& status, PrometheusText& text);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_ROLE_METRICS_H_
