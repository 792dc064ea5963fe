/* base: what every room stands on. Takes the environment's memory; gives
 * explicit bytes, the one checksum, growable arrays, bounded text, node ids and
 * the names of statuses. banned.h is forced in before every file of core/. */
#ifndef SYNC_CORE_BASE_BASE_H
#define SYNC_CORE_BASE_BASE_H

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/memory.h"
#include "core/base/node_id.h"
#include "core/base/text.h"

#endif
