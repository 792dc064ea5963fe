#include "cluster/delivery.h"

enum delivery_verdict delivery_look(struct delivery *delivery, const struct delivery_look *look) {
  bool excused = look->blocked || look->excuses != delivery->excuses;
  bool nearer = look->remaining < delivery->remaining;
  delivery->excuses = look->excuses;
  delivery->remaining = look->remaining;
  if (excused || nearer || look->remaining == 0) delivery->since_ns = look->now_ns;
  if (look->blocked || look->remaining == 0) return DELIVERY_REACHED;
  return look->now_ns - delivery->since_ns > look->within_ns ? DELIVERY_OVERDUE : DELIVERY_WAITS;
}
