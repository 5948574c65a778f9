// C51 (Bellemare et al. 2017): the distribution of returns over fixed atoms.
#ifndef GORILA_AGENT_C51_H_
#define GORILA_AGENT_C51_H_

#include "gorila/agent/loss_batch.h"

namespace gorila {

// Moves each atom z of `probabilities` to r + discount z, cut off at the ends of the form's atoms,
// and shares its probability out to the two atoms beside (algorithm 1). `projected` is overwritten
// and has the same sum. discount 0 reads no probability.
void ProjectCategorical(const ValueForm& form, double r, double discount,
                        std::span<const float> probabilities, std::span<double> projected);

// Cross-entropy of the projected target distribution and the predicted one. `errors`: their
// Kullback-Leibler divergence, by which Rainbow (Hessel et al. 2018) prioritises. At most
// kMostAtoms.
double C51Loss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
               std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_C51_H_
