/* Room `snapshot`: the state of one instant as a file. Takes the state and the port's files; gives snapshots taken in
 * steps beside writing, and merges one, checked whole, into a state as one change. Decides nothing: when a
 * snapshot is taken, kept, sent or fetched is the engine's business. */
#ifndef SYNC_CORE_SNAPSHOT_SNAPSHOT_H
#define SYNC_CORE_SNAPSHOT_SNAPSHOT_H

#include "core/snapshot/block.h"
#include "core/snapshot/image.h"
#include "core/snapshot/merge.h"
#include "core/snapshot/reader.h"
#include "core/snapshot/writer.h"

#endif
