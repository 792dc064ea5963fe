/* Room `wire`: bytes between replicas. Takes frames and operations as structs and
 * gives their one canonical encoding; takes bytes that nobody vouches for and
 * gives views into them, or says what is wrong. Knows no replica, no memory. */
#ifndef SYNC_CORE_WIRE_WIRE_H
#define SYNC_CORE_WIRE_WIRE_H

#include "core/wire/frame.h"
#include "core/wire/news.h"
#include "core/wire/operation.h"

#endif
