#include "sim/choice/tag.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct choice_name {
  enum sim_choice_kind kind;
  const char *name;
};

static const struct choice_name NAMES[] = {
    {SIM_CHOICE_TIE, "tie"},
    {SIM_CHOICE_NET_DELAY, "net_delay"},
    {SIM_CHOICE_NET_LOSS, "net_loss"},
    {SIM_CHOICE_NET_DUPLICATE, "net_duplicate"},
    {SIM_CHOICE_NET_DUPLICATE_DELAY, "net_duplicate_delay"},
    {SIM_CHOICE_NET_REORDER, "net_reorder"},
    {SIM_CHOICE_NET_REORDER_DELAY, "net_reorder_delay"},
    {SIM_CHOICE_NET_CORRUPT, "net_corrupt"},
    {SIM_CHOICE_NET_CORRUPT_BIT, "net_corrupt_bit"},
    {SIM_CHOICE_NET_TRUNCATE, "net_truncate"},
    {SIM_CHOICE_NET_TRUNCATE_SIZE, "net_truncate_size"},
    {SIM_CHOICE_NET_SLOW, "net_slow"},
    {SIM_CHOICE_NET_SLOW_DELAY, "net_slow_delay"},
    {SIM_CHOICE_NET_BURST, "net_burst"},
    {SIM_CHOICE_NET_CLOG, "net_clog"},
    {SIM_CHOICE_NET_CLOG_TIME, "net_clog_time"},
    {SIM_CHOICE_NET_BURST_STAY, "net_burst_stay"},
    {SIM_CHOICE_NET_BURST_LOSS, "net_burst_loss"},
    {SIM_CHOICE_NET_RULE, "net_rule"},
    {SIM_CHOICE_NET_FLAP, "net_flap"},
    {SIM_CHOICE_NET_SWIZZLE_BEGIN, "net_swizzle_begin"},
    {SIM_CHOICE_NET_SWIZZLE_END, "net_swizzle_end"},
    {SIM_CHOICE_NET_MISDELIVER, "net_misdeliver"},
    {SIM_CHOICE_NET_MISDELIVER_WHERE, "net_misdeliver_where"},
    {SIM_CHOICE_NET_EXTEND, "net_extend"},
    {SIM_CHOICE_NET_EXTEND_SIZE, "net_extend_size"},
    {SIM_CHOICE_NET_SPLICE, "net_splice"},
    {SIM_CHOICE_NET_SPLICE_AT, "net_splice_at"},
    {SIM_CHOICE_DISK_FSYNC_DELAY, "disk_fsync_delay"},
    {SIM_CHOICE_DISK_STYLE, "disk_style"},
    {SIM_CHOICE_DISK_PREFIX, "disk_prefix"},
    {SIM_CHOICE_DISK_TORN, "disk_torn"},
    {SIM_CHOICE_DISK_SECTOR, "disk_sector"},
    {SIM_CHOICE_DISK_GARBAGE, "disk_garbage"},
    {SIM_CHOICE_DISK_SIZE, "disk_size"},
    {SIM_CHOICE_DISK_DIRECTORY, "disk_directory"},
    {SIM_CHOICE_DISK_WRITE_BACK, "disk_write_back"},
    {SIM_CHOICE_DISK_READ_ERROR, "disk_read_error"},
    {SIM_CHOICE_DISK_WRITE_ERROR, "disk_write_error"},
    {SIM_CHOICE_DISK_WRITE_ERROR_DONE, "disk_write_error_done"},
    {SIM_CHOICE_DISK_SHORT, "disk_short"},
    {SIM_CHOICE_DISK_SHORT_SIZE, "disk_short_size"},
    {SIM_CHOICE_DISK_INTERRUPT, "disk_interrupt"},
    {SIM_CHOICE_DISK_FSYNC_ERROR, "disk_fsync_error"},
    {SIM_CHOICE_DISK_FSYNC_ERROR_FORM, "disk_fsync_error_form"},
    {SIM_CHOICE_DISK_FSYNC_LIE, "disk_fsync_lie"},
    {SIM_CHOICE_DISK_LATENCY, "disk_latency"},
    {SIM_CHOICE_DISK_STALL, "disk_stall"},
    {SIM_CHOICE_DISK_ROT, "disk_rot"},
    {SIM_CHOICE_DISK_ROT_WHERE, "disk_rot_where"},
    {SIM_CHOICE_DISK_MISDIRECT, "disk_misdirect"},
    {SIM_CHOICE_DISK_MISDIRECT_WHERE, "disk_misdirect_where"},
    {SIM_CHOICE_DISK_LOST_WRITE, "disk_lost_write"},
    {SIM_CHOICE_DISK_UNREADABLE, "disk_unreadable"},
    {SIM_CHOICE_DISK_UNREADABLE_WHERE, "disk_unreadable_where"},
    {SIM_CHOICE_DISK_WRITE_BACK_NAMES, "disk_write_back_names"},
    {SIM_CHOICE_DISK_CUT, "disk_cut"},
    {SIM_CHOICE_DISK_OVERWRITE, "disk_overwrite"},
    {SIM_CHOICE_DISK_RENAME_HALF, "disk_rename_half"},
    {SIM_CHOICE_DISK_OPEN_ERROR, "disk_open_error"},
    {SIM_CHOICE_DISK_CLOSE_ERROR, "disk_close_error"},
    {SIM_CHOICE_DISK_TRUNCATE_ERROR, "disk_truncate_error"},
    {SIM_CHOICE_DISK_SIZE_ERROR, "disk_size_error"},
    {SIM_CHOICE_DISK_RENAME_ERROR, "disk_rename_error"},
    {SIM_CHOICE_DISK_UNLINK_ERROR, "disk_unlink_error"},
    {SIM_CHOICE_DISK_LIST_ERROR, "disk_list_error"},
    {SIM_CHOICE_DISK_FSYNC_REQUEST_ERROR, "disk_fsync_request_error"},
    {SIM_CHOICE_DISK_FSYNC_NO_SPACE, "disk_fsync_no_space"},
    {SIM_CHOICE_NODE_PICK, "node_pick"},
    {SIM_CHOICE_NODE_CRASH_CALL, "node_crash_call"},
    {SIM_CHOICE_NODE_ALLOC, "node_alloc"},
    {SIM_CHOICE_NODE_SKIP, "node_skip"},
    {SIM_CHOICE_NODE_LINK, "node_link"},
    {SIM_CHOICE_SCENARIO, "scenario"},
    {SIM_CHOICE_SWARM, "swarm"},
    {SIM_CHOICE_SCENARIO_SKIP, "scenario_skip"},
    {SIM_CHOICE_SCENARIO_SLEEP, "scenario_sleep"},
    {SIM_CHOICE_WORKLOAD_GAP, "workload_gap"},
    {SIM_CHOICE_WORKLOAD_NODE, "workload_node"},
    {SIM_CHOICE_WORKLOAD_KEY, "workload_key"},
    {SIM_CHOICE_WORKLOAD_OPERATION, "workload_operation"},
    {SIM_CHOICE_WORKLOAD_SIZE, "workload_size"},
    {SIM_CHOICE_WORKLOAD_HOT, "workload_hot"},
    {SIM_CHOICE_WORKLOAD_SKIP, "workload_skip"},
    {SIM_CHOICE_WORKLOAD_VALUE, "workload_value"},
    {SIM_CHOICE_WORKLOAD_BURST, "workload_burst"},
    {SIM_CHOICE_WORKLOAD_PHASE, "workload_phase"},
    {SIM_CHOICE_DISK_ERROR_WHICH, "disk_error_which"},
    {SIM_CHOICE_DISK_ERROR_DONE, "disk_error_done"},
    {SIM_CHOICE_DISK_ROT_RUNNING, "disk_rot_running"},
    {SIM_CHOICE_DISK_ROT_FILE, "disk_rot_file"},
    {SIM_CHOICE_DISK_ROT_EXTENT, "disk_rot_extent"},
    {SIM_CHOICE_DISK_ROT_FILL, "disk_rot_fill"},
    {SIM_CHOICE_DISK_DAMAGE_RUN, "disk_damage_run"},
    {SIM_CHOICE_DISK_LATENT, "disk_latent"},
    {SIM_CHOICE_DISK_LATENT_WHERE, "disk_latent_where"},
    {SIM_CHOICE_DISK_MISDIRECT_FILE, "disk_misdirect_file"},
};

