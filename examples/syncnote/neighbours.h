/* The other machines: who they are, where they are, and the connections to them.
 *
 * Whoever connects says `syncnote 1 CLUSTER NAME`; the answer is the same of the other side, or `refused WHY`. All
 * frames behind that are the engine's. Two peers that dial each other at once may have two connections, which costs
 * nothing: any of them will do. */
#ifndef SYNCNOTE_NEIGHBOURS_H
#define SYNCNOTE_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/syncnote/source.h"
#include "examples/syncnote/store.h"

#define PEERS_MAX 64u

struct connection; /* greeted or not */
struct peer {
  uint32_t handle;
  char name[SYNC_NODE_ID_BYTES_MAX + 1];
  char host[256], port[8];       /* empty: it dials us */
  struct connection *connection; /* that its frames go to; NULL: they are dropped, the engine sends them again */
  struct connection *dialled;    /* on its way, or the same */
  unsigned attempts;             /* since the last greeting */
  uint64_t dial_ns;              /* not before */
  char complaint[256];           /* told once */
};

struct neighbours {
  struct store *store;
  int epoll;
  const char *name, *cluster; /* our own */
  struct peer list[PEERS_MAX];
  size_t count;
  int listener;
  struct source listening;
  struct connection *connections;
  size_t strangers; /* connections of which nobody knows yet whose they are */
  int status;       /* the first error of the engine after which nothing goes on */
};

void neighbours_begin(struct neighbours *peers, struct store *store, int epoll, const char *name, const char *cluster);
/* NAME=HOST:PORT, or NAME of one that dials us. False: it cannot be, and has been said why. */
bool neighbours_add(struct neighbours *peers, const char *text);
/* Those that the engine knows from earlier runs, and that were not given: they may dial us. Call it behind all
 * neighbours_add(), and at the end of a turn in which one was forgotten. */
void neighbours_known(struct neighbours *peers);
/* ADDR:PORT; prints where it listens. False: it cannot, and has been said why. */
bool neighbours_listen(struct neighbours *peers, const char *text);
/* Dials who is due, ends what is silent. */
void neighbours_tick(struct neighbours *peers);
uint64_t neighbours_next_ns(const struct neighbours *peers); /* when to call it */
void neighbours_send(struct neighbours *peers, uint32_t handle, const void *frame, size_t size);
void neighbours_print(const struct neighbours *peers);
/* Frees connections that ended: at the end of a turn, when no event speaks of them. */
void neighbours_sweep(struct neighbours *peers);
void neighbours_end(struct neighbours *peers);

/* [A-Za-z0-9._-], 1 to `most` characters: names and clusters. */
bool neighbours_is_name(const char *text, size_t most);

#endif
