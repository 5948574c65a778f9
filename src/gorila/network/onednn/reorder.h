// What every primitive of this project's is made with, and the one that only moves.
#ifndef GORILA_NETWORK_ONEDNN_REORDER_H_
#define GORILA_NETWORK_ONEDNN_REORDER_H_

#include <dnnl.hpp>

#include "gorila/network/onednn/bound_primitive.h"

namespace gorila {

// oneDNN's own scratch memory belongs to the thread that made the primitive; a network may be made
// in one thread and used in another.
inline dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// The same values in another layout or type.
inline BoundPrimitive Reorder(const dnnl::engine& engine, const dnnl::memory& from,
                              const dnnl::memory& to) {
  const dnnl::reorder::primitive_desc desc(from, to, Attributes());
  return {dnnl::reorder(desc),
          {{DNNL_ARG_FROM, from},
           {DNNL_ARG_TO, to},
           {DNNL_ARG_SCRATCHPAD, dnnl::memory(desc.scratchpad_desc(), engine)}}};
}

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_REORDER_H_
