// The legend of a figure. Internal to metrics.
#ifndef GORILA_METRICS_LEGEND_H_
#define GORILA_METRICS_LEGEND_H_

#include <string>
#include <vector>

#include "gorila/metrics/canvas.h"

namespace gorila::drawing {

// Entries, each a sample of a line and its label, one below the other or in centred rows.
class Legend {
 public:
  static constexpr double kRowHeight = 18;  // pixels

  // `dot`: the sample is a point with its error bar.
  void Add(const std::string& label, const Stroke& stroke, bool dot = false) {
    entries_.push_back({stroke, dot, label});
  }
  bool empty() const { return entries_.empty(); }

  // One entry a row; labels wider than `most` pixels are cut short.
  void LayOutAsColumn(Canvas& canvas, double most);
  // As many entries a row as fit into `width`, in at most `most_rows` (>= 1); when that is not
  // enough the last row says how many entries are left out.
  void LayOutAsRows(Canvas& canvas, double width, int most_rows);

  // The size of the last layout, in pixels.
  double width() const { return width_; }
  double height() const { return height_; }
  bool is_cut() const;  // whether a label is shown in part

  // On the ground's colour with a thin border.
  void PaintFramed(Canvas& canvas, Point top_left) const;
  void Paint(Canvas& canvas, Point top_left) const;

 private:
  struct Entry {
    Stroke stroke;
    bool dot = false;
    std::string label;
    std::string shown = {};  // the label, or its beginning
    Point position = {};     // of its left end and middle, from the legend's corner
  };
  static void PaintSample(Canvas& canvas, const Entry& entry, Point left);
  double Measure(Canvas& canvas, Entry& entry, double most) const;
  void LeaveOutBelow(int rows);

  std::vector<Entry> entries_;
  std::size_t shown_ = 0;  // this many first entries
  double width_ = 0;
  double height_ = 0;
};

}  // namespace gorila::drawing

#endif  // GORILA_METRICS_LEGEND_H_
