/* Face of room `trace`: happenings, for who waits for one (scripts with hooks). Part of the public header sim/sim.h.
 *
 * Steps of the trace are for comparing runs; a happening is one that somebody may want to act on. Nobody is told
 * unless he asked for its kind, and telling changes nothing: no step, no hash. */
#ifndef SIM_HAPPENING_H
#define SIM_HAPPENING_H

#include <stddef.h>
#include <stdint.h>

#define SIM_HAPPENING_FIELDS_MAX 7u
#define SIM_HAPPENING_TEXT_BYTES 64u

/* The node to whom it happens, and the fields, as {field 0, field 1, ...}. `sort` is what the kind of node calls the
 * message (struct sim_node_kind, classify); 0: none in particular. */
enum sim_happening_kind {
  SIM_HAPPENED_SENT = 1,        /* {to, sort, size} a message is given to the network; whatever becomes of it */
  SIM_HAPPENED_DELIVERED = 2,   /* {from, sort, size} the node has taken it */
  SIM_HAPPENED_LOST = 3,        /* {to, sort, size, enum sim_fault or SIM_DROP_} of the node that sent it */
  SIM_HAPPENED_FSYNC_BEGUN = 4, /* {1: of the directory} text: the file */
  SIM_HAPPENED_FSYNC_DONE = 5,  /* {1: of the directory, result} text: the file; the node has been told */
  SIM_HAPPENED_WRITE = 6,       /* {offset, size, result} text: the file */
  SIM_HAPPENED_RENAME = 7,      /* {result} text: the file as it was called */
  SIM_HAPPENED_UNLINK = 8,      /* {result} text: the file */
  SIM_HAPPENED_BOOT = 9,        /* {} it is up */
  SIM_HAPPENED_DOWN = 10,       /* {enum sim_node_down} */
  SIM_HAPPENED_STEP = 11,       /* {enum sync_trace_kind, what env->trace told...} */
  SIM_HAPPENED_FAULT = 12,      /* {enum sim_fault} one fired; of no node */
  SIM_HAPPENING_COUNT
};

struct sim_happening {
  enum sim_happening_kind kind;
  uint32_t node; /* 0: none */
  uint32_t count;
  uint64_t fields[SIM_HAPPENING_FIELDS_MAX];
  const char *text; /* during the call; NULL: none, or a file without a name */
};

/* Called in the middle of what happens: it may take notes, and ask for a wake (sim_driver_next), and nothing else. */
typedef void (*sim_happening_fn)(void *self, const struct sim_happening *happening);

#endif
