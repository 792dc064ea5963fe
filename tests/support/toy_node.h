/* A small node for tests of the world alone: it keeps a log file, echoes
 * messages, has a timer, and can be told to misbehave. */
#ifndef TESTS_SUPPORT_TOY_NODE_H
#define TESTS_SUPPORT_TOY_NODE_H

#include "sim/sim.h"

struct toy_config {
  uint32_t peers; /* boot sends `burst` messages to each of 1 .. peers */
  uint32_t burst;
  uint32_t hops;      /* a message is echoed until it was passed on so often */
  uint64_t period_ns; /* of timer 0; 0: none */
  bool persist;       /* appends each message to a file and fsyncs it */
  bool leak;          /* stop forgets one block */
  bool spin;          /* the timer never returns by itself */
  bool refuse;        /* boot returns NULL */
};

/* The state, to be looked at. */
struct toy_state {
  uint64_t messages;
  uint64_t timers;
  uint64_t fsyncs;
  uint64_t fsyncs_failed;
  uint64_t last_mono_ns;
  uint64_t last_wall_ns;
  uint64_t last_hash;
  uint64_t recovered_bytes;
  uint64_t file_bytes;
  uint64_t id;
  sync_file file;
  bool file_open;
  void *scratch;
  const struct toy_config *config;
};

extern const struct sim_node_kind toy_node_kind;

#endif
