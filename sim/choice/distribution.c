#include "sim/choice/distribution.h"

#include "sim/memory/mix.h"

/* log2(1 + i / 64) x 2^30. */
static const uint32_t LOG2[65] = {
    0u,          24017256u,   47667823u,  70962728u,  93912511u,  116527248u,  138816582u,  160789745u,  182455581u,
    203822568u,  224898839u,  245692198u, 266210141u, 286459867u, 306448299u,  326182095u,  345667660u,  364911162u,
    383918542u,  402695523u,  421247625u, 439580170u, 457698295u, 475606957u,  493310944u,  510814882u,  528123241u,
    545240343u,  562170370u,  578917365u, 595485245u, 611877800u, 628098702u,  644151509u,  660039669u,  675766525u,
    691335320u,  706749198u,  722011213u, 737124328u, 752091421u, 766915285u,  781598637u,  796144114u,  810554283u,
    824831638u,  838978604u,  852997541u, 866890747u, 880660455u, 894308843u,  907838029u,  921250079u,  934547002u,
    947730758u,  960803257u,  973766362u, 986621888u, 999371606u, 1012017244u, 1024560487u, 1037002979u, 1049346328u,
    1061592099u, 1073741824u,
};
#define LN2_Q28 UINT64_C(186065279)

static uint32_t leading_zeros(uint32_t value) {
  uint32_t zeros = 0;
  for (uint32_t half = 16; half > 0; half /= 2) {
    if (value >> (32 - half) != 0) continue;
    value <<= half;
    zeros += half;
  }
  return zeros;
}

/* -ln(1 - quantile / 2^32) x 2^27; below 2^32. */
static uint64_t negative_log(uint32_t quantile) {
  if (quantile == 0) return 0;
  uint32_t rest = 0u - quantile; /* 2^32 - quantile */
  uint32_t zeros = leading_zeros(rest);
  uint32_t fraction = (rest << zeros) & INT32_MAX;
  uint32_t index = fraction >> 25, between = fraction & ((1u << 25) - 1);
  uint64_t log2 = LOG2[index] + ((uint64_t)(LOG2[index + 1] - LOG2[index]) * between >> 25);
  return (((uint64_t)(zeros + 1) << 30) - log2) * LN2_Q28 >> 31;
}

uint64_t sim_exponential_at(uint64_t mean, uint32_t quantile) {
  uint64_t factor = negative_log(quantile);
  uint64_t high = sim_multiply_high(mean, factor), low = mean * factor;
  if (high >> 27 != 0) return UINT64_MAX;
  return high << 37 | low >> 27;
}
