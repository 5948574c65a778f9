// The inner loops of distributions over atoms, compiled so that they use the machine's widest
// vectors. Sums are not in the order of the atoms.
#ifndef GORILA_AGENT_ATOM_MATH_H_
#define GORILA_AGENT_ATOM_MATH_H_

#include <cstddef>

namespace gorila {

// The largest of `size` >= 1 values; not defined where one is not a number.
float Largest(const float* values, std::size_t size);

// out[i] = exp(in[i] - most), most the largest of them; within 2e-7 of it, relatively, and 0 below
// exp(-87). Returns the sum.
float Exponentials(const float* in, float most, std::size_t size, float* out);

// The mean of i under the softmax of `logits`.
float MeanIndex(const float* logits, std::size_t size);

float MeanOf(const float* values, std::size_t size);

struct QuantileLoss {
  float loss;   // mean over the targets of |tau - 1{u < 0}| Huber(u), u = target - theta
  float slope;  // its derivative with respect to theta
};
QuantileLoss QuantileHuberLoss(float theta, float tau, const float* targets, std::size_t size);

}  // namespace gorila

#endif  // GORILA_AGENT_ATOM_MATH_H_
