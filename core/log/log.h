/* Room `log`: the only thing on disk. Takes payloads and the environment's files;
 * gives each record a position, replays at open what is provably there, says
 * which position is durable, and reads a record back, verified. Segments,
 * file calls and recovery are its own business. */
#ifndef SYNC_CORE_LOG_LOG_H
#define SYNC_CORE_LOG_LOG_H

#include "core/log/record.h"
#include "core/log/wal.h"

#endif
