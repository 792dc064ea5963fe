/* Face of room `choice`: tags, the stable names of decisions. */
#ifndef SIM_TAG_H
#define SIM_TAG_H

#include <stdint.h>

/* What is decided. Part of the recording format and of every trace hash:
 * append only, never renumber. sim_choice_kind_name() gives the plain name. */
enum sim_choice_kind {
  SIM_CHOICE_TIE = 1, /* order of simultaneous events */
  SIM_CHOICE_NET_DELAY = 10,
  SIM_CHOICE_NET_LOSS = 11,
  SIM_CHOICE_NET_DUPLICATE = 12,
  SIM_CHOICE_NET_DUPLICATE_DELAY = 13,
  SIM_CHOICE_NET_REORDER = 14,
  SIM_CHOICE_NET_REORDER_DELAY = 15,
  SIM_CHOICE_NET_CORRUPT = 16,
  SIM_CHOICE_NET_CORRUPT_BIT = 17,
  SIM_CHOICE_NET_TRUNCATE = 18,
  SIM_CHOICE_NET_TRUNCATE_SIZE = 19,
  SIM_CHOICE_NET_SLOW = 20,
  SIM_CHOICE_NET_SLOW_DELAY = 21,
  SIM_CHOICE_NET_BURST = 22,
  SIM_CHOICE_NET_CLOG = 23,
  SIM_CHOICE_NET_CLOG_TIME = 24,
  SIM_CHOICE_NET_BURST_STAY = 25,
  SIM_CHOICE_NET_BURST_LOSS = 26,
  SIM_CHOICE_NET_RULE = 27, /* always 1 under a seed; an override can leave one message out */
  SIM_CHOICE_NET_FLAP = 28, /* how long until it turns */
  SIM_CHOICE_NET_SWIZZLE_BEGIN = 29,
  SIM_CHOICE_NET_SWIZZLE_END = 30,
  SIM_CHOICE_NET_MISDELIVER = 31,
  SIM_CHOICE_NET_MISDELIVER_WHERE = 32,
  SIM_CHOICE_NET_EXTEND = 33,
  SIM_CHOICE_NET_EXTEND_SIZE = 34,
  SIM_CHOICE_NET_SPLICE = 35,
  SIM_CHOICE_NET_SPLICE_AT = 36,
  SIM_CHOICE_DISK_FSYNC_DELAY = 40,
  SIM_CHOICE_DISK_STYLE = 41,  /* how a power loss treats one file */
  SIM_CHOICE_DISK_PREFIX = 42, /* how many pending writes survived */
  SIM_CHOICE_DISK_TORN = 43,   /* sectors of the last of them */
  SIM_CHOICE_DISK_SECTOR = 44, /* one sector: lost or kept */
  SIM_CHOICE_DISK_GARBAGE = 45,
  SIM_CHOICE_DISK_SIZE = 46, /* size apart from data */
  SIM_CHOICE_DISK_DIRECTORY = 47,
  SIM_CHOICE_DISK_WRITE_BACK = 48,
  SIM_CHOICE_DISK_READ_ERROR = 49,
  SIM_CHOICE_DISK_WRITE_ERROR = 50,
  SIM_CHOICE_DISK_WRITE_ERROR_DONE = 51, /* how much of a failed write took effect */
  SIM_CHOICE_DISK_SHORT = 52,
  SIM_CHOICE_DISK_SHORT_SIZE = 53,
  SIM_CHOICE_DISK_INTERRUPT = 54,
  SIM_CHOICE_DISK_FSYNC_ERROR = 55,
  SIM_CHOICE_DISK_FSYNC_ERROR_FORM = 56,
  SIM_CHOICE_DISK_FSYNC_LIE = 57,
  SIM_CHOICE_DISK_LATENCY = 58,
  SIM_CHOICE_DISK_STALL = 59,
  SIM_CHOICE_DISK_ROT = 60,
  SIM_CHOICE_DISK_ROT_WHERE = 61,
  SIM_CHOICE_DISK_MISDIRECT = 62,
  SIM_CHOICE_DISK_MISDIRECT_WHERE = 63,
  SIM_CHOICE_DISK_LOST_WRITE = 64,
  SIM_CHOICE_DISK_UNREADABLE = 65,
  SIM_CHOICE_DISK_UNREADABLE_WHERE = 66,
  SIM_CHOICE_DISK_WRITE_BACK_NAMES = 67,
  SIM_CHOICE_DISK_CUT = 68,         /* which cuts survived */
  SIM_CHOICE_DISK_OVERWRITE = 69,   /* the sector that a write had reached */
  SIM_CHOICE_DISK_RENAME_HALF = 70, /* what is left of a rename */
  SIM_CHOICE_DISK_OPEN_ERROR = 71,
  SIM_CHOICE_DISK_CLOSE_ERROR = 72,
  SIM_CHOICE_DISK_TRUNCATE_ERROR = 73,
  SIM_CHOICE_DISK_SIZE_ERROR = 74,
  SIM_CHOICE_DISK_RENAME_ERROR = 75,
  SIM_CHOICE_DISK_UNLINK_ERROR = 76,
  SIM_CHOICE_DISK_LIST_ERROR = 77,
  SIM_CHOICE_DISK_FSYNC_REQUEST_ERROR = 78,
  SIM_CHOICE_DISK_FSYNC_NO_SPACE = 79,
  SIM_CHOICE_NODE_PICK = 80,       /* env->pick of a node, by its kind in the identity */
  SIM_CHOICE_NODE_CRASH_CALL = 81, /* at which environment call an armed power loss strikes */
  SIM_CHOICE_NODE_ALLOC = 82,
  SIM_CHOICE_NODE_SKIP = 83,       /* 1: the node is left out, it never boots */
  SIM_CHOICE_NODE_LINK = 84,       /* whom a node knows in a random topology */
  SIM_CHOICE_SCENARIO = 100,       /* world:between and its like, and faults of a script: by task and call */
  SIM_CHOICE_SWARM = 101,          /* which faults a seed enables */
  SIM_CHOICE_SCENARIO_SKIP = 102,  /* 1: an act of a script that is no fault is left out */
  SIM_CHOICE_SCENARIO_SLEEP = 103, /* how long a script sleeps; as written unless overridden */
  SIM_CHOICE_WORKLOAD_GAP = 120,
  SIM_CHOICE_WORKLOAD_NODE = 121,
  SIM_CHOICE_WORKLOAD_KEY = 122,
  SIM_CHOICE_WORKLOAD_OPERATION = 123,
  SIM_CHOICE_WORKLOAD_SIZE = 124,
  SIM_CHOICE_WORKLOAD_HOT = 125,
  SIM_CHOICE_WORKLOAD_SKIP = 126,    /* 1: the submit is left out */
  SIM_CHOICE_WORKLOAD_VALUE = 127,   /* what a value is made from */
  SIM_CHOICE_WORKLOAD_BURST = 128,   /* submits in one turn */
  SIM_CHOICE_WORKLOAD_PHASE = 129,   /* how long it is busy, and how long it is quiet */
  SIM_CHOICE_DISK_ERROR_WHICH = 140, /* of the errors of a call */
  SIM_CHOICE_DISK_ERROR_DONE = 141,  /* whether a call that failed took effect */
  SIM_CHOICE_DISK_ROT_RUNNING = 142,
  SIM_CHOICE_DISK_ROT_FILE = 143,   /* where the transfer is, or elsewhere */
  SIM_CHOICE_DISK_ROT_EXTENT = 144, /* bit, byte, sector, erase block */
  SIM_CHOICE_DISK_ROT_FILL = 145,
  SIM_CHOICE_DISK_DAMAGE_RUN = 146, /* one sector or a run of them */
  SIM_CHOICE_DISK_LATENT = 147,
  SIM_CHOICE_DISK_LATENT_WHERE = 148,
  SIM_CHOICE_DISK_MISDIRECT_FILE = 149,
  SIM_CHOICE_USER = 1000, /* strangers' nodes count up from here */
};

/* Identities (sim_unique) have kinds of their own. */
enum sim_unique_kind {
  SIM_UNIQUE_NODE = 1,
};

struct sim_tag {
  uint32_t kind;     /* enum sim_choice_kind */
  uint32_t where;    /* node number from 1, or sim_tag_link(); 0: the world */
  uint64_t identity; /* stable name of the decision within (kind, where) */
};

static inline struct sim_tag sim_tag(uint32_t kind, uint32_t where, uint64_t identity) {
  struct sim_tag tag = {kind, where, identity};
  return tag;
}
static inline uint32_t sim_tag_link(uint32_t from, uint32_t to) {
  return (from << 16) | to;
}

const char *sim_choice_kind_name(uint32_t kind);

/* A tag as people write it: "disk_style n2 1a7cf0dfdeb89a20", "net_loss n2>n3 9c", "workload_skip world 30". */
#define SIM_TAG_TEXT_BYTES 80u
void sim_tag_write(struct sim_tag tag, char text[SIM_TAG_TEXT_BYTES]);
/* NULL, or what is wrong with it; for a kind that is not there "kind". */
const char *sim_tag_read(const char *text, struct sim_tag *tag);

#endif
