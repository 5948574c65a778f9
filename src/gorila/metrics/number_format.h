// Numbers as people read them, for the terminal and the report. Pure functions.
#ifndef GORILA_METRICS_NUMBER_FORMAT_H_
#define GORILA_METRICS_NUMBER_FORMAT_H_

#include <cstdint>
#include <string>

namespace gorila {

// Exact below 1000, then three significant digits and a unit: "999", "12.3k", "1.23M", "1.00G". At
// most five characters, so that a view made of counts keeps its columns.
std::string FormatCount(std::uint64_t count);

// Three significant digits and a unit: "0.52", "52.1", "2.21k"; "-" when `rate` is not a number
// that is finite and >= 0.
std::string FormatRate(double rate);

// The two largest units of a time in seconds, rounded to whole seconds: "45s", "3m 12s", "2h 05m",
// "3d 04h"; "?" when `seconds` is not finite, "0s" when it is negative.
std::string FormatDuration(double seconds);

// `value` with `decimals` digits after the point, or "-" when it is not finite.
std::string FormatDecimal(double value, int decimals);

// An episode's return in at most six characters while it is above -100,000: "8.42", "-250.0",
// "12345"; "-" when it is not finite.
std::string FormatReturn(double episode_return);

}  // namespace gorila

#endif  // GORILA_METRICS_NUMBER_FORMAT_H_