const char *sim_choice_kind_name(uint32_t kind) {
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if ((uint32_t)NAMES[i].kind == kind) return NAMES[i].name;
  return kind >= SIM_CHOICE_USER ? "user" : "unknown";
}

void sim_tag_write(struct sim_tag tag, char text[SIM_TAG_TEXT_BYTES]) {
  char where[32] = "world";
  if (tag.where >> 16 != 0)
    (void)snprintf(where, sizeof where, "n%u>n%u", tag.where >> 16, tag.where & 0xffffu);
  else if (tag.where != 0)
    (void)snprintf(where, sizeof where, "n%u", tag.where);
  (void)snprintf(text, SIM_TAG_TEXT_BYTES, "%s %s %" PRIx64, sim_choice_kind_name(tag.kind), where, tag.identity);
}

/* Goes past a number of `most` at most; false: there is none. */
static bool take_number(const char **at, uint32_t most, uint32_t *number) {
  uint32_t value = 0;
  const char *begin = *at;
  for (; **at >= '0' && **at <= '9' && *at - begin < 6; (*at)++)
    value = value * 10 + (uint32_t)(**at - '0');
  *number = value;
  return *at != begin && value >= 1 && value <= most;
}

static bool take_where(const char **at, uint32_t *where) {
  uint32_t from = 0, to = 0;
  if (strncmp(*at, "world ", 6) == 0) {
    *at += 6;
    *where = 0;
    return true;
  }
  if (**at != 'n') return false;
  (*at)++;
  if (!take_number(at, 0xffffu, &from)) return false;
  *where = from;
  if (**at == '>') {
    if ((*at)[1] != 'n') return false;
    *at += 2;
    if (!take_number(at, 0xffffu, &to)) return false;
    *where = sim_tag_link(from, to);
  }
  return *(*at)++ == ' ';
}

static bool take_identity(const char *at, uint64_t *identity) {
  *identity = 0;
  const char *begin = at;
  for (; *at != '\0'; at++) {
    unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
                     : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10u
                                                : 16u;
    if (digit > 15 || at - begin >= 16) return false;
    *identity = *identity << 4 | digit;
  }
  return at != begin;
}

const char *sim_tag_read(const char *text, struct sim_tag *tag) {
  const size_t length = strcspn(text, " ");
  tag->kind = 0;
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if (strlen(NAMES[i].name) == length && memcmp(NAMES[i].name, text, length) == 0)
      tag->kind = (uint32_t)NAMES[i].kind;
  if (tag->kind == 0) return "kind";
  const char *at = text + length + (text[length] == ' ');
  if (!take_where(&at, &tag->where)) return "behind the kind stands where: world, n2, or n2>n3 of a link";
  if (!take_identity(at, &tag->identity)) return "at the end stands which one, as 1 to 16 hexadecimal digits";
  return NULL;
}
