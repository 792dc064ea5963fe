/* What epoll tells of: a descriptor, and whom to call when it is ready. */
#ifndef SYNCNOTE_SOURCE_H
#define SYNCNOTE_SOURCE_H

#include <stdint.h>

struct source {
  void (*ready)(void *arg, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
  void *arg;
};

#endif
