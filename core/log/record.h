/* What a record of the log is, to those who write, read or count it. */
#ifndef SYNC_CORE_LOG_RECORD_H
#define SYNC_CORE_LOG_RECORD_H

/* Record types on disk; append only. */
enum wal_record_type {
  WAL_OPERATION = 1,    /* one operation, local or remote, as on the wire */
  WAL_MARK = 2,         /* empty: everything before it is durable */
  WAL_PEER_ADDED = 3,   /* node id */
  WAL_PEER_REMOVED = 4, /* node id */
  WAL_MERGE = 5         /* a staged snapshot was merged: its id, bytes and sum */
};

#define WAL_RECORD_HEADER_BYTES 20u
#define WAL_PAYLOAD_BYTES_MAX 0xffffffu /* 24-bit length */
#endif
