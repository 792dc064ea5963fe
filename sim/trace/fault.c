#include "sim/trace/fault.h"

const char *sim_fault_name(enum sim_fault fault) {
  switch (fault) {
#define NAME(constant, name)                                                                                           \
  case SIM_FAULT_##constant:                                                                                           \
    return name;
    NAME(NET_LOSS, "net_loss")
    NAME(NET_DUPLICATE, "net_duplicate")
    NAME(NET_REORDER, "net_reorder")
    NAME(NET_PARTITION, "net_partition")
    NAME(NET_CORRUPT, "net_corrupt")
    NAME(NET_TRUNCATE, "net_truncate")
    NAME(NET_SLOW, "net_slow")
    NAME(NET_BURST, "net_burst")
    NAME(NET_CLOG, "net_clog")
    NAME(NET_OVERFLOW, "net_overflow")
    NAME(POWER_LOSS, "power_loss")
    NAME(POWER_LOSS_IN_CALL, "power_loss_in_call")
    NAME(PROCESS_CRASH, "process_crash")
    NAME(PAUSE, "pause")
    NAME(WIPE, "wipe")
    NAME(RESTORE, "restore")
    NAME(ALLOC, "alloc")
    NAME(CLOCK_STEP, "clock_step")
    NAME(CLOCK_DRIFT, "clock_drift")
    NAME(CLOCK_FREEZE, "clock_freeze")
    NAME(DISK_LOST_PENDING, "disk_lost_pending")
    NAME(DISK_TORN, "disk_torn")
    NAME(DISK_REORDERED, "disk_reordered")
    NAME(DISK_GARBAGE, "disk_garbage")
    NAME(DISK_SIZE, "disk_size")
    NAME(DISK_DIRECTORY, "disk_directory")
    NAME(DISK_WRITE_BACK, "disk_write_back")
    NAME(DISK_FULL, "disk_full")
    NAME(DISK_READ_ERROR, "disk_read_error")
    NAME(DISK_WRITE_ERROR, "disk_write_error")
    NAME(DISK_SHORT, "disk_short")
    NAME(DISK_INTERRUPT, "disk_interrupt")
    NAME(DISK_FSYNC_ERROR, "disk_fsync_error")
    NAME(DISK_FSYNC_LIE, "disk_fsync_lie")
    NAME(DISK_FSYNC_CUT, "disk_fsync_cut")
    NAME(DISK_LATENCY, "disk_latency")
    NAME(DISK_STALL, "disk_stall")
    NAME(DISK_ROT, "disk_rot")
    NAME(DISK_UNREADABLE, "disk_unreadable")
    NAME(DISK_LOST_WRITE, "disk_lost_write")
    NAME(DISK_MISDIRECTED, "disk_misdirected")
    NAME(DISK_HANDLES, "disk_handles")
    NAME(NET_BANDWIDTH, "net_bandwidth")
    NAME(NET_RULE, "net_rule")
    NAME(CLOCK_STROBE, "clock_strobe")
#undef NAME
  case SIM_FAULT_COUNT:
    break;
  }
  return "unknown";
}
