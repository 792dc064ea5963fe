/* A world with one node that is down, whose disk a test drives by hand. */
#ifndef TESTS_SUPPORT_DISK_FIXTURE_H
#define TESTS_SUPPORT_DISK_FIXTURE_H

#include "sim/sim.h"

struct disk_fixture {
  struct sim *sim;
  struct sim_world *world;
  struct sim_disk *disk;
  uint64_t fsyncs; /* requested: their ids count from 1 */
};

void disk_fixture_open(struct disk_fixture *fixture);
void disk_fixture_close(struct disk_fixture *fixture);
/* A fresh world. `overrides` may be NULL. */
void disk_fixture_begin(struct disk_fixture *fixture, uint64_t seed, const struct sim_disk_config *config,
                        const struct sim_choice_table *overrides);

/* These assert success of everything that they do not return. */
sync_file disk_fixture_create(struct disk_fixture *fixture, const char *name);
void disk_fixture_write(struct disk_fixture *fixture, sync_file file, uint64_t offset, uint8_t byte, size_t size);
/* Requests only: gives the id. */
uint64_t disk_fixture_request(struct disk_fixture *fixture, sync_file file);
int disk_fixture_finish(struct disk_fixture *fixture, uint64_t id);
int disk_fixture_fsync(struct disk_fixture *fixture, sync_file file);
int disk_fixture_fsync_dir(struct disk_fixture *fixture);
/* Reads a file whole, by name. Returns its size; SIZE_MAX when it is not there. */
size_t disk_fixture_read(struct disk_fixture *fixture, const char *name, uint8_t *bytes, size_t capacity);
uint64_t disk_fixture_fired(struct disk_fixture *fixture, enum sim_fault fault);
uint64_t disk_fixture_chances(struct disk_fixture *fixture, enum sim_fault fault);

#endif
