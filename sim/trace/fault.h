/* Face of room `trace`: fault kinds and their counts: how often a fault could have struck, and how
 * often it did. A fault that never fired tested nothing. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdint.h>

/* Append only. sim_fault_name() gives the name that reports use. */
enum sim_fault {
  SIM_FAULT_NET_LOSS,
  SIM_FAULT_NET_DUPLICATE,
  SIM_FAULT_NET_REORDER,
  SIM_FAULT_NET_PARTITION, /* a message met a cut link */
  SIM_FAULT_NET_CORRUPT,
  SIM_FAULT_NET_TRUNCATE,
  SIM_FAULT_NET_SLOW,
  SIM_FAULT_NET_BURST,    /* a message was lost in one */
  SIM_FAULT_NET_CLOG,     /* a message was held by one */
  SIM_FAULT_NET_OVERFLOW, /* a queue at its capacity */
  SIM_FAULT_POWER_LOSS,
  SIM_FAULT_POWER_LOSS_IN_CALL, /* armed, inside an environment call */
  SIM_FAULT_PROCESS_CRASH,
  SIM_FAULT_PAUSE,
  SIM_FAULT_WIPE,
  SIM_FAULT_RESTORE,
  SIM_FAULT_ALLOC,
  SIM_FAULT_CLOCK_STEP,
  SIM_FAULT_CLOCK_DRIFT,
  SIM_FAULT_CLOCK_FREEZE,
  SIM_FAULT_DISK_LOST_PENDING, /* opportunity: a pending write at power loss */
  SIM_FAULT_DISK_TORN,
  SIM_FAULT_DISK_REORDERED, /* a later write survived an earlier one that did not */
  SIM_FAULT_DISK_GARBAGE,
  SIM_FAULT_DISK_SIZE,      /* size and data did not survive together */
  SIM_FAULT_DISK_DIRECTORY, /* a directory change was lost */
  SIM_FAULT_DISK_WRITE_BACK,
  SIM_FAULT_DISK_FULL,
  SIM_FAULT_DISK_READ_ERROR,
  SIM_FAULT_DISK_WRITE_ERROR,
  SIM_FAULT_DISK_SHORT,
  SIM_FAULT_DISK_INTERRUPT,
  SIM_FAULT_DISK_FSYNC_ERROR,
  SIM_FAULT_DISK_FSYNC_LIE,
  SIM_FAULT_DISK_FSYNC_CUT, /* power was lost with an fsync in flight */
  SIM_FAULT_DISK_LATENCY,
  SIM_FAULT_DISK_STALL,
  SIM_FAULT_DISK_ROT,
  SIM_FAULT_DISK_UNREADABLE,
  SIM_FAULT_DISK_LOST_WRITE,
  SIM_FAULT_DISK_MISDIRECTED,
  SIM_FAULT_DISK_HANDLES,
  SIM_FAULT_NET_BANDWIDTH,  /* a message waited for the line */
  SIM_FAULT_NET_RULE,       /* a rule decided over a message */
  SIM_FAULT_CLOCK_STROBE,   /* a jump of one */
  SIM_FAULT_DISK_OVERWRITE, /* durable bytes of a sector that was being written were spoiled */
  SIM_FAULT_DISK_RENAME_HALF,
  SIM_FAULT_DISK_OPEN_ERROR,
  SIM_FAULT_DISK_CLOSE_ERROR,
  SIM_FAULT_DISK_TRUNCATE_ERROR,
  SIM_FAULT_DISK_SIZE_ERROR,
  SIM_FAULT_DISK_RENAME_ERROR,
  SIM_FAULT_DISK_UNLINK_ERROR,
  SIM_FAULT_DISK_LIST_ERROR,
  SIM_FAULT_DISK_FSYNC_REQUEST_ERROR,
  SIM_FAULT_DISK_FSYNC_NO_SPACE,
  SIM_FAULT_DISK_LATENT,    /* sectors went bad, and nobody knows yet */
  SIM_FAULT_NET_MISDELIVER, /* a message came to another node */
  SIM_FAULT_NET_EXTEND,     /* bytes were added behind it */
  SIM_FAULT_NET_SPLICE,     /* its beginning was that of the message before it */
  SIM_FAULT_COUNT
};

struct sim_fault_count {
  uint64_t opportunities;
  uint64_t firings;
};

const char *sim_fault_name(enum sim_fault fault); /* "net_loss" */

#endif
