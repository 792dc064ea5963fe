/* What a record of the log is, to those who write, read or count it. */
#ifndef SYNC_CORE_LOG_RECORD_H
#define SYNC_CORE_LOG_RECORD_H

/* Record types on disk; append only. */
enum wal_record_type {
  WAL_OPERATION = 1,    /* one operation, local or remote */
  WAL_MARK = 2,         /* empty: everything before it is durable */
  WAL_PEER_ADDED = 3,   /* node id */
  WAL_PEER_REMOVED = 4, /* node id */
  WAL_MERGE = 5         /* a staged snapshot was merged: its id, bytes and sum */
};
#define WAL_RECORD_TYPE_LAST WAL_MERGE /* a greater one begins no record */

/* Checksum, type, and numbers that take the bytes that they need. */
#define WAL_RECORD_HEADER_BYTES_MIN 10u
#define WAL_RECORD_HEADER_BYTES_MAX 23u
#define WAL_PAYLOAD_BYTES_MAX 0xffffffu
#define WAL_SIZE_BYTES_MAX 4u /* as a varint */
#endif
