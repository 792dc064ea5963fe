/* Room `base`: what every room stands on. Takes the port (core/env.h); gives explicit
 * bytes, the one checksum, growable arrays, bounded text, node ids, the names
 * of statuses, short forms of the port. banned.h comes before every file. */
#ifndef SYNC_CORE_BASE_BASE_H
#define SYNC_CORE_BASE_BASE_H

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/hex.h"
#include "core/base/memory.h"
#include "core/base/node_id.h"
#include "core/base/port.h"
#include "core/base/text.h"

#endif
