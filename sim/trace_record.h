/* Between trace.c, which makes records, and trace_log.c, which keeps them. */
#ifndef SIM_TRACE_RECORD_H
#define SIM_TRACE_RECORD_H

#include "sim/trace.h"

/* false: memory ran out. */
bool sim_trace_log_append(struct sim_trace_log *log, const struct sim_trace_record *record);

#endif
