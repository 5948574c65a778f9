// The points of a sweep: what each of its settings sets.
#ifndef GORILA_CONFIG_SWEEP_POINTS_H_
#define GORILA_CONFIG_SWEEP_POINTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/sweep_axis.h"

namespace gorila {

// A value of each axis, as configuration files have it.
using SweepPoint = std::vector<std::string>;

// Every combination; the last axis varies fastest. InvalidArgument where an axis has a range, and
// for more than `most` points.
StatusOr<std::vector<SweepPoint>> GridPoints(std::span<const SweepAxis> axes, std::size_t most);

// `count` points, each value drawn on its own, no point twice. The same for the same axes and seed;
// fewer are the first of more. InvalidArgument where there are not so many.
StatusOr<std::vector<SweepPoint>> RandomPoints(std::span<const SweepAxis> axes, std::size_t count,
                                               std::uint64_t seed);

// Sets the point's values. InvalidArgument naming the key.
Status ApplyPoint(std::span<const SweepAxis> axes, const SweepPoint& point, Config& config);

// What each axis is called: the last part of its key, or all of it where two would be called alike.
std::vector<std::string> AxisNames(std::span<const SweepAxis> axes);

// For people: as configuration files have it, without quotes.
std::string ShownValue(const std::string& value);

// "learning_rate-0.0001,n_step-3": the name of the point's folder. Of letters, digits and _ . , - +
// and at most 120 characters; different for different points of the same keys. Empty without axes.
std::string PointLabel(std::span<const SweepAxis> axes, const SweepPoint& point);

}  // namespace gorila

#endif  // GORILA_CONFIG_SWEEP_POINTS_H_
