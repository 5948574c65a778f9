// Where labels of a figure cover the least. Internal to metrics. Pure.
#ifndef GORILA_METRICS_LABEL_PLACEMENT_H_
#define GORILA_METRICS_LABEL_PLACEMENT_H_

#include <span>
#include <vector>

namespace gorila::drawing {

struct Point {
  double x = 0;
  double y = 0;
};

struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;

  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

// The parts of a figure drawn so far, as points at most kSpacing apart.
class Occupancy {
 public:
  static constexpr double kSpacing = 3;  // pixels; less than any label is high

  void AddLine(Point from, Point to);
  void AddBox(const Box& box);
  // The area between two upright lines, each from `low` to `high`.
  struct Upright {
    double x = 0;
    double low = 0;
    double high = 0;
  };
  void AddArea(const Upright& from, const Upright& to);

  // How many points are in `box`.
  int CoveredBy(const Box& box) const;

  // The candidate that covers least, the first of equals; `candidates` must not be empty.
  Box LeastCovering(std::span<const Box> candidates) const;

 private:
  std::vector<Point> points_;
};

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_LABEL_PLACEMENT_H_
