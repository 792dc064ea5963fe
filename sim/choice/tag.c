#include "sim/choice/tag.h"

#include "sim/choice/draw.h"

#include <stddef.h>

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
    {SIM_CHOICE_NODE_PICK, "node_pick"},
    {SIM_CHOICE_NODE_CRASH_CALL, "node_crash_call"},
    {SIM_CHOICE_NODE_ALLOC, "node_alloc"},
    {SIM_CHOICE_NODE_SKIP, "node_skip"},
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
};

const char *sim_choice_kind_name(uint32_t kind) {
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if ((uint32_t)NAMES[i].kind == kind) return NAMES[i].name;
  return kind >= SIM_CHOICE_USER ? "user" : "unknown";
}

uint64_t sim_draw(uint64_t seed, struct sim_tag tag) {
  return draw_mixed(draw_mix_seed(seed), tag);
}
